-- Who hears of what. What a notification says is sealed by the application
-- (…_sealed); its type and priority are not, so that lists can be filtered.

-- What many people are told in the same words, once for each language.
CREATE TABLE contents (
    id uuid PRIMARY KEY,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX contents_created_at ON contents (created_at);

CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    -- What caused it: an event, a job, a sender's key. Tells it twice, and one row is made.
    source uuid NOT NULL,
    content_sealed bytea,
    content_id uuid REFERENCES contents,
    -- Why a channel was left out from the start, by the channel's name.
    skipped jsonb NOT NULL,
    sender uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    read_at timestamptz,
    deleted_at timestamptz,
    expired boolean NOT NULL DEFAULT false,
    -- An emergency that nobody has acknowledged is told again then.
    repeat_at timestamptz,
    round integer NOT NULL DEFAULT 0,
    CHECK ((content_sealed IS NULL) <> (content_id IS NULL))
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX notifications_source ON notifications (account_id, source, kind);
CREATE INDEX notifications_account ON notifications (account_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND NOT expired;
CREATE INDEX notifications_unread ON notifications (account_id, created_at DESC, id DESC)
    WHERE read_at IS NULL AND deleted_at IS NULL AND NOT expired;
CREATE INDEX notifications_kind ON notifications (account_id, kind, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND NOT expired;
CREATE INDEX notifications_expiring ON notifications (expires_at)
    WHERE expires_at IS NOT NULL AND deleted_at IS NULL AND NOT expired;
CREATE INDEX notifications_own_expiring ON notifications (account_id, expires_at)
    WHERE expires_at IS NOT NULL AND deleted_at IS NULL AND NOT expired;
CREATE INDEX notifications_repeating ON notifications (repeat_at) WHERE repeat_at IS NOT NULL;
CREATE INDEX notifications_created_at ON notifications (created_at);
CREATE INDEX notifications_content ON notifications (content_id) WHERE content_id IS NOT NULL;

-- How many notifications a person has and how many are unread, so that nobody has to
-- count them. Kept by the triggers below, in the transaction of the change.
CREATE TABLE counters (
    account_id uuid NOT NULL,
    kind text NOT NULL,
    priority text NOT NULL,
    total bigint NOT NULL,
    unread bigint NOT NULL,
    PRIMARY KEY (account_id, kind, priority)
) WITH (fillfactor = 70);

-- Rows are locked in the order of the key, so that two transactions cannot block each other.
CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counters AS c (account_id, kind, priority, total, unread)
    SELECT account_id, kind, priority, count(*), count(*) FILTER (WHERE read_at IS NULL)
    FROM made WHERE deleted_at IS NULL AND NOT expired
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (account_id, kind, priority)
        DO UPDATE SET total = c.total + excluded.total, unread = c.unread + excluded.unread;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counters AS c (account_id, kind, priority, total, unread)
    SELECT account_id, kind, priority, sum(total), sum(unread) FROM (
        SELECT account_id, kind, priority,
               (deleted_at IS NULL AND NOT expired)::int AS total,
               (deleted_at IS NULL AND NOT expired AND read_at IS NULL)::int AS unread FROM after
        UNION ALL
        SELECT account_id, kind, priority,
               -(deleted_at IS NULL AND NOT expired)::int,
               -(deleted_at IS NULL AND NOT expired AND read_at IS NULL)::int FROM before
    ) AS change
    GROUP BY 1, 2, 3 HAVING sum(total) <> 0 OR sum(unread) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (account_id, kind, priority)
        DO UPDATE SET total = c.total + excluded.total, unread = c.unread + excluded.unread;
    RETURN NULL;
END $$;

CREATE FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE counters AS c SET total = c.total - gone.total, unread = c.unread - gone.unread
    FROM (
        SELECT account_id, kind, priority, count(*) AS total,
               count(*) FILTER (WHERE read_at IS NULL) AS unread
        FROM before WHERE deleted_at IS NULL AND NOT expired GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ) AS gone
    WHERE (c.account_id, c.kind, c.priority) = (gone.account_id, gone.kind, gone.priority);
    RETURN NULL;
END $$;

CREATE TRIGGER count_made AFTER INSERT ON notifications
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION count_made();
CREATE TRIGGER count_changed AFTER UPDATE ON notifications
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_changed();
CREATE TRIGGER count_gone AFTER DELETE ON notifications
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION count_gone();

-- One way of one notification to one address, or a requested mail, which has no notification.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    notification_id uuid REFERENCES notifications ON DELETE CASCADE,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    channel text NOT NULL CHECK (channel IN ('socket', 'email', 'sms', 'push')),
    -- The push subscription; nil for channels with one address.
    target uuid NOT NULL,
    -- How often an emergency had been told before.
    round integer NOT NULL,
    status text NOT NULL
        CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'skipped')),
    -- Why the channel was chosen; why it waits, was skipped or failed.
    chosen text NOT NULL,
    reason text,
    attempts integer NOT NULL,
    -- When it may be taken up; while it is being sent, when somebody else may.
    not_before timestamptz NOT NULL,
    -- The delivery that speaks for all of its digest; itself for the one that does.
    digest_id uuid,
    provider text,
    provider_id text,
    error text,
    -- Address and data of a requested mail, until it is sent.
    mail_sealed bytea,
    queued_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    CHECK (notification_id IS NOT NULL OR channel = 'email')
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX deliveries_way ON deliveries (notification_id, channel, target, round);
CREATE INDEX deliveries_due ON deliveries (channel, priority, not_before)
    WHERE status IN ('queued', 'sending') AND (digest_id IS NULL OR digest_id = id);
CREATE UNIQUE INDEX deliveries_open_digest ON deliveries (account_id, channel, target, kind)
    WHERE status = 'queued' AND digest_id = id AND attempts = 0;
CREATE INDEX deliveries_digest ON deliveries (digest_id) WHERE digest_id IS NOT NULL;
CREATE INDEX deliveries_failed ON deliveries (created_at DESC, id DESC) WHERE status = 'failed';
CREATE INDEX deliveries_sent ON deliveries (account_id, channel, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX deliveries_provider ON deliveries (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX deliveries_waiting ON deliveries (account_id) WHERE status IN ('queued', 'sending');
CREATE INDEX deliveries_created_at ON deliveries (created_at);

-- What a person wants: channels by type, quiet hours, language, digests.
CREATE TABLE settings (
    account_id uuid PRIMARY KEY,
    wishes jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Where a person can be reached, as identity told: sealed with the contacts key.
CREATE TABLE contacts (
    account_id uuid PRIMARY KEY,
    email_sealed bytea,
    phone_sealed bytea,
    email_verified boolean NOT NULL,
    phone_verified boolean NOT NULL,
    -- A provider said that the address is of no use; until identity tells another one.
    email_dead boolean NOT NULL DEFAULT false,
    phone_dead boolean NOT NULL DEFAULT false,
    version bigint NOT NULL
);

-- Browsers and devices that take push messages.
CREATE TABLE subscriptions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('web_push', 'fcm')),
    address_sealed bytea NOT NULL,
    -- Keyed fingerprint of the address: registered again, it is the same subscription.
    address_index bytea NOT NULL UNIQUE,
    device text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_account ON subscriptions (account_id, created_at);

-- Who listens to which room, over all replicas; a seat that is not renewed ends.
CREATE TABLE room_seats (
    room text NOT NULL,
    account_id uuid NOT NULL,
    joined_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, room)
);
CREATE INDEX room_seats_expires ON room_seats (expires_at);

-- A person sees what is theirs; the service itself everything. The owner too is bound (FORCE).
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['notifications', 'counters', 'deliveries', 'settings', 'contacts',
        'subscriptions', 'room_seats']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (account_id = nullif(current_setting(''parlour.user'', true), '''')::uuid
               OR current_setting(''parlour.service'', true) = ''on'')', t);
    END LOOP;
END $$;
