DROP FUNCTION outbox_append(uuid, text, text, smallint, bytea, text);
