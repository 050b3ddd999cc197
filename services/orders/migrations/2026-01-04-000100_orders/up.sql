-- What is offered, what was ordered, who does it, and when people meet. Personal
-- text is sealed by the application (…_sealed).

-- Equality of ids within a GiST index, for the constraint against double booking.
-- Whoever creates an extension needs CREATE on the database: the migrating role has
-- it, the owner of this schema has not. It stays when this is taken back, because
-- it belongs to the database.
SET LOCAL ROLE NONE;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
SET LOCAL ROLE parlour_orders_owner;

CREATE TABLE services (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    -- Minor units of the currency.
    price bigint NOT NULL CHECK (price >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    duration_minutes int NOT NULL CHECK (duration_minutes >= 0),
    delivery_mode text NOT NULL CHECK (delivery_mode IN ('written', 'audio', 'live')),
    requires_payment boolean NOT NULL,
    active boolean NOT NULL,
    -- How long an order may wait for each; NULL is as configured.
    assignment_minutes int CHECK (assignment_minutes > 0),
    result_minutes int CHECK (result_minutes > 0),
    review_minutes int CHECK (review_minutes > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX services_created ON services (created_at DESC, id DESC);

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    -- Shown as R-000042.
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    service_id uuid NOT NULL REFERENCES services,
    client_id uuid NOT NULL,
    reader_id uuid,
    preferred_reader_id uuid,
    status text NOT NULL CHECK (status IN ('pending', 'assigned', 'submitted', 'delivered', 'cancelled')),
    payment_status text NOT NULL CHECK (payment_status IN ('unpaid', 'authorised', 'paid', 'refunded')),
    -- The payment that the payment status tells of, and what it still holds or took.
    payment_id uuid,
    paid bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    -- Copied from the service when it was ordered.
    price bigint NOT NULL CHECK (price >= 0),
    currency text NOT NULL,
    requires_payment boolean NOT NULL,
    -- Notes and details as JSON.
    notes_sealed bytea,
    -- Results handed in so far.
    revision int NOT NULL DEFAULT 0,
    -- When it came into its status, and when it will have waited there for too long;
    -- NULL when nobody waits or it was told already.
    waits_since timestamptz NOT NULL,
    due_at timestamptz,
    rating smallint CHECK (rating BETWEEN 1 AND 5),
    comment_sealed bytea,
    rated_at timestamptz,
    -- Counts the changes.
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (reader_id IS NOT NULL OR status IN ('pending', 'cancelled'))
) WITH (fillfactor = 80);
CREATE INDEX orders_created ON orders (created_at DESC, id DESC);
CREATE INDEX orders_client ON orders (client_id, created_at DESC, id DESC);
CREATE INDEX orders_reader ON orders (reader_id, created_at DESC, id DESC);
CREATE INDEX orders_open ON orders (reader_id) WHERE status IN ('assigned', 'submitted');
CREATE INDEX orders_pending ON orders (waits_since) WHERE status = 'pending';
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;

-- The last result of an order; an earlier one was rejected and is of no use to anybody.
CREATE TABLE results (
    order_id uuid PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    revision int NOT NULL,
    text_sealed bytea NOT NULL,
    media_ids uuid[] NOT NULL,
    submitted_at timestamptz NOT NULL
);

CREATE TABLE order_history (
    order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    -- The order's version that the entry made.
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    -- NULL for the platform itself.
    actor_id uuid,
    action text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    reason_sealed bytea,
    PRIMARY KEY (order_id, version)
);

-- What is known of readers besides their profile. Nothing in it is a secret.
CREATE TABLE readers (
    id uuid PRIMARY KEY,
    last_assigned_at timestamptz,
    ratings bigint NOT NULL DEFAULT 0,
    rating_sum bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

-- People whom moderation has blocked.
CREATE TABLE blocked_people (
    id uuid PRIMARY KEY
);

-- Media's verdicts about files.
CREATE TABLE files (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    clean boolean NOT NULL,
    deleted boolean NOT NULL
);
CREATE INDEX files_owner ON files (owner_id);

-- When a counsellor can be booked. Everybody who is signed in may ask.
CREATE TABLE availability (
    reader_id uuid PRIMARY KEY,
    time_zone text NOT NULL,
    weekly jsonb NOT NULL,
    exceptions jsonb NOT NULL,
    horizon_days int NOT NULL CHECK (horizon_days > 0),
    updated_at timestamptz NOT NULL
);

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL,
    counselor_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'confirmed', 'completed', 'cancelled', 'no_show')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    -- Title and description as JSON.
    subject_sealed bytea,
    reason_sealed bytea,
    -- The last reminder that was told or came too late, in minutes before the start.
    reminded int,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (ends_at > starts_at),
    -- Nobody is in two places at once. Whatever checked before, this decides.
    CONSTRAINT appointments_counselor_free EXCLUDE USING gist
        (counselor_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN ('pending', 'confirmed')),
    CONSTRAINT appointments_client_free EXCLUDE USING gist
        (client_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN ('pending', 'confirmed'))
);
CREATE INDEX appointments_client ON appointments (client_id, starts_at DESC, id DESC);
CREATE INDEX appointments_counselor ON appointments (counselor_id, starts_at DESC, id DESC);
CREATE INDEX appointments_open ON appointments (starts_at) WHERE status IN ('pending', 'confirmed');

-- Those who take part see a row; the service itself all. The owner too is bound (FORCE).
DO $$
DECLARE
    t text;
    own text;
    me text := 'nullif(current_setting(''parlour.user'', true), '''')::uuid';
BEGIN
    FOREACH t IN ARRAY ARRAY['orders', 'results', 'order_history', 'files', 'appointments']
    LOOP
        own := CASE t
            WHEN 'orders' THEN format('client_id = %s OR reader_id = %s', me, me)
            WHEN 'files' THEN format('owner_id = %s', me)
            WHEN 'appointments' THEN format('client_id = %s OR counselor_id = %s', me, me)
            -- The policy of orders decides.
            ELSE 'EXISTS (SELECT FROM orders o WHERE o.id = order_id)'
        END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (current_setting(''parlour.service'', true) = ''on'' OR %s)', t, own);
    END LOOP;
END $$;
