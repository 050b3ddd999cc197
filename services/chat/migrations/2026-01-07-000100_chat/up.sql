-- Conversations and what is said in them. What people wrote is sealed by the
-- application (…_sealed). Everything that belongs to a conversation has its id in
-- every unique constraint, so that it can be spread over machines by it.

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('booking', 'support', 'general', 'direct', 'group')),
    status text NOT NULL CHECK (status IN ('active', 'locked', 'ended')),
    -- The order that it belongs to.
    booking_id uuid,
    -- Whether only its participants can read what is said.
    encrypted boolean NOT NULL,
    metadata_sealed bytea,
    -- The number of its last message. The row's lock makes the order of commits the
    -- order of messages.
    last_seq bigint NOT NULL DEFAULT 0,
    last_message_at timestamptz,
    -- Of its last message, else of its beginning: what lists are sorted by.
    active_at timestamptz NOT NULL,
    -- When it ends by itself.
    ends_at timestamptz,
    created_at timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX sessions_ending ON sessions (ends_at) WHERE ends_at IS NOT NULL AND status <> 'ended';

CREATE TABLE participants (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    user_id uuid NOT NULL,
    -- What they are to it: "client", "reader", "staff" or "member".
    role text NOT NULL,
    last_read_seq bigint NOT NULL DEFAULT 0,
    -- Messages of their own behind the last one that they have read.
    own_unread int NOT NULL DEFAULT 0,
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (session_id, user_id)
) WITH (fillfactor = 60);
CREATE INDEX participants_user ON participants (user_id) WHERE left_at IS NULL;

CREATE TABLE messages (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    -- From 1, without holes.
    seq bigint NOT NULL,
    id uuid NOT NULL,
    sender_id uuid NOT NULL,
    -- The sender's own id for it.
    client_id text,
    kind text NOT NULL CHECK (kind IN ('text', 'voice', 'image', 'file', 'system', 'encrypted')),
    state text NOT NULL CHECK (state IN ('visible', 'rejected')),
    -- Content, metadata and the file's name as JSON; NULL once it was rejected or erased.
    sealed bytea,
    file_id uuid,
    file_size bigint,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, seq),
    UNIQUE (session_id, id),
    UNIQUE (session_id, sender_id, client_id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX messages_id ON messages (id);

-- What nobody but its sender and the monitors sees yet. It takes its number when it
-- becomes visible.
CREATE TABLE held_messages (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    id uuid NOT NULL,
    sender_id uuid NOT NULL,
    client_id text,
    kind text NOT NULL,
    sealed bytea NOT NULL,
    file_id uuid,
    file_size bigint,
    -- Whether a person has to look at it first.
    review boolean NOT NULL,
    -- Whether its file waits for its scan.
    scan boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, id),
    UNIQUE (session_id, sender_id, client_id)
);
CREATE INDEX held_messages_id ON held_messages (id);
CREATE INDEX held_messages_sender ON held_messages (sender_id);

CREATE TABLE reactions (
    session_id uuid NOT NULL,
    seq bigint NOT NULL,
    user_id uuid NOT NULL,
    reaction text NOT NULL CHECK (char_length(reaction) BETWEEN 1 AND 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, seq, user_id, reaction),
    FOREIGN KEY (session_id, seq) REFERENCES messages ON DELETE CASCADE
);

-- What media has said of files, and the message that each was sent with. The lock of
-- a row is taken before that of a conversation.
CREATE TABLE files (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'ready', 'infected')),
    session_id uuid,
    message_id uuid,
    seen_at timestamptz NOT NULL
);
CREATE INDEX files_seen ON files (seen_at) WHERE message_id IS NULL;
CREATE INDEX files_owner ON files (owner_id);

-- Orders, as orders tells of them.
CREATE TABLE bookings (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL,
    reader_id uuid,
    service_name text NOT NULL,
    service_kind text NOT NULL,
    status text NOT NULL,
    session_id uuid
);
CREATE INDEX bookings_client ON bookings (client_id);
CREATE INDEX bookings_reader ON bookings (reader_id);

-- The one direct conversation of two people.
CREATE TABLE direct_pairs (
    low uuid NOT NULL,
    high uuid NOT NULL,
    session_id uuid NOT NULL,
    PRIMARY KEY (low, high),
    CHECK (low < high)
);
CREATE INDEX direct_pairs_high ON direct_pairs (high);

