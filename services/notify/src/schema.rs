//! The tables, as `diesel print-schema` writes them; a test compares them with the database.
#![expect(missing_docs, reason = "generated")]

diesel::table! {
    contacts (account_id) {
        account_id -> Uuid,
        email_sealed -> Nullable<Bytea>,
        phone_sealed -> Nullable<Bytea>,
        email_verified -> Bool,
        phone_verified -> Bool,
        email_dead -> Bool,
        phone_dead -> Bool,
        version -> Int8,
    }
}

diesel::table! {
    contents (id) {
        id -> Uuid,
        sealed -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    counters (account_id, kind, priority) {
        account_id -> Uuid,
        kind -> Text,
        priority -> Text,
        total -> Int8,
        unread -> Int8,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Uuid,
        notification_id -> Nullable<Uuid>,
        account_id -> Uuid,
        kind -> Text,
        priority -> Text,
        channel -> Text,
        target -> Uuid,
        round -> Int4,
        status -> Text,
        chosen -> Text,
        reason -> Nullable<Text>,
        attempts -> Int4,
        not_before -> Timestamptz,
        digest_id -> Nullable<Uuid>,
        provider -> Nullable<Text>,
        provider_id -> Nullable<Text>,
        error -> Nullable<Text>,
        mail_sealed -> Nullable<Bytea>,
        queued_at -> Timestamptz,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        sent_at -> Nullable<Timestamptz>,
        delivered_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        status -> Text,
        request_sealed -> Bytea,
        audience -> Jsonb,
        sender -> Uuid,
        total -> Int8,
        done -> Int8,
        failed -> Int8,
        reached -> Uuid,
        attempts -> Int4,
        leased_until -> Timestamptz,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    notifications (id) {
        id -> Uuid,
        account_id -> Uuid,
        kind -> Text,
        priority -> Text,
        source -> Uuid,
        content_sealed -> Nullable<Bytea>,
        content_id -> Nullable<Uuid>,
        skipped -> Jsonb,
        sender -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        read_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        expired -> Bool,
        repeat_at -> Nullable<Timestamptz>,
        round -> Int4,
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
    role_defaults (role, kind, channel) {
        role -> Text,
        kind -> Text,
        channel -> Text,
        enabled -> Bool,
    }
}

diesel::table! {
    room_seats (account_id, room) {
        room -> Text,
        account_id -> Uuid,
        joined_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    routes (event, audience, kind) {
        event -> Text,
        audience -> Text,
        kind -> Text,
        priority -> Text,
        required -> Bool,
    }
}

diesel::table! {
    settings (account_id) {
        account_id -> Uuid,
        wishes -> Jsonb,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Uuid,
        account_id -> Uuid,
        kind -> Text,
        address_sealed -> Bytea,
        address_index -> Bytea,
        device -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    template_versions (template_id, version) {
        template_id -> Uuid,
        version -> Int4,
        subject -> Text,
        body -> Text,
        html -> Nullable<Text>,
        author -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    templates (id) {
        id -> Uuid,
        kind -> Text,
        channel -> Text,
        locale -> Text,
        version -> Int4,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    contents,
    deliveries,
    notifications,
    people,
    settings,
    template_versions,
    templates,
);
