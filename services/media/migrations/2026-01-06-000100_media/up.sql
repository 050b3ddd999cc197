-- Files, who may read them, and where their bytes are. Personal text is sealed by the
-- application (…_sealed).

-- What a person uses and may use. Its row is what everything that changes a person's
-- files waits for, so that the figures are exact.
CREATE TABLE quotas (
    owner_id uuid PRIMARY KEY,
    used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    -- By the plan, as billing told; NULL is as configured.
    allowed bigint CHECK (allowed >= 0),
    plan text
) WITH (fillfactor = 80);

-- Bytes in the store, once for each content. Nothing here says whose they are.
CREATE TABLE blobs (
    -- Names the object.
    id uuid PRIMARY KEY,
    -- A keyed index of the content.
    fingerprint bytea NOT NULL UNIQUE,
    size bigint NOT NULL CHECK (size > 0),
    -- The object's own key.
    key_sealed bytea NOT NULL,
    -- Files and renditions that have it.
    refs bigint NOT NULL CHECK (refs >= 0),
    created_at timestamptz NOT NULL
);
CREATE INDEX blobs_unused ON blobs (id) WHERE refs = 0;

-- What a person has in the store: a content counts once, however many files have it.
CREATE TABLE holdings (
    owner_id uuid NOT NULL,
    blob_id uuid NOT NULL REFERENCES blobs,
    size bigint NOT NULL,
    files bigint NOT NULL CHECK (files > 0),
    PRIMARY KEY (owner_id, blob_id)
);
CREATE INDEX holdings_blob ON holdings (blob_id);

