//! The tables, as `diesel print-schema` writes them; a test compares them with the database.
#![expect(missing_docs, reason = "generated")]

diesel::table! {
    accounts (id) {
        id -> Uuid,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        email_sealed -> Nullable<Bytea>,
        email_index -> Nullable<Bytea>,
        email_verified -> Bool,
        phone_sealed -> Nullable<Bytea>,
        phone_index -> Nullable<Bytea>,
        phone_verified -> Bool,
        password_hash -> Nullable<Text>,
        status -> Text,
        roles -> Array<Text>,
        requested_role -> Nullable<Text>,
        level -> Nullable<Text>,
        country_scope -> Nullable<Text>,
        permissions -> Array<Text>,
        two_factor_sealed -> Nullable<Bytea>,
        two_factor_enabled -> Bool,
        two_factor_step -> Int8,
        not_before -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    profiles (account_id) {
        account_id -> Uuid,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        display_name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        bio -> Nullable<Text>,
        country -> Nullable<Text>,
        birth_sealed -> Nullable<Bytea>,
        zodiac -> Nullable<Text>,
        locale -> Text,
        time_zone -> Nullable<Text>,
        languages -> Array<Text>,
        specialities -> Array<Text>,
        total_appointments -> Int8,
        completed_appointments -> Int8,
        goals_set -> Int8,
        goals_completed -> Int8,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        account_id -> Uuid,
        cookie_hash -> Nullable<Bytea>,
        device -> Text,
        address_sealed -> Bytea,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        ended_reason -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Bytea,
        session_id -> Uuid,
        account_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        successor_sealed -> Nullable<Bytea>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Uuid,
        account_id -> Uuid,
        name -> Text,
        prefix -> Text,
        hash -> Bytea,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    single_use_tokens (hash) {
        hash -> Bytea,
        account_id -> Uuid,
        purpose -> Text,
        attempts -> Int4,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    recovery_codes (account_id, hash) {
        account_id -> Uuid,
        hash -> Bytea,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    outside_identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        account_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    phone_verifications (account_id) {
        account_id -> Uuid,
        phone_sealed -> Bytea,
        code_hash -> Nullable<Bytea>,
        attempts -> Int4,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_failures (account_id, address_index) {
        account_id -> Uuid,
        address_index -> Bytea,
        failures -> Int4,
        first_at -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        private_sealed -> Bytea,
        public_key -> Bytea,
        created_at -> Timestamptz,
        active_from -> Timestamptz,
        verifies_until -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(profiles -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, profiles);
