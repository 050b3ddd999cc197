//! The tables, as `diesel print-schema` writes them; a test compares them with the database.
#![expect(missing_docs, reason = "generated")]

diesel::table! {
    services (id) {
        id -> Uuid,
        kind -> Text,
        name -> Text,
        description -> Text,
        price -> Int8,
        currency -> Text,
        duration_minutes -> Int4,
        delivery_mode -> Text,
        requires_payment -> Bool,
        active -> Bool,
        assignment_minutes -> Nullable<Int4>,
        result_minutes -> Nullable<Int4>,
        review_minutes -> Nullable<Int4>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    orders (id) {
        id -> Uuid,
        number -> Int8,
        service_id -> Uuid,
        client_id -> Uuid,
        reader_id -> Nullable<Uuid>,
        preferred_reader_id -> Nullable<Uuid>,
        status -> Text,
        payment_status -> Text,
        payment_id -> Nullable<Uuid>,
        paid -> Int8,
        price -> Int8,
        currency -> Text,
        requires_payment -> Bool,
        notes_sealed -> Nullable<Bytea>,
        revision -> Int4,
        waits_since -> Timestamptz,
        due_at -> Nullable<Timestamptz>,
        rating -> Nullable<Int2>,
        comment_sealed -> Nullable<Bytea>,
        rated_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    results (order_id) {
        order_id -> Uuid,
        revision -> Int4,
        text_sealed -> Bytea,
        media_ids -> Array<Uuid>,
        submitted_at -> Timestamptz,
    }
}

diesel::table! {
    order_history (order_id, version) {
        order_id -> Uuid,
        version -> Int8,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        from_status -> Nullable<Text>,
        to_status -> Text,
        reason_sealed -> Nullable<Bytea>,
    }
}

diesel::table! {
    readers (id) {
        id -> Uuid,
        last_assigned_at -> Nullable<Timestamptz>,
        ratings -> Int8,
        rating_sum -> Int8,
    }
}

diesel::table! {
    blocked_people (id) {
        id -> Uuid,
    }
}

diesel::table! {
    files (id) {
        id -> Uuid,
        owner_id -> Uuid,
        clean -> Bool,
        deleted -> Bool,
    }
}

diesel::table! {
    availability (reader_id) {
        reader_id -> Uuid,
        time_zone -> Text,
        weekly -> Jsonb,
        exceptions -> Jsonb,
        horizon_days -> Int4,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    appointments (id) {
        id -> Uuid,
        client_id -> Uuid,
        counselor_id -> Uuid,
        status -> Text,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        subject_sealed -> Nullable<Bytea>,
        reason_sealed -> Nullable<Bytea>,
        reminded -> Nullable<Int4>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

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
        version -> Int8,
    }
}
