//! The tables, as `diesel print-schema` writes them; a test compares them with the database.
#![expect(missing_docs, reason = "generated")]

diesel::table! {
    blobs (id) {
        id -> Uuid,
        fingerprint -> Bytea,
        size -> BigInt,
        key_sealed -> Bytea,
        refs -> BigInt,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    files (id) {
        id -> Uuid,
        owner_id -> Uuid,
        blob_id -> Uuid,
        name -> Text,
        mime_type -> Text,
        kind -> Text,
        size -> BigInt,
        purpose -> Text,
        folder -> Text,
        description_sealed -> Nullable<Bytea>,
        checksum_sealed -> Bytea,
        status -> Text,
        session_id -> Nullable<Uuid>,
        session_kind -> Nullable<Text>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        duration_ms -> Nullable<BigInt>,
        codec -> Nullable<Text>,
        channels -> Nullable<Integer>,
        waveform -> Nullable<Bytea>,
        source_id -> Nullable<Uuid>,
        recipe -> Nullable<Text>,
        due_at -> Nullable<Timestamptz>,
        attempts -> Integer,
        released -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    holdings (owner_id, blob_id) {
        owner_id -> Uuid,
        blob_id -> Uuid,
        size -> BigInt,
        files -> BigInt,
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
    quotas (owner_id) {
        owner_id -> Uuid,
        used -> BigInt,
        allowed -> Nullable<BigInt>,
        plan -> Nullable<Text>,
    }
}

diesel::table! {
    renditions (id) {
        id -> Uuid,
        file_id -> Uuid,
        name -> Text,
        blob_id -> Uuid,
        mime_type -> Text,
        size -> BigInt,
        width -> Integer,
        height -> Integer,
    }
}

diesel::table! {
    result_files (file_id, order_id) {
        file_id -> Uuid,
        order_id -> Uuid,
    }
}

diesel::table! {
    scan_job_files (job_id, file_id) {
        job_id -> Uuid,
        file_id -> Uuid,
        outcome -> Nullable<Text>,
        done_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    scan_jobs (id) {
        id -> Uuid,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    scan_results (id) {
        id -> Uuid,
        file_id -> Uuid,
        scanner -> Text,
        verdict -> Text,
        signatures -> Array<Text>,
        scanned_at -> Timestamptz,
    }
}

diesel::table! {
    scanners (name) {
        name -> Text,
        reachable -> Bool,
        since -> Timestamptz,
    }
}

diesel::table! {
    session_files (session_id, file_id) {
        session_id -> Uuid,
        file_id -> Uuid,
        sent_at -> Timestamptz,
    }
}

diesel::table! {
    session_members (session_id, account_id) {
        session_id -> Uuid,
        account_id -> Uuid,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        status -> Text,
    }
}

diesel::table! {
    shares (id) {
        id -> Uuid,
        file_id -> Uuid,
        owner_id -> Uuid,
        account_ids -> Array<Uuid>,
        order_id -> Nullable<Uuid>,
        token_hash -> Nullable<Bytea>,
        expires_at -> Nullable<Timestamptz>,
        uses_left -> Nullable<Integer>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    upload_parts (upload_id, start) {
        upload_id -> Uuid,
        start -> BigInt,
        size -> BigInt,
        object_id -> Uuid,
        key_sealed -> Bytea,
    }
}

diesel::table! {
    uploads (id) {
        id -> Uuid,
        owner_id -> Uuid,
        length -> BigInt,
        received -> BigInt,
        parts -> Integer,
        metadata_sealed -> Nullable<Bytea>,
        lock_id -> Nullable<Uuid>,
        locked_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}
