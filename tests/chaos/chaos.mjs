// Kills the platform piece by piece while people use it, and proves that nobody lost
// anything and nothing happened twice.
//
//   make chaos ARGS="--seed 7 --seconds 180 --clients 200 --rooms 20"
//
// With CHAOS_FORMER, the binary of a former release: replaces it piece by piece instead.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { Blows } from './blows.mjs';
import { Calls } from './calls.mjs';
import { check } from './check/all.mjs';
import { chatter, newcomers, open, stumble } from './crowd.mjs';
import { gather, pending, queues } from './facts.mjs';
import { Figures, pause } from './figures.mjs';
import { read } from './log.mjs';
import { Desk } from './orders.mjs';
import { lines } from './outbox.mjs';
import { each, register, staff, subscribe } from './people.mjs';
import { plan } from './plan.mjs';
import { Platform } from './platform.mjs';
import { Random } from './random.mjs';
import { report } from './report.mjs';
import { SCHEMAS } from './schemas.mjs';
import { Talker } from './talker.mjs';
import { Upgrade } from './upgrade.mjs';

const { PARLOUR_BIN: BINARY, CHAOS_FORMER: FORMER, CHAOS_HOME: HOME, CHAOS_ENGINES: ENGINES } = process.env;
const OUTBOX = join(HOME, 'outbox');
/** Desks at which orders are made, each with a client and a reader. */
const DESKS = 4;
/** How long what is under way may take to end after the last blow, in milliseconds. */
const DRAIN = 180_000;
/** How long a connection that is there may lack a message: longer than `resync_seconds`. */
const HEARING = 30_000;

function options() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      seconds: { type: 'string', default: '180' },
      clients: { type: 'string', default: '200' },
      rooms: { type: 'string', default: '20' },
    },
  });
  const numbers = Object.entries(values).map(([name, text]) => [name, Number(text)]);
  for (const [name, number] of numbers) {
    if (!Number.isSafeInteger(number) || number < (name === 'seed' ? 0 : 1)) throw new Error(`--${name} must be a whole number`);
  }
  return Object.fromEntries(numbers);
}

const wishes = options();
const folder = join(HOME, `run-${wishes.seed}`);
const logs = join(folder, 'clients');
const figures = new Figures();
const alarms = [];
const started = Date.now();
const tell = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const alarm = (rule, about) => {
  if (alarms.length < 10_000) alarms.push({ rule, at: Date.now(), ...about });
};

/** Everybody who takes part, known to every service. */
async function gatherPeople(calls, database) {
  const home = (n) => n % calls.bases.length;
  const first = FORMER ?? BINARY;
  const [admin, monitor] = [await staff(calls, first, 'admin', 'admin', 0), await staff(calls, first, 'monitor', 'monitor', 1)];
  const readers = await each(Array.from({ length: DESKS }), 2, (_, n) => staff(calls, first, 'reader', `reader-${n}`, home(n)));
  const clients = await each(Array.from({ length: DESKS }), 2, (_, n) => register(calls, `client-${n}`, home(n + 1)));
  const crowd = await each(Array.from({ length: wishes.clients }), 4, (_, n) => register(calls, `guest-${n}`, home(n)));
  const known = async () => Object.keys(await pending(database)).length === 0;
  await until('everybody is known', known);
  await calls.call(admin, 'POST', '/api/notifications/templates', {
    type: 'order_delivered', channel: 'sms', locale: 'en', body: 'The result of your order {{ number }} is ready.',
  });
  const asked = () => new Set(lines(OUTBOX, 'mail').map(({ to }) => to));
  await until('clients are asked to confirm their addresses', () => clients.every(({ email }) => asked().has(email)));
  await each(clients, 2, (client, n) => subscribe(calls, client, `+4670174060${5 + n}`, OUTBOX));
  await until('their addresses and numbers are known', known);
  return { admin, monitor, readers, clients, crowd };
}

async function until(what, test, patience = DRAIN) {
  for (const end = Date.now() + patience; !(await test()); await pause(500)) {
    if (Date.now() > end) return alarm('something did not come about in time', { what, seconds: patience / 1000 });
  }
  return undefined;
}

/** The load: until `end`, and then until everything that was begun is finished. */
async function load({ people, rooms, desks, calls, end }) {
  const random = new Random(wishes.seed + 1);
  const own = () => new Random(random.between(0, 2 ** 31));
  const guests = rooms.flatMap(({ session, talkers }) => talkers.map((talker) => ({ session, talker })));
  const everyone = [...people.talkers.values()];
  const work = [
    ...guests.map(({ session, talker }) => chatter(talker, session, own(), end)),
    ...everyone.map((talker) => stumble(talker, own(), end)),
    ...desks.map((desk) => desk.work(end)),
    newcomers({ calls, logs, bases: calls.bases, end, figures }),
  ];
  const ended = await Promise.allSettled(work);
  for (const { reason } of ended.filter(({ status }) => status === 'rejected')) {
    alarm('somebody could not go on', { error: reason.message, stack: reason.stack?.split('\n')[1]?.trim() });
  }
}

