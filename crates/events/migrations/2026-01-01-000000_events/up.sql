-- What every service needs to publish and to consume events. No table here is
-- schema-qualified: the search path decides whose tables these are.

-- Counts the events of each aggregate. Its row lock, held until the commit, makes
-- the order of commits the order of versions.
CREATE TABLE aggregate_versions (
    aggregate text PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    type text NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 255),
    aggregate text NOT NULL,
    version bigint NOT NULL,
    lane smallint NOT NULL,
    payload bytea NOT NULL,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE INDEX outbox_unpublished ON outbox (lane, seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- One row for every event that has taken effect here.
CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    type text NOT NULL,
    source text NOT NULL,
    aggregate text NOT NULL,
    version bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_received ON inbox (received_at);

-- The last version seen. Versions are counted by the publisher, so its name belongs to the key.
CREATE TABLE inbox_versions (
    source text NOT NULL,
    aggregate text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (source, aggregate)
) WITH (fillfactor = 80);

-- Events that failed, and those of the same aggregate that wait behind them.
CREATE TABLE parked (
    event_id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    state text NOT NULL CHECK (state IN ('retrying', 'parked', 'waiting')),
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error text NOT NULL DEFAULT '',
    type text NOT NULL,
    source text NOT NULL,
    aggregate text NOT NULL,
    version bigint NOT NULL,
    time timestamptz NOT NULL,
    payload bytea NOT NULL,
    traceparent text,
    first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX parked_aggregate ON parked (source, aggregate, version, seq);
CREATE INDEX parked_due ON parked (not_before) WHERE state = 'retrying';

-- What this service's queue is bound to: the broker does not say, and a binding
-- that nobody handles any more has to be taken away.
CREATE TABLE event_bindings (
    pattern text PRIMARY KEY
);

-- Decides, under the lock of the aggregate, what is to be done with an event:
-- 'new' (and, if asked, it is recorded as seen), 'duplicate', 'stale' or 'behind'.
-- It is a function because each of its statements has to see what was committed
-- while the one before waited, and all of them should cost one round trip.
CREATE FUNCTION inbox_enter(
    p_event uuid, p_type text, p_source text, p_aggregate text, p_version bigint, p_record boolean
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    last_seen bigint;
BEGIN
    PERFORM inbox_lock(p_source, p_aggregate);
    IF EXISTS (SELECT FROM inbox WHERE event_id = p_event)
       OR EXISTS (SELECT FROM parked WHERE event_id = p_event) THEN
        RETURN 'duplicate';
    END IF;
    SELECT version INTO last_seen FROM inbox_versions
        WHERE source = p_source AND aggregate = p_aggregate;
    IF p_version <= last_seen THEN
        RETURN 'stale';
    END IF;
    IF EXISTS (SELECT FROM parked WHERE source = p_source AND aggregate = p_aggregate) THEN
        RETURN 'behind';
    END IF;
    IF p_record THEN
        PERFORM inbox_record(p_event, p_type, p_source, p_aggregate, p_version);
    END IF;
    RETURN 'new';
END $$;

-- One transaction at a time works on an aggregate of this service.
CREATE FUNCTION inbox_lock(p_source text, p_aggregate text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(
        hashtextextended(current_schema() || '/' || p_source || '/' || p_aggregate, 1));
$$;

-- Records an event as having taken effect.
CREATE FUNCTION inbox_record(
    p_event uuid, p_type text, p_source text, p_aggregate text, p_version bigint
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO inbox (event_id, type, source, aggregate, version)
        VALUES (p_event, p_type, p_source, p_aggregate, p_version)
        ON CONFLICT (event_id) DO NOTHING;
    INSERT INTO inbox_versions AS v (source, aggregate, version)
        VALUES (p_source, p_aggregate, p_version)
        ON CONFLICT (source, aggregate) DO UPDATE SET version = greatest(v.version, excluded.version);
$$;
