-- What people set out to do.
CREATE TABLE goals (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    title text NOT NULL,
    weight smallint,
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX goals_account ON goals (account_id, created_at DESC);

ALTER TABLE goals ENABLE ROW LEVEL SECURITY;
ALTER TABLE goals FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON goals USING (
    account_id = nullif(current_setting('parlour.user', true), '')::uuid
    OR current_setting('parlour.service', true) = 'on');
