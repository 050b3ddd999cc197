// A small run in which everything holds, for the checker's own tests to break.
import { SCHEMAS } from '../schemas.mjs';
import { LANES } from './events.mjs';

/** A UUID that shows what it stands for. */
export const id = (n) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const [ANA, BEN, READER, MONITOR, ADMIN] = [1, 2, 3, 4, 5].map(id);
const [ROOM, ORDER] = [id(10), id(20)];
const MESSAGES = [id(101), id(102), id(103)];
const MOVES = ['create', 'assign', 'result', 'approve', 'review'];

const heard = (n, content, visit = 1) => ({ event: 'heard', session: ROOM, id: MESSAGES[n - 1], seq: n, content, visit });
const said = (client, content) => ({ event: 'said', session: ROOM, client, content });
const acknowledged = (client, n) => ({ event: 'acknowledged', session: ROOM, client, id: MESSAGES[n - 1], seq: n });
const join = (visit, last) => ({ event: 'join', session: ROOM, visit, last });
const joined = (visit, missed) => ({ event: 'joined', session: ROOM, visit, missed });

function logs() {
  const ana = [
    { event: 'member', session: ROOM }, join(1), joined(1, 0),
    said('ana-1', 'one'), acknowledged('ana-1', 1), heard(2, 'two'),
    { event: 'gone' }, join(2, MESSAGES[1]), heard(3, 'three', 2), joined(2, 1),
  ];
  const ben = [
    { event: 'member', session: ROOM }, join(1), joined(1, 0), heard(1, 'one'),
    said('ben-1', 'two'), acknowledged('ben-1', 2), heard(2, 'two'),
    { event: 'repeated', session: ROOM, client: 'ben-1', id: MESSAGES[1], seq: 2, known: MESSAGES[1] },
    said('ben-2', 'three'), acknowledged('ben-2', 3),
  ];
  const desk = MOVES.map((action, at) => ({ event: 'moved', order: ORDER, action, version: at + 1 }));
  desk.push({ event: 'read', order: ORDER, status: 'delivered', text: 'Yes.', expected: 'Yes.' }, { event: 'finished', order: ORDER });
  return [
    { who: 'ana', user: ANA, lines: ana },
    { who: 'ben', user: BEN, lines: ben },
    { who: 'desk', client: ANA, reader: READER, lines: desk },
    { who: 'newcomers', lines: [{ event: 'registered', user: BEN, email: 'ben@example.org' }] },
  ];
}

const message = (n, sender, client) => ({ session_id: ROOM, seq: n, id: MESSAGES[n - 1], sender_id: sender, client_id: client, state: 'visible' });

function events() {
  const types = ['created', 'assigned', 'submitted', 'approved', 'delivered', 'rated'];
  return types.map((type, at) => ({
    service: 'orders', id: id(201 + at), type: `orders.order.${type}`, aggregate: `order:${ORDER}`, version: at + 1,
    created_at: 1000 + at, published_at: 2000 + at,
  }));
}

function facts() {
  const outbox = events();
  const routes = [
    { event: 'orders.order.created', audience: 'role:admin', kind: 'order_created' },
    { event: 'orders.order.delivered', audience: 'client', kind: 'order_delivered' },
    { event: 'orders.order.submitted', audience: 'role:monitor', kind: 'order_submitted' },
  ];
  return {
    sessions: [{ id: ROOM, last_seq: 3 }],
    participants: [ANA, BEN].map((user) => ({ session_id: ROOM, user_id: user })),
    messages: [message(1, ANA, 'ana-1'), message(2, BEN, 'ben-1'), message(3, BEN, 'ben-2')],
    held: [],
    orders: [{ id: ORDER, status: 'delivered', version: MOVES.length }],
    history: MOVES.slice(1).map((action, at) => ({ order_id: ORDER, version: at + 2, action })),
    routes,
    staff: { admin: [ADMIN], monitor: [MONITOR] },
    notifications: [
      { id: id(301), account_id: ADMIN, kind: 'order_created', source: id(201) },
      { id: id(302), account_id: MONITOR, kind: 'order_submitted', source: id(203) },
      { id: id(303), account_id: ANA, kind: 'order_delivered', source: id(205) },
    ],
    deliveries: [{ id: id(401), notification_id: null, account_id: BEN, kind: 'verify', channel: 'email', status: 'sent', attempts: 1 },
      { id: id(411), notification_id: id(303), account_id: ANA, kind: 'order_delivered', channel: 'sms', status: 'delivered', attempts: 1 },
      { id: id(412), notification_id: id(303), account_id: ANA, kind: 'order_delivered', channel: 'email', status: 'sent', attempts: 1 }],
    mails: [
      { to: 'ben@example.org', words: 'Confirm', delivery: id(401) },
      { to: 'ana@example.org', words: 'Your result is ready', delivery: id(412) },
    ],
    texts: [{ to: '+46701740605', words: 'It is ready', delivery: id(411) }],
    subscribers: [ANA],
    most_repeated: 0,
    accounts: [ANA, BEN].map((user) => ({ id: user })),
    people: ['orders', 'notify', 'chat'].map((service) => ({ service, id: BEN })),
    outbox,
    inbox: outbox.map(({ id: event, aggregate, version }, at) => ({
      service: 'notify', event_id: event, source: 'orders', aggregate, version, received_at: 3000 + at,
    })),
    versions: [{ service: 'orders', aggregate: `order:${ORDER}`, version: outbox.length }],
    parked: [],
    unhandled: [],
    queues: [{ name: 'parlour.notify', messages: 0 }],
    lanes: SCHEMAS.map((service) => ({ role: `parlour_${service}`, lanes: LANES, locks: LANES })),
    stuck: [],
  };
}

export const world = () => ({ logs: logs(), facts: facts() });
