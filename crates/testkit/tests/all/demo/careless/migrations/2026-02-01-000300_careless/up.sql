CREATE TABLE secrets (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    text text
);
CREATE TABLE forgotten (id bigint PRIMARY KEY);
-- Not forced: the owner sees everything.
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (account_id = nullif(current_setting('parlour.user', true), '')::uuid);
GRANT TRUNCATE ON secrets TO parlour_careless;
GRANT USAGE ON SCHEMA careless TO PUBLIC;
CREATE FUNCTION everything() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM secrets';
