DROP FUNCTION inbox_enter(uuid, text, text, text, bigint, boolean);
DROP FUNCTION inbox_record(uuid, text, text, text, bigint);
DROP FUNCTION inbox_lock(text, text);
DROP TABLE event_bindings;
DROP TABLE parked;
DROP TABLE inbox_versions;
DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE aggregate_versions;