CREATE TABLE files (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    blob_id uuid NOT NULL REFERENCES blobs,
    name text NOT NULL,
    mime_type text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('image', 'audio', 'video', 'document')),
    size bigint NOT NULL,
    -- Why it was uploaded.
    purpose text NOT NULL CHECK (purpose IN ('file', 'avatar', 'session', 'voice_note', 'derived')),
    folder text NOT NULL,
    description_sealed bytea,
    -- SHA-256 of the content.
    checksum_sealed bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'ready', 'quarantined')),
    -- Where it was uploaded for, or first sent.
    session_id uuid,
    -- coffee_cup, palm or dream_journal.
    session_kind text,
    width int,
    height int,
    duration_ms bigint,
    codec text,
    channels int,
    -- A hundred points.
    waveform bytea,
    -- Of a derived file: what it was made of, and how.
    source_id uuid,
    recipe text,
    -- While a scan is due: when it is next taken up, and how often it was.
    due_at timestamptz,
    attempts int NOT NULL DEFAULT 0,
    -- Out of quarantine by somebody's decision: scanners have no say any more.
    released boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Its owner can bring it back until it is purged.
    deleted_at timestamptz,
    CHECK ((source_id IS NULL) = (recipe IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX files_owner ON files (owner_id, created_at DESC, id DESC);
CREATE INDEX files_blob ON files (blob_id);
-- New files before those that are scanned again.
CREATE INDEX files_due ON files ((status <> 'pending'), due_at) WHERE due_at IS NOT NULL;
CREATE INDEX files_deleted ON files (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX files_quarantined ON files (created_at DESC, id DESC) WHERE status = 'quarantined';
-- The same request twice is the same file.
CREATE UNIQUE INDEX files_derived ON files (source_id, recipe) WHERE source_id IS NOT NULL AND deleted_at IS NULL;

-- What others see of a picture: encoded anew, without metadata, in several sizes.
CREATE TABLE renditions (
    -- Links to it carry this.
    id uuid PRIMARY KEY,
    file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
    -- "view" is the whole picture; others are thumbnails, such as "small.webp".
    name text NOT NULL,
    blob_id uuid NOT NULL REFERENCES blobs,
    mime_type text NOT NULL,
    size bigint NOT NULL,
    width int NOT NULL,
    height int NOT NULL,
    UNIQUE (file_id, name)
);
CREATE INDEX renditions_blob ON renditions (blob_id);

-- With whom a file is shared: people, or whoever has the link.
CREATE TABLE shares (
    id uuid PRIMARY KEY,
    file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
    owner_id uuid NOT NULL,
    account_ids uuid[] NOT NULL,
    -- The order whose delivery shared it.
    order_id uuid,
    -- SHA-256 of the link's token.
    token_hash bytea UNIQUE,
    expires_at timestamptz,
    uses_left int CHECK (uses_left >= 0),
    created_at timestamptz NOT NULL,
    UNIQUE (file_id, order_id)
);
CREATE INDEX shares_file ON shares (file_id);
CREATE INDEX shares_people ON shares USING gin (account_ids);
CREATE INDEX shares_expired ON shares (expires_at) WHERE expires_at IS NOT NULL;

-- Chat's conversations, and who may read them.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('active', 'locked', 'ended'))
);
CREATE TABLE session_members (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    account_id uuid NOT NULL,
    PRIMARY KEY (session_id, account_id)
);
CREATE INDEX session_members_account ON session_members (account_id);

-- Files that were sent in a conversation. A message can be heard of before its file.
CREATE TABLE session_files (
    session_id uuid NOT NULL,
    file_id uuid NOT NULL,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, file_id)
);
CREATE INDEX session_files_file ON session_files (file_id);

-- Files of the results of orders, which monitors and admins may read.
CREATE TABLE result_files (
    file_id uuid NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (file_id, order_id)
);

-- Resumable uploads that are not complete. The file will have the upload's id.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    length bigint NOT NULL CHECK (length > 0),
    received bigint NOT NULL CHECK (received BETWEEN 0 AND length),
    parts int NOT NULL DEFAULT 0,
    -- As its sender wrote it: name, folder, description.
    metadata_sealed bytea,
    -- Whoever appends at present, and for how long they have it to themselves.
    lock_id uuid,
    locked_until timestamptz,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX uploads_owner ON uploads (owner_id);
CREATE INDEX uploads_expired ON uploads (expires_at);
CREATE TABLE upload_parts (
    upload_id uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    -- Where in the upload it begins.
    start bigint NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    -- Names the object.
    object_id uuid NOT NULL UNIQUE,
    key_sealed bytea NOT NULL,
    PRIMARY KEY (upload_id, start)
);

-- What scanners said of files.
CREATE TABLE scan_results (
    id uuid PRIMARY KEY,
    file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
    -- rules, clamd, decoder, or staff for a release.
    scanner text NOT NULL CHECK (scanner IN ('rules', 'clamd', 'decoder', 'staff')),
    verdict text NOT NULL CHECK (verdict IN ('clean', 'infected', 'too_large', 'failed', 'released')),
    -- What was found, by its names.
    signatures text[] NOT NULL,
    scanned_at timestamptz NOT NULL
);
CREATE INDEX scan_results_file ON scan_results (file_id, id DESC);

-- Scans of many files.
CREATE TABLE scan_jobs (
    id uuid PRIMARY KEY,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
-- Their files. An outcome is ready, quarantined, or gone for one that was removed meanwhile.
CREATE TABLE scan_job_files (
    job_id uuid NOT NULL REFERENCES scan_jobs ON DELETE CASCADE,
    file_id uuid NOT NULL,
    outcome text CHECK (outcome IN ('ready', 'quarantined', 'gone')),
    done_at timestamptz,
    PRIMARY KEY (job_id, file_id)
);
CREATE INDEX scan_job_files_open ON scan_job_files (file_id) WHERE outcome IS NULL;

-- Scanners outside of this process, and since when they are as they are.
CREATE TABLE scanners (
    name text PRIMARY KEY,
    reachable boolean NOT NULL,
    since timestamptz NOT NULL
);

-- Owners see their rows, and others what is shared with them; the service itself all.
-- The owner of the tables too is bound (FORCE).
DO $$
DECLARE
    t text;
    own text;
    me text := 'nullif(current_setting(''parlour.user'', true), '''')::uuid';
BEGIN
    FOREACH t IN ARRAY ARRAY['quotas', 'holdings', 'files', 'renditions', 'shares', 'session_members',
        'session_files', 'uploads', 'upload_parts', 'scan_results']
    LOOP
        own := CASE t
            WHEN 'files' THEN format('owner_id = %1$s
                OR EXISTS (SELECT FROM shares s WHERE s.file_id = files.id AND %1$s = ANY (s.account_ids))
                OR EXISTS (SELECT FROM session_files s WHERE s.file_id = files.id)', me)
            -- The policy of files decides.
            WHEN 'renditions' THEN 'EXISTS (SELECT FROM files f WHERE f.id = file_id)'
            WHEN 'scan_results' THEN 'EXISTS (SELECT FROM files f WHERE f.id = file_id)'
            WHEN 'shares' THEN format('owner_id = %s OR %s = ANY (account_ids)', me, me)
            WHEN 'session_members' THEN format('account_id = %s', me)
            -- The policy of session_members decides.
            WHEN 'session_files' THEN
                'EXISTS (SELECT FROM session_members m WHERE m.session_id = session_files.session_id)'
            -- The policy of uploads decides.
            WHEN 'upload_parts' THEN 'EXISTS (SELECT FROM uploads u WHERE u.id = upload_id)'
            ELSE format('owner_id = %s', me)
        END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (current_setting(''parlour.service'', true) = ''on'' OR %s)', t, own);
    END LOOP;
END $$;
