-- Says something, in one round trip: who may, what was said already, the limit, the
-- number, the message and its event. A function, because each of its statements has to
-- see what was committed while the one before waited for the conversation's lock. It
-- looks past row-level security and asks itself whether the sender takes part.
--
-- `p_payload` is chat.v1.MessageSent without what is only known here; fields of a
-- protobuf message may be appended in any order.
CREATE OR REPLACE FUNCTION send_message(
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
