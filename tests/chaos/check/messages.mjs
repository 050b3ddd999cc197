// Conversations: what was acknowledged is stored once, and everybody has everything once
// and in order.
//
// "Once" is about `new_message`: over all of a person's connections no id comes twice, and
// the numbers only grow, because the client joins with the last message that it has. Own
// messages that a connection sent come back as an acknowledgement instead, or, where that
// was lost with the connection, as `new_message` like everybody's. What is held is shown to
// its sender without a number, and with one when it is visible. Who came in without a last
// message has read the conversation up to there by REST.
import { grouped } from './violations.mjs';

export function check(logs, facts, violations) {
  const stored = new Map(facts.messages.map((row) => [row.id, row]));
  const bySession = grouped(facts.messages, ({ session_id: session }) => session);
  numbers(facts, bySession, violations);
  const said = new Map();
  for (const { who, user, lines } of logs) {
    acknowledged({ who, user, lines }, stored, facts, said, violations);
  }
  for (const log of logs) {
    heard(log, bySession, stored, said, violations);
    strangers(log, facts, violations);
  }
}

/** Numbers of a conversation go from 1 to its last without a hole. */
function numbers({ sessions, held }, bySession, violations) {
  for (const { id, last_seq: last } of sessions) {
    const rows = (bySession.get(id) ?? []).map(({ seq }) => seq).sort((a, b) => a - b);
    const whole = rows.length === last && rows.every((seq, at) => seq === at + 1);
    if (!whole) violations.add('numbers of a conversation have holes', { session: id, last, rows: rows.length });
  }
  for (const { session_id: session, id } of held) violations.add('a message is still held', { session, id });
}

/** What was acknowledged is there: once, under the id and the number that were told. */
function acknowledged({ who, user, lines }, stored, facts, said, violations) {
  const mine = grouped(facts.messages.filter((row) => row.sender_id === user), (row) => `${row.session_id}/${row.client_id}`);
  for (const { session, client, content } of lines.filter(({ event }) => event === 'said')) {
    for (const { id } of mine.get(`${session}/${client}`) ?? []) said.set(id, content);
  }
  for (const line of lines) {
    if (line.event === 'acknowledged') {
      const { session, client, id, seq } = line;
      const rows = mine.get(`${session}/${client}`) ?? [];
      if (rows.length === 0) violations.add('an acknowledged message is lost', { who, session, client, id });
      if (rows.length > 1) violations.add('a message is stored twice', { who, session, client, ids: rows.map((row) => row.id) });
      if (rows.length === 1 && (rows[0].id !== id || rows[0].seq !== seq)) {
        violations.add('an acknowledgement names another message', { who, session, client, id, seq, stored: rows[0].id, at: rows[0].seq });
      }
    }
    if (line.event === 'repeated' && (line.id !== line.known || stored.get(line.id)?.seq !== line.seq)) {
      violations.add('what was posted and then emitted is two messages', { who, ...line });
    }
    if (line.event === 'shown' && !stored.has(line.id)) violations.add('an acknowledged file is lost', { who, ...line });
    if (line.event === 'deaf') violations.add('a connection was not told and not ended', { who, ...line });
  }
}

/** Each visible message of each of their conversations: once, in order, as it was said. */
function heard({ who, lines }, bySession, stored, said, violations) {
  const told = grouped(lines.filter(({ event, seq }) => event === 'heard' && seq !== null), ({ session }) => session);
  const own = new Set(lines.filter(({ event }) => event === 'acknowledged').map(({ id }) => id));
  for (const { id } of lines.filter(({ event }) => event === 'history').flatMap(({ messages }) => messages)) own.add(id);
  for (const { session } of lines.filter(({ event }) => event === 'member')) {
    const ids = new Set();
    let before = 0;
    for (const { id, seq, content, visit } of told.get(session) ?? []) {
      if (ids.has(id)) violations.add('a message was heard twice', { who, session, id, seq, visit });
      else if (seq <= before) violations.add('a message was heard out of order', { who, session, id, seq, before, visit });
      if (stored.get(id)?.seq !== seq) violations.add('a message was heard that is not stored so', { who, session, id, seq });
      if (said.has(id) && said.get(id) !== content) violations.add('a message was changed on its way', { who, session, id, content });
      ids.add(id);
      before = Math.max(before, seq);
    }
    const missing = (bySession.get(session) ?? []).filter(({ id, state }) => state === 'visible' && !ids.has(id) && !own.has(id));
    for (const { id, seq } of missing) violations.add('a message was never heard', { who, session, id, seq });
  }
  replays(who, lines, violations);
}

/** What `chat_joined` counts is what came before it. */
function replays(who, lines, violations) {
  const joins = new Map();
  for (const line of lines) {
    const place = `${line.visit}/${line.session}`;
    if (line.event === 'join') joins.set(place, 0);
    if (line.event === 'heard' && joins.has(place)) joins.set(place, joins.get(place) + 1);
    if (line.event === 'joined') {
      if (joins.get(place) < line.missed) violations.add('a replay was not whole', { who, ...line, came: joins.get(place) });
      joins.delete(place);
    }
  }
}

/** Nobody hears what is not theirs. */
function strangers({ who, user, lines }, { participants }, violations) {
  const mine = new Set(participants.filter((row) => row.user_id === user).map((row) => row.session_id));
  for (const { event, session, id } of lines) {
    if (event === 'heard' && !mine.has(session)) violations.add('a message was heard by a stranger', { who, session, id });
  }
}
