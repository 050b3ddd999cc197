//! The tables, as `diesel print-schema` writes them; a test compares them with the migrations.
#![expect(missing_docs, reason = "the migration documents the columns")]

diesel::table! {
    bookings (id) {
        id -> Uuid,
        client_id -> Uuid,
        reader_id -> Nullable<Uuid>,
        service_name -> Text,
        service_kind -> Text,
        status -> Text,
        session_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    devices (user_id, device_id) {
        user_id -> Uuid,
        device_id -> Text,
        identity_key -> Bytea,
        signed_prekey_id -> Int8,
        signed_prekey -> Bytea,
        signature -> Bytea,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    direct_pairs (low, high) {
        low -> Uuid,
        high -> Uuid,
        session_id -> Uuid,
    }
}

diesel::table! {
    files (id) {
        id -> Uuid,
        owner_id -> Uuid,
        state -> Text,
        session_id -> Nullable<Uuid>,
        message_id -> Nullable<Uuid>,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    groups (session_id) {
        session_id -> Uuid,
        name -> Text,
        description -> Text,
        category -> Text,
        members -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    held_messages (session_id, id) {
        session_id -> Uuid,
        id -> Uuid,
        sender_id -> Uuid,
        client_id -> Nullable<Text>,
        kind -> Text,
        sealed -> Bytea,
        file_id -> Nullable<Uuid>,
        file_size -> Nullable<Int8>,
        review -> Bool,
        scan -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    messages (session_id, seq) {
        session_id -> Uuid,
        seq -> Int8,
        id -> Uuid,
        sender_id -> Uuid,
        client_id -> Nullable<Text>,
        kind -> Text,
        state -> Text,
        sealed -> Nullable<Bytea>,
        file_id -> Nullable<Uuid>,
        file_size -> Nullable<Int8>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    participants (session_id, user_id) {
        session_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        last_read_seq -> Int8,
        own_unread -> Int4,
        joined_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
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

diesel::table! {
    prekeys (user_id, device_id, id) {
        user_id -> Uuid,
        device_id -> Text,
        id -> Int8,
        key -> Bytea,
        taken_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    reactions (session_id, seq, user_id, reaction) {
        session_id -> Uuid,
        seq -> Int8,
        user_id -> Uuid,
        reaction -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sent_lately (bucket) {
        bucket -> Bytea,
        at -> Array<Timestamptz>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        kind -> Text,
        status -> Text,
        booking_id -> Nullable<Uuid>,
        encrypted -> Bool,
        metadata_sealed -> Nullable<Bytea>,
        last_seq -> Int8,
        last_message_at -> Nullable<Timestamptz>,
        active_at -> Timestamptz,
        ends_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}
