// What people do and hear in the demonstration, and how it is shown.
//
// PARLOUR_URL (http://127.0.0.1:5000) is the gateway, PARLOUR_BIN the binary that makes
// accounts with roles, PARLOUR_OUTBOX the folder with the development outbox.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const BASE = process.env.PARLOUR_URL ?? 'http://127.0.0.1:5000';
const BINARY = process.env.PARLOUR_BIN;
const OUTBOX = process.env.PARLOUR_OUTBOX;
const PASSWORD = 'a demonstration of Parlour';
/** How long a message may take before the demonstration has failed, in milliseconds. */
const PATIENCE = 20_000;
const run = Date.now().toString(36);
const started = performance.now();
/** The last thing that was done, which what is heard next is measured from. */
let last = Date.now();

export const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

export function tell(who, text) {
  const at = ((performance.now() - started) / 1000).toFixed(2).padStart(6);
  console.log(`${at} s  ${who.padEnd(8)} ${text}`);
}

/** Calls the platform and answers `data`; anything but success ends the demonstration. */
export async function call(person, method, path, body) {
  const headers = { 'content-type': 'application/json' };
  if (person?.token) headers.authorization = `Bearer ${person.token}`;
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
  return JSON.parse(text).data;
}

/** Does something that others will hear of. */
export async function act(person, text, method, path, body) {
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

/** How the same people go on by hand. */
export function goOn(people) {
  console.log(`\nGo on by hand at ${BASE}/demo, each in a window of their own, with the password “${PASSWORD}”:`);
  for (const { name, email } of people) console.log(`  ${name.padEnd(8)} ${email}`);
}

export async function client() {
  const email = `client-${run}@example.org`;
  await call(null, 'POST', '/api/auth/register', { email, password: PASSWORD, first_name: 'Amal', locale: 'en' });
  const person = await signIn('client', email);
  tell('client', `signs up as ${email}`);
  const { data } = await receives(person, /confirm/i);
  await call(null, 'POST', '/api/auth/email/verify', { token: data.token });
  tell('client', 'confirms the address by the link in the mail');
  return person;
}

export async function staff(role) {
  const email = `${role}-${run}@example.org`;
  const options = ['admin', 'user', 'create', '--email', email, '--password', PASSWORD, '--role', role];
  execFileSync(BINARY, options, { stdio: ['ignore', 'ignore', 'inherit'] });
  tell(role, `is made by the operator: ${email}`);
  return signIn(role, email);
}

/** Tries until it answers something, and says what was waited for when it never does. */
export async function until(what, attempt) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${PATIENCE / 1000} s`);
    await pause(250);
  }
}

/** Waits until `person` has a notification of `type` that was not shown before. */
export async function hears(person, type) {
  const item = await until(`${person.name}'s notification ${type}`, async () => {
    const { notifications } = await call(person, 'GET', `/api/notifications?type=${type}&limit=20`);
    return notifications.find(({ id }) => !person.heard.has(id));
  });
  person.heard.add(item.id);
  const after = Math.max(0, Date.parse(item.created_at) - last);
  tell(person.name, `  hears: “${item.title}” ${item.message} [${type}, after ${after} ms]`);
}

/** Waits for the next mail to `person` whose subject matches, and answers it. */
export async function receives(person, subject) {
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
