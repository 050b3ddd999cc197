// Plays the main job against the running system, as its frontends would, and shows
// what each person did and heard, with times.
//
//   make demo
//
// PARLOUR_URL (http://127.0.0.1:5000) is the gateway, PARLOUR_BIN the binary that makes
// accounts with roles, PARLOUR_OUTBOX the folder with the development outbox.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const BASE = process.env.PARLOUR_URL ?? 'http://127.0.0.1:5000';
const BINARY = process.env.PARLOUR_BIN;
const OUTBOX = process.env.PARLOUR_OUTBOX;
const PASSWORD = 'a demonstration of Parlour';
/** How long a message may take before the demonstration has failed, in milliseconds. */
const PATIENCE = 20_000;
const run = Date.now().toString(36);
const started = performance.now();
/** The last thing that was done, which what is heard next is measured from. */
let last = Date.now();

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

function tell(who, text) {
  const at = ((performance.now() - started) / 1000).toFixed(2).padStart(6);
  console.log(`${at} s  ${who.padEnd(8)} ${text}`);
}

/** Calls the platform and answers `data`; anything but success ends the demonstration. */
async function call(person, method, path, body) {
  const headers = { 'content-type': 'application/json' };
  if (person?.token) headers.authorization = `Bearer ${person.token}`;
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
  return JSON.parse(text).data;
}

/** Does something that others will hear of. */
async function act(person, text, method, path, body) {
  const before = performance.now();
  last = Date.now();
  const data = await call(person, method, path, body);
  tell(person.name, `${text} (${(performance.now() - before).toFixed(0)} ms)`);
  return data;
}

async function signIn(name, email) {
  const { access_token: token, user } = await call(null, 'POST', '/api/auth/login', { email, password: PASSWORD });
  return { name, email, token, id: user.id, heard: new Set(), mails: 0 };
}

async function client() {
  const email = `client-${run}@example.org`;
  await call(null, 'POST', '/api/auth/register', { email, password: PASSWORD, first_name: 'Amal', locale: 'en' });
  const person = await signIn('client', email);
  tell('client', `signs up as ${email}`);
  const { data } = await receives(person, /confirm/i);
  await call(null, 'POST', '/api/auth/email/verify', { token: data.token });
  tell('client', 'confirms the address by the link in the mail');
  return person;
}

async function staff(role) {
  const email = `${role}-${run}@example.org`;
  const options = ['admin', 'user', 'create', '--email', email, '--password', PASSWORD, '--role', role];
  execFileSync(BINARY, options, { stdio: ['ignore', 'ignore', 'inherit'] });
  tell(role, `is made by the operator: ${email}`);
  return signIn(role, email);
}

/** Tries until it answers something, and says what was waited for when it never does. */
async function until(what, attempt) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${PATIENCE / 1000} s`);
    await pause(250);
  }
}

/** Waits until `person` has a notification of `type` that was not shown before. */
async function hears(person, type) {
  const item = await until(`${person.name}'s notification ${type}`, async () => {
    const { notifications } = await call(person, 'GET', `/api/notifications?type=${type}&limit=20`);
    return notifications.find(({ id }) => !person.heard.has(id));
  });
  person.heard.add(item.id);
  const after = Math.max(0, Date.parse(item.created_at) - last);
  tell(person.name, `  hears: “${item.title}” ${item.message} [${type}, after ${after} ms]`);
}

/** Waits for the next mail to `person` whose subject matches, and answers it. */
async function receives(person, subject) {
  const mail = await until(`a mail to ${person.name}`, async () => {
    const lines = readFileSync(join(OUTBOX, 'mail.jsonl'), 'utf8').split('\n').filter(Boolean);
    const mine = lines.map((line) => JSON.parse(line)).filter(({ to }) => to.includes(person.email));
    const index = mine.findIndex((found, at) => at >= person.mails && subject.test(found.subject));
    if (index >= 0) person.mails = index + 1;
    return mine[index];
  });
  tell(person.name, `  gets the mail “${mail.subject}”`);
  return mail;
}

/** Each call sees the others' work a moment later: an account is known once its events have arrived. */
async function assign(admin, reader, order) {
  return until('the assignment', async () => {
    try {
      const body = { reader_id: reader.id, reassign: true };
      return await act(admin, 'assigns it to the reader', 'POST', `/api/orders/${order.id}/assign`, body);
    } catch (error) {
      if (/reader/i.test(error.message)) return null;
      throw error;
    }
  });
}

async function main() {
  const people = [await client(), await staff('reader'), await staff('monitor'), await staff('admin')];
  const [amal, reader, monitor, admin] = people;
  const { service } = await call(admin, 'POST', '/api/services', {
    kind: 'tarot', name: 'Three cards', description: 'Past, present and what may come', price: 2500, currency: 'EUR',
    duration_minutes: 30, delivery_mode: 'written', requires_payment: false, active: true,
  });
  tell('admin', `offers “${service.name}” for ${service.price / 100} ${service.currency}`);

  const question = { service_id: service.id, notes: 'Will the move do us good? سؤال من القلب', preferred_reader_id: reader.id };
  const { order } = await until('the order', () => act(amal, 'orders a reading', 'POST', '/api/orders', question));
  await hears(amal, 'order_created');
  await assign(admin, reader, order);
  await hears(reader, 'order_assigned');
  await hears(amal, 'order_assigned');

  const path = `/api/orders/${order.id}`;
  await act(reader, 'hands in a result', 'POST', `${path}/result`, { text: 'Yes.', media_ids: [] });
  await hears(monitor, 'order_submitted');
  const { order: early } = await call(amal, 'GET', path);
  tell('client', `  sees the order as ${early.status}, its result: ${JSON.stringify(early.result)}`);

  await act(monitor, 'sends it back', 'POST', `${path}/reject`, { reason: 'One word is not a reading.' });
  await hears(reader, 'order_rejected');
  const result = { text: 'The Star, the Chariot, the Sun: go, and take your time.', media_ids: [] };
  await act(reader, 'hands in another', 'POST', `${path}/result`, result);
  await hears(monitor, 'order_submitted');
  await act(monitor, 'approves it', 'POST', `${path}/approve`, {});
  await hears(amal, 'order_delivered');
  await receives(amal, /ready|delivered|reading/i);
  await hears(reader, 'order_approved');

  const { order: read } = await call(amal, 'GET', path);
  tell('client', `  reads: “${read.result.text}” (revision ${read.result.revision})`);
  await act(amal, 'rates it', 'POST', `${path}/review`, { rating: 5, comment: 'Thank you.' });
  await hears(reader, 'order_rated');
  console.log('\nThe order’s history:');
  for (const { at, action, from, to, reason } of (await call(admin, 'GET', path)).order.history) {
    console.log(`  ${at}  ${action.padEnd(10)} ${from ?? '–'} → ${to}${reason ? `: ${reason}` : ''}`);
  }
}

await main().catch((error) => {
  console.error(`The demonstration ended early: ${error.message}`);
  process.exit(1);
});
