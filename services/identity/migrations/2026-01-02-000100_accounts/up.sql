-- Who people are. Personal fields are sealed by the application (…_sealed) and
-- looked up by keyed indexes (…_index).

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    username text,
    -- Lower case, compatibility forms and confusable letters folded.
    username_key text UNIQUE,
    email_sealed bytea,
    email_index bytea UNIQUE,
    email_verified boolean NOT NULL DEFAULT false,
    phone_sealed bytea,
    phone_index bytea,
    phone_verified boolean NOT NULL DEFAULT false,
    password_hash text,
    status text NOT NULL CHECK (status IN ('active', 'blocked', 'deleted')),
    roles text[] NOT NULL,
    -- Asked for at registration, waiting for an admin.
    requested_role text,
    level text,
    country_scope text,
    permissions text[] NOT NULL DEFAULT '{}',
    two_factor_sealed bytea,
    two_factor_enabled boolean NOT NULL DEFAULT false,
    -- The time step of the last code, which must not be used again.
    two_factor_step bigint NOT NULL DEFAULT 0,
    -- Tokens issued before this do not count.
    not_before timestamptz NOT NULL DEFAULT 'epoch',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX accounts_created_at ON accounts (created_at DESC, id DESC);
CREATE INDEX accounts_roles ON accounts USING gin (roles);

CREATE TABLE profiles (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    first_name text,
    last_name text,
    display_name text,
    avatar_url text,
    bio text,
    country text,
    -- Date, time and place of birth as JSON.
    birth_sealed bytea,
    zodiac text,
    locale text NOT NULL DEFAULT 'en',
    time_zone text,
    languages text[] NOT NULL DEFAULT '{}',
    specialities text[] NOT NULL DEFAULT '{}',
    total_appointments bigint NOT NULL DEFAULT 0,
    completed_appointments bigint NOT NULL DEFAULT 0,
    goals_set bigint NOT NULL DEFAULT 0,
    goals_completed bigint NOT NULL DEFAULT 0
);
CREATE INDEX profiles_country ON profiles (country);

-- A sign-in. Its refresh tokens are one family.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- Set for a browser's cookie session.
    cookie_hash bytea UNIQUE,
    device text NOT NULL,
    address_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_reason text
);
CREATE INDEX sessions_account ON sessions (account_id, created_at DESC);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    -- The token that took its place, for a client that lost the answer.
    successor_sealed bytea
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);

CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_tokens_account ON api_tokens (account_id);

-- Mailed links, invitations and second-factor challenges.
CREATE TABLE single_use_tokens (
    hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'two_factor')),
    attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX single_use_tokens_account ON single_use_tokens (account_id, purpose);
CREATE INDEX single_use_tokens_expires ON single_use_tokens (expires_at);

CREATE TABLE recovery_codes (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE outside_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX outside_identities_account ON outside_identities (account_id);

CREATE TABLE phone_verifications (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    phone_sealed bytea NOT NULL,
    -- The embedded verifier keeps the code's hash here; Twilio keeps it itself.
    code_hash bytea,
    attempts int NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
);

-- Failed sign-ins, by account and address; a row without an address counts all of them.
CREATE TABLE sign_in_failures (
    account_id uuid NOT NULL,
    address_index bytea NOT NULL,
    failures int NOT NULL,
    first_at timestamptz NOT NULL,
    locked_until timestamptz,
    PRIMARY KEY (account_id, address_index)
);
CREATE INDEX sign_in_failures_first_at ON sign_in_failures (first_at);

CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    private_sealed bytea NOT NULL,
    public_key bytea NOT NULL,
    -- Known to everybody from created_at on, signs from active_from on.
    created_at timestamptz NOT NULL DEFAULT now(),
    active_from timestamptz NOT NULL,
    -- Its last token is dead by then.
    verifies_until timestamptz
);

-- A person sees what is theirs; the service itself everything. The owner too is bound (FORCE).
DO $$
DECLARE
    t text;
    key text;
BEGIN
    FOREACH t IN ARRAY ARRAY['accounts', 'profiles', 'sessions', 'refresh_tokens', 'api_tokens',
        'single_use_tokens', 'recovery_codes', 'outside_identities', 'phone_verifications']
    LOOP
        key := CASE t WHEN 'accounts' THEN 'id' ELSE 'account_id' END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (%I = nullif(current_setting(''parlour.user'', true), '''')::uuid
               OR current_setting(''parlour.service'', true) = ''on'')', t, key);
    END LOOP;
END $$;
