CREATE OR REPLACE FUNCTION inbox_enter(
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

CREATE OR REPLACE FUNCTION inbox_lock(p_source text, p_aggregate text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(
        hashtextextended(current_schema() || '/' || p_source || '/' || p_aggregate, 1));
$$;

CREATE OR REPLACE FUNCTION inbox_record(
    p_event uuid, p_type text, p_source text, p_aggregate text, p_version bigint
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO inbox (event_id, type, source, aggregate, version)
        VALUES (p_event, p_type, p_source, p_aggregate, p_version)
        ON CONFLICT (event_id) DO NOTHING;
    INSERT INTO inbox_versions AS v (source, aggregate, version)
        VALUES (p_source, p_aggregate, p_version)
        ON CONFLICT (source, aggregate) DO UPDATE SET version = greatest(v.version, excluded.version);
$$;
