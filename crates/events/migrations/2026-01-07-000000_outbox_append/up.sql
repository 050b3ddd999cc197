-- Writes an event to the outbox from within a service's own function, as publishing it
-- would: under the lock of its aggregate, with the next version.
CREATE FUNCTION outbox_append(
    p_event uuid, p_type text, p_aggregate text, p_lane smallint, p_payload bytea, p_traceparent text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next_version bigint;
BEGIN
    INSERT INTO aggregate_versions AS a (aggregate, version) VALUES (p_aggregate, 1)
        ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1
        RETURNING a.version INTO next_version;
    INSERT INTO outbox (aggregate, version, id, type, lane, payload, traceparent)
        VALUES (p_aggregate, next_version, p_event, p_type, p_lane, p_payload, p_traceparent);
END $$;
