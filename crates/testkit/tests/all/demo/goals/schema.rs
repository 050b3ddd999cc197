//! The tables of the demo.

diesel::table! {
    goals (id) {
        id -> Uuid,
        account_id -> Uuid,
        title -> Text,
        weight -> Nullable<Int2>,
        tags -> Array<Text>,
        created_at -> Timestamptz,
    }
}