/** Everybody hears what is left; then each comes in once more, as after a lost connection. */
async function catchUp(database, talkers) {
  const { rows } = await database.query('SELECT id, last_seq::int AS last FROM chat.sessions');
  const last = new Map(rows.map(({ id, last }) => [id, last]));
  const behind = (talker) => talker.sessions.filter((session) => talker.reached(session) < last.get(session));
  const end = Date.now() + HEARING;
  while (talkers.some((talker) => !talker.isIn() || behind(talker).length) && Date.now() < end) await pause(250);
  for (const talker of talkers) {
    for (const session of behind(talker)) {
      talker.log.write('deaf', { session, reached: talker.reached(session), last: last.get(session), connected: talker.isIn() });
    }
    talker.cut();
  }
  await pause(500);
  await until('everybody is back in their conversations', () => talkers.every((talker) => talker.isIn()), 60_000);
}

async function healthy(platform) {
  const ready = await Promise.all(platform.all().map(async (one) => [one.name, await one.isReady()]));
  for (const [who] of ready.filter(([, is]) => !is)) alarm('a process is not ready at the end', { who });
  for (const base of platform.bases) {
    const state = await (await fetch(`${base}/health`)).json();
    if (state.status !== 'healthy') alarm('the platform is not healthy at the end', { base, state });
  }
}

async function play(platform, database) {
  const calls = new Calls(platform.bases, figures, alarm);
  await platform.start();
  // What is published before a service's queue stands is not for it.
  await until('every service consumes', async () => {
    const consumed = (await queues(process.env.PARLOUR_RABBIT_API)).filter(({ consumers }) => consumers > 0);
    return SCHEMAS.every((service) => consumed.some(({ name }) => name === `parlour.${service}`));
  });
  tell(`${platform.all().length} processes are ready`);
  const people = await gatherPeople(calls, database);
  const make = (person, n) => new Talker(person, { calls, figures, alarm, logs, websocketOnly: n % 5 === 0 });
  const seated = [...people.crowd, ...people.clients, ...people.readers];
  people.talkers = new Map(seated.map((person, n) => [person.name, make(person, n)]));
  const talkers = [...people.talkers.values()];
  const crowd = people.crowd.map(({ name }) => people.talkers.get(name));
  const rooms = await open({ talkers: crowd, rooms: wishes.rooms, calls, host: people.admin });
  for (const { session, talkers: inside } of rooms) for (const talker of inside) talker.enter(session);
  const { service } = await calls.call(people.admin, 'POST', '/api/services', {
    kind: 'tarot', name: 'Three cards', description: 'Past, present and what may come', price: 2500, currency: 'EUR',
    duration_minutes: 30, delivery_mode: 'written', requires_payment: false, active: true,
  });
  const desks = people.clients.map((client, n) => new Desk({
    name: `desk-${n}`, client: people.talkers.get(client.name), reader: people.talkers.get(people.readers[n].name),
    monitor: people.monitor, admin: people.admin, service: service.id, calls, figures, logs,
  }));
  await until('everybody is in their conversations', () => talkers.every((talker) => talker.isIn()), 60_000);
  tell(`${talkers.length} people are connected, in ${rooms.length} rooms; ${DESKS} desks take orders`);

  const end = Date.now() + wishes.seconds * 1000;
  const change = FORMER
    ? new Upgrade({ platform, binary: BINARY, random: new Random(wishes.seed), alarm, figures, tell })
    : new Blows({ platform, database, engines: ENGINES, home: HOME, figures, tell });
  calls.isCalm = () => change.isCalm();
  const changed = FORMER ? change.roll(end) : change.deal(plan(wishes.seed), end);
  await Promise.all([load({ people, rooms, desks, calls, end }), changed]);
  tell('waiting until everything that was begun has ended');
  let left = {};
  await until('nothing is under way', async () => Object.keys(left = await pending(database)).length === 0);
  if (Object.keys(left).length) tell(`still under way: ${JSON.stringify(left)}`);
  await catchUp(database, talkers);
  await healthy(platform);
  // Figures of queues are some seconds old.
  const query = () => gather(database, { outbox: OUTBOX, rabbit: process.env.PARLOUR_RABBIT_API });
  await until('the queues are empty', async () => (await query()).queues.every(({ messages }) => !messages), 30_000);
  const facts = await query();
  facts.subscribers = people.clients.map(({ id }) => id);
  facts.staff = { admin: [people.admin.id], monitor: [people.monitor.id] };
  await Promise.all([...talkers.map((talker) => talker.close()), ...desks.map((desk) => desk.log.close())]);
  return facts;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(logs, { recursive: true });
const platform = new Platform({ binary: FORMER ?? BINARY, folder, alarm });
await platform.plan();
const database = new pg.Pool({ connectionString: process.env.PARLOUR_PG_URL, max: 4 });
database.on('error', (error) => alarm('the checker lost its connection', { error: error.message }));
console.log(`seed ${wishes.seed}, ${wishes.seconds} s, ${wishes.clients} clients in ${wishes.rooms} rooms; logs in ${folder}`);
let code = 1;
try {
  const facts = await play(platform, database);
  // What 16 senders of each notify process had in hand at every death of a process, a connection or an engine.
  const deaths = figures.get('kills.notify') + figures.get('kills.connections') * 2 + figures.get('kills.broker');
  facts.most_repeated = deaths * 16;
  writeFileSync(join(folder, 'facts.json'), JSON.stringify(facts));
  writeFileSync(join(folder, 'alarms.json'), JSON.stringify(alarms));
  const violations = check(read(logs), facts, alarms, figures);
  code = report({ wishes, figures, facts, violations, folder });
  if (code === 0) rmSync(logs, { recursive: true });
} catch (error) {
  console.error(`The run did not come to its end: ${error.stack}`);
} finally {
  await platform.stop();
  await database.end();
}
process.exit(code);