-- What everybody may know of a group.
CREATE TABLE groups (
    session_id uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    name text NOT NULL,
    description text NOT NULL,
    category text NOT NULL,
    members int NOT NULL,
    created_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX groups_created ON groups (created_at DESC, session_id DESC);

-- Public keys of people's devices; everybody who is signed in may ask for them.
CREATE TABLE devices (
    user_id uuid NOT NULL,
    device_id text NOT NULL,
    identity_key bytea NOT NULL,
    signed_prekey_id bigint NOT NULL,
    signed_prekey bytea NOT NULL,
    signature bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

-- Keys that are handed out once each. What was handed out is remembered for a while,
-- so that it cannot be published again.
CREATE TABLE prekeys (
    user_id uuid NOT NULL,
    device_id text NOT NULL,
    id bigint NOT NULL,
    key bytea NOT NULL,
    taken_at timestamptz,
    PRIMARY KEY (user_id, device_id, id),
    FOREIGN KEY (user_id, device_id) REFERENCES devices ON DELETE CASCADE
);
CREATE INDEX prekeys_free ON prekeys (user_id, device_id, id) WHERE taken_at IS NULL;
CREATE INDEX prekeys_taken ON prekeys (taken_at) WHERE taken_at IS NOT NULL;

-- Whether the caller takes part. A function, because a policy may not ask its own
-- table; the rows that it looks for are the caller's own, which the policy lets through.
CREATE FUNCTION takes_part(p_session uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    me uuid := nullif(current_setting('parlour.user', true), '')::uuid;
BEGIN
    RETURN EXISTS (SELECT FROM participants
        WHERE session_id = p_session AND user_id = me AND left_at IS NULL);
END $$;

-- Those who take part see a conversation; the service itself all. The owner too is bound (FORCE).
DO $$
DECLARE
    t text;
    own text;
    me text := 'nullif(current_setting(''parlour.user'', true), '''')::uuid';
    member text := 'EXISTS (SELECT FROM participants p WHERE p.session_id = %s AND p.user_id = %s AND p.left_at IS NULL)';
BEGIN
    FOREACH t IN ARRAY ARRAY['sessions', 'participants', 'messages', 'held_messages', 'reactions',
                             'files', 'bookings', 'direct_pairs']
    LOOP
        own := CASE t
            WHEN 'sessions' THEN format(member, 'sessions.id', me)
            WHEN 'participants' THEN format('user_id = %s OR takes_part(session_id)', me)
            WHEN 'held_messages' THEN format('sender_id = %s', me)
            WHEN 'files' THEN format('owner_id = %s', me)
            WHEN 'bookings' THEN format('client_id = %s OR reader_id = %s', me, me)
            WHEN 'direct_pairs' THEN format('low = %s OR high = %s', me, me)
            ELSE format(member, t || '.session_id', me)
        END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (current_setting(''parlour.service'', true) = ''on'' OR %s)', t, own);
    END LOOP;
END $$;

-- What somebody finds at the door of a conversation: no row when there is none. It
-- looks past row-level security (for as long as it runs), because "it is not yours" is answered otherwise than
-- "there is none"; it tells nothing of what is behind the door.
CREATE FUNCTION session_door(p_session uuid, p_user uuid, p_all boolean)
RETURNS TABLE (kind text, status text, encrypted boolean, last_seq bigint, role text,
               my_read bigint, others_read bigint, held bigint)
LANGUAGE plpgsql AS $$
DECLARE
    was text := coalesce(current_setting('parlour.service', true), '');
BEGIN
    PERFORM set_config('parlour.service', 'on', true);
    RETURN QUERY
    SELECT s.kind, s.status, s.encrypted, s.last_seq, m.role, coalesce(m.last_read_seq, 0),
        coalesce(CASE WHEN m.user_id IS NULL
            -- To an onlooker a message is read when somebody besides its sender has read it.
            THEN (SELECT o.last_read_seq FROM participants o WHERE o.session_id = s.id
                  ORDER BY o.last_read_seq DESC OFFSET 1 LIMIT 1)
            ELSE (SELECT max(o.last_read_seq) FROM participants o
                  WHERE o.session_id = s.id AND o.user_id <> p_user) END, 0),
        (SELECT count(*) FROM held_messages h
         WHERE h.session_id = s.id AND (p_all OR h.sender_id = p_user))
    FROM sessions s
    LEFT JOIN participants m ON m.session_id = s.id AND m.user_id = p_user AND m.left_at IS NULL
    WHERE s.id = p_session;
    PERFORM set_config('parlour.service', was, true);
END $$;

-- When somebody said something lately. A bucket that fills up again bit by bit would let
-- the 101st message of a minute through; this counts those of the last minute.
CREATE TABLE sent_lately (
    bucket bytea PRIMARY KEY,
    at timestamptz[] NOT NULL
) WITH (fillfactor = 50);

-- Counts a message, unless there were `p_most` within the last `p_window` seconds. Answers
-- how many there were with it, and for how long that stays so. No bucket: no limit.
CREATE FUNCTION count_message(p_bucket bytea, p_window float8, p_most int,
                              OUT admitted boolean, OUT used int, OUT wait float8)
LANGUAGE plpgsql AS $$
DECLARE
    lasting interval := make_interval(secs => p_window);
    v_at timestamptz[];
BEGIN
    admitted := true;
    used := 0;
    wait := 0;
    IF p_bucket IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO sent_lately AS l (bucket, at) VALUES (p_bucket, ARRAY[clock_timestamp()])
        ON CONFLICT (bucket) DO UPDATE
            SET at = ARRAY(SELECT t FROM unnest(l.at) t WHERE t > clock_timestamp() - lasting)
                || clock_timestamp()
            WHERE (SELECT count(*) FROM unnest(l.at) t WHERE t > clock_timestamp() - lasting) < p_most
        RETURNING at INTO v_at;
    admitted := FOUND;
    IF NOT admitted THEN
        SELECT at INTO v_at FROM sent_lately WHERE bucket = p_bucket;
    END IF;
    SELECT count(*), greatest(extract(epoch FROM min(t) + lasting - clock_timestamp()), 0)
        INTO used, wait FROM unnest(v_at) t WHERE t > clock_timestamp() - lasting;
    wait := coalesce(wait, 0);
END $$;

-- A number as protobuf writes it.
CREATE FUNCTION varint(n bigint) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    written bytea := '';
BEGIN
    WHILE n >= 128 LOOP
        written := written || set_byte('\x00'::bytea, 0, ((n & 127) | 128)::int);
        n := n >> 7;
    END LOOP;
    RETURN written || set_byte('\x00'::bytea, 0, n::int);
END $$;

-- Gives the next number of a locked conversation to a message of somebody.
CREATE FUNCTION next_seq(p_session uuid, p_sender uuid, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
BEGIN
    UPDATE sessions SET last_seq = last_seq + 1, last_message_at = p_now, active_at = p_now
        WHERE id = p_session RETURNING last_seq INTO v_seq;
    -- Who had read everything has read what they say themselves.
    UPDATE participants SET
            last_read_seq = CASE WHEN last_read_seq = v_seq - 1 THEN v_seq ELSE last_read_seq END,
            own_unread = CASE WHEN last_read_seq = v_seq - 1 THEN 0 ELSE own_unread + 1 END
        WHERE session_id = p_session AND user_id = p_sender;
    RETURN v_seq;
END $$;

-- Says something, in one round trip: who may, what was said already, the limit, the
-- number, the message and its event. A function, because each of its statements has to
-- see what was committed while the one before waited for the conversation's lock. It
-- looks past row-level security and asks itself whether the sender takes part.
--
-- `p_payload` is chat.v1.MessageSent without what is only known here; fields of a
-- protobuf message may be appended in any order.
CREATE FUNCTION send_message(
    p_session uuid, p_sender uuid, p_id uuid, p_client text, p_same uuid, p_kind text,
    p_sealed bytea, p_file uuid, p_size bigint, p_review boolean, p_most_held int, p_now timestamptz,
    p_bucket bytea, p_window float8, p_most int,
    p_event uuid, p_lane smallint, p_payload bytea, p_trace text,
    OUT outcome text, OUT message_id uuid, OUT seq bigint, OUT sent_at timestamptz, OUT used int, OUT wait float8,
    OUT message_kind text, OUT message_sealed bytea, OUT message_file uuid, OUT message_size bigint,
    OUT username text, OUT display_name text, OUT first_name text, OUT last_name text, OUT avatar_url text
) LANGUAGE plpgsql AS $$
DECLARE
    was text := coalesce(current_setting('parlour.service', true), '');
    s record;
    v_admitted boolean;
    v_file text;
BEGIN
    PERFORM set_config('parlour.service', 'on', true);
    <<work>>
    BEGIN
        IF p_file IS NOT NULL THEN
            INSERT INTO files AS f (id, owner_id, state, session_id, message_id, seen_at)
                VALUES (p_file, p_sender, 'waiting', p_session, p_id, p_now)
                ON CONFLICT (id) DO UPDATE SET session_id = p_session, message_id = p_id
                WHERE f.owner_id = p_sender
                RETURNING f.state INTO v_file;
        END IF;
        SELECT x.status, x.encrypted INTO s FROM sessions x WHERE x.id = p_session FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            outcome := 'missing';
            EXIT work;
        END IF;
        PERFORM FROM participants x WHERE x.session_id = p_session AND x.user_id = p_sender AND x.left_at IS NULL;
        IF NOT FOUND THEN
            outcome := 'denied';
            EXIT work;
        END IF;
        SELECT p.username, p.display_name, p.first_name, p.last_name, p.avatar_url
            INTO username, display_name, first_name, last_name, avatar_url
            FROM people p WHERE p.id = p_sender;
        IF p_client IS NOT NULL THEN
            SELECT m.id, m.seq, m.created_at, m.kind, m.sealed, m.file_id, m.file_size
                INTO message_id, seq, sent_at, message_kind, message_sealed, message_file, message_size
                FROM messages m WHERE m.session_id = p_session AND m.sender_id = p_sender AND m.client_id = p_client;
            IF NOT FOUND AND p_same IS NOT NULL THEN
                SELECT m.id, m.seq, m.created_at, m.kind, m.sealed, m.file_id, m.file_size
                    INTO message_id, seq, sent_at, message_kind, message_sealed, message_file, message_size
                    FROM messages m WHERE m.session_id = p_session AND m.id = p_same AND m.sender_id = p_sender;
            END IF;
            IF NOT FOUND THEN
                SELECT h.id, NULL, h.created_at, h.kind, h.sealed, h.file_id, h.file_size
                    INTO message_id, seq, sent_at, message_kind, message_sealed, message_file, message_size
                    FROM held_messages h
                    WHERE h.session_id = p_session AND h.sender_id = p_sender
                      AND (h.client_id = p_client OR h.id = p_same) LIMIT 1;
            END IF;
            IF FOUND THEN
                outcome := 'same';
                EXIT work;
            END IF;
        END IF;
        SELECT c.admitted, c.used, c.wait INTO v_admitted, used, wait FROM count_message(p_bucket, p_window, p_most) c;
        outcome := CASE
            WHEN NOT v_admitted THEN 'limited'
            WHEN s.status <> 'active' THEN 'inactive'
            WHEN s.encrypted AND p_kind <> 'encrypted' THEN 'only_encrypted'
            WHEN NOT s.encrypted AND p_kind = 'encrypted' THEN 'not_encrypted'
            WHEN v_file = 'infected' THEN 'infected'
            WHEN p_file IS NOT NULL AND v_file IS NULL THEN 'foreign_file'
            WHEN p_review OR v_file = 'waiting' THEN 'held'
            ELSE 'sent' END;
        IF outcome = 'held' AND p_most_held <=
                (SELECT count(*) FROM held_messages h WHERE h.session_id = p_session AND h.sender_id = p_sender) THEN
            outcome := 'too_many_held';
        END IF;
        IF outcome NOT IN ('sent', 'held') THEN
            EXIT work;
        END IF;
        message_id := p_id;
        sent_at := p_now;
        message_kind := p_kind;
        message_sealed := p_sealed;
        message_file := p_file;
        message_size := p_size;
        IF outcome = 'held' THEN
            INSERT INTO held_messages (session_id, id, sender_id, client_id, kind, sealed, file_id, file_size,
                                       review, scan, created_at)
                VALUES (p_session, p_id, p_sender, p_client, p_kind, p_sealed, p_file, p_size,
                        p_review, coalesce(v_file = 'waiting', false), p_now);
            -- held = true
            p_payload := p_payload || '\x4001'::bytea;
        ELSE
            seq := next_seq(p_session, p_sender, p_now);
            INSERT INTO messages (session_id, seq, id, sender_id, client_id, kind, state, sealed, file_id,
                                  file_size, created_at)
                VALUES (p_session, seq, p_id, p_sender, p_client, p_kind, 'visible', p_sealed, p_file,
                        p_size, p_now);
            p_payload := p_payload || '\x18'::bytea || varint(seq);
        END IF;
        -- recipient_ids, 36 characters each.
        p_payload := p_payload || coalesce((
            SELECT string_agg('\x4a24'::bytea || convert_to(x.user_id::text, 'UTF8'), ''::bytea)
            FROM participants x
            WHERE x.session_id = p_session AND x.left_at IS NULL AND x.user_id <> p_sender), ''::bytea);
        PERFORM outbox_append(p_event, 'chat.message.sent', 'session:' || p_session, p_lane, p_payload, p_trace);
    END work;
    PERFORM set_config('parlour.service', was, true);
END $$;

-- Makes a held message visible, under the conversation's lock. No row when it is not
-- held any more.
CREATE FUNCTION release_message(p_session uuid, p_id uuid, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    h held_messages;
    v_seq bigint;
BEGIN
    PERFORM FROM sessions WHERE id = p_session FOR NO KEY UPDATE;
    DELETE FROM held_messages WHERE session_id = p_session AND id = p_id AND NOT review AND NOT scan
        RETURNING * INTO h;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_seq := next_seq(p_session, h.sender_id, p_now);
    INSERT INTO messages (session_id, seq, id, sender_id, client_id, kind, state, sealed, file_id,
                          file_size, created_at)
        VALUES (p_session, v_seq, h.id, h.sender_id, h.client_id, h.kind, 'visible', h.sealed, h.file_id,
                h.file_size, h.created_at);
    RETURN v_seq;
END $$;
