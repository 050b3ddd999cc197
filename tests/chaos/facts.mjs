// What the database and the broker hold at the end.
import { join } from 'node:path';

import protobuf from 'protobufjs';

import { mails, texts } from './outbox.mjs';
import { SCHEMAS } from './schemas.mjs';

const MessageSent = protobuf.loadSync(join(process.env.CHAOS_PROTO, 'parlour/chat/v1/events.proto')).lookupType('parlour.chat.v1.MessageSent');

/** What a service does nothing about and takes no note of, by type: docs/decisions/0011. */
const OF_NO_INTEREST = {
  media: {
    'chat.message.sent': (payload) => {
      const { fileId, held } = MessageSent.decode(payload);
      return !fileId || held;
    },
  },
};

const outboxes = (columns) => SCHEMAS.map((schema) => `SELECT '${schema}' AS service, ${columns} FROM ${schema}.outbox`).join(' UNION ALL ');

const UNNOTED = SCHEMAS.map((schema) => {
  const types = Object.keys(OF_NO_INTEREST[schema] ?? {}).map((type) => `'${type}'`).join(', ');
  return `
  SELECT '${schema}' AS service, o.id, o.type, ${types ? `CASE WHEN o.type IN (${types}) THEN o.payload END` : 'NULL::bytea'} AS payload
  FROM (${outboxes('id, type, payload')}) o
  WHERE EXISTS (SELECT FROM ${schema}.event_bindings b
                WHERE o.type ~ ('^' || replace(replace(b.pattern, '.', '\\.'), '*', '[^.]+') || '$'))
    AND NOT EXISTS (SELECT FROM ${schema}.inbox i WHERE i.event_id = o.id)`;
}).join(' UNION ALL ');

/** What each service has not handled of the events that it wants. */
async function unhandled(database) {
  const { rows } = await database.query(UNNOTED);
  return rows.filter(({ service, type, payload }) => !OF_NO_INTEREST[service]?.[type]?.(payload))
    .map(({ service, id }) => ({ service, id }));
}

const PENDING = {
  unpublished: SCHEMAS.map((schema) => `SELECT id FROM ${schema}.outbox WHERE published_at IS NULL`).join(' UNION ALL '),
  parked: SCHEMAS.map((schema) => `SELECT event_id FROM ${schema}.parked WHERE state <> 'parked'`).join(' UNION ALL '),
  deliveries: "SELECT id FROM notify.deliveries WHERE status IN ('queued', 'sending')",
  held: 'SELECT id FROM chat.held_messages',
};

/** What is still under way, by its name. */
export async function pending(database) {
  const counts = {};
  const waiting = await unhandled(database);
  if (waiting.length) counts.unhandled = waiting.length;
  for (const [name, sql] of Object.entries(PENDING)) {
    const { rows } = await database.query(`SELECT count(*)::int AS n FROM (${sql}) AS left_over`);
    if (rows[0].n) counts[name] = rows[0].n;
  }
  return counts;
}

const ms = (column) => `extract(epoch FROM ${column})::float8 * 1000 AS ${column}`;

const QUERIES = {
  sessions: 'SELECT id, last_seq::int AS last_seq FROM chat.sessions',
  participants: 'SELECT session_id, user_id FROM chat.participants WHERE left_at IS NULL',
  messages: 'SELECT session_id, seq::int AS seq, id, sender_id, client_id, state FROM chat.messages',
  held: 'SELECT session_id, id FROM chat.held_messages',
  orders: 'SELECT id, status, version::int AS version FROM orders.orders',
  history: 'SELECT order_id, version::int AS version, action, to_status FROM orders.order_history',
  routes: "SELECT event, audience, kind FROM notify.routes WHERE event LIKE 'orders.order.%'",
  notifications: 'SELECT id, account_id, kind, source FROM notify.notifications',
  deliveries: 'SELECT id, notification_id, account_id, kind, channel, status, attempts FROM notify.deliveries',
  accounts: 'SELECT id FROM identity.accounts',
  people: ['orders', 'notify', 'chat'].map((schema) => `SELECT '${schema}' AS service, id FROM ${schema}.people`).join(' UNION ALL '),
  outbox: outboxes(`id, type, aggregate, version::int AS version, ${ms('created_at')}, ${ms('published_at')}`),
  inbox: SCHEMAS.map((schema) => `SELECT '${schema}' AS service, event_id, source, aggregate, version::int AS version,
    ${ms('received_at')} FROM ${schema}.inbox`).join(' UNION ALL '),
  versions: SCHEMAS.map((schema) => `SELECT '${schema}' AS service, aggregate, version::int AS version FROM ${schema}.aggregate_versions`).join(' UNION ALL '),
  parked: SCHEMAS.map((schema) => `SELECT '${schema}' AS service, event_id, type, state, last_error FROM ${schema}.parked`).join(' UNION ALL '),
  lanes: `SELECT a.usename AS role, count(DISTINCT l.objid)::int AS lanes, count(*)::int AS locks
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.mode = 'ExclusiveLock' AND l.granted GROUP BY 1`,
  stuck: `SELECT usename AS role, state, left(query, 100) AS query FROM pg_stat_activity
    WHERE usename LIKE 'parlour\\_%' AND xact_start < now() - interval '10 seconds'`,
};

/** Everything that the checker wants to know. */
export async function gather(database, { outbox, rabbit }) {
  const facts = {};
  for (const [name, sql] of Object.entries(QUERIES)) facts[name] = (await database.query(sql)).rows;
  facts.unhandled = await unhandled(database);
  facts.mails = mails(outbox);
  facts.texts = texts(outbox);
  facts.queues = await queues(rabbit);
  return facts;
}

/** What the broker knows of the services' queues. */
export async function queues(rabbit) {
  const url = new URL('/api/queues', rabbit);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  url.username = '';
  url.password = '';
  const answer = await fetch(url, { headers: { authorization } });
  const found = await answer.json();
  // The log keeps everything for a week, and connections' own queues carry only what matters now.
  return found.filter(({ name }) => name.startsWith('parlour.') && name !== 'parlour.log').map(({ name, messages, consumers }) => ({ name, messages, consumers }));
}
