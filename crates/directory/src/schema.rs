diesel::table! {
    people (id) {
        id -> Uuid,
        username -> Nullable<Text>,
        display_name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        roles -> Array<Text>,
        country -> Nullable<Text>,
        locale -> Text,
        time_zone -> Nullable<Text>,
        specialities -> Array<Text>,
        status -> Text,
        version -> BigInt,
    }
}
