-- What everybody may show of a person, as identity tells it. No row-level security:
-- nothing here is for one pair of eyes only, and who reads a message has to see
-- the name of whoever wrote it.
CREATE TABLE people (
    id uuid PRIMARY KEY,
    username text,
    display_name text NOT NULL,
    first_name text,
    last_name text,
    avatar_url text,
    roles text[] NOT NULL,
    country text,
    locale text NOT NULL,
    time_zone text,
    specialities text[] NOT NULL,
    status text NOT NULL,
    -- Of the event that said so, among the events of the account.
    version bigint NOT NULL
) WITH (fillfactor = 90);
