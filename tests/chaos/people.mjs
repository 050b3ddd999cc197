// Who takes part.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { lines } from './outbox.mjs';

const run = promisify(execFile);
const PASSWORD = 'a storm over Parlour';

/** Signs somebody up and in. `home` is the gateway that they begin with. */
export async function register(calls, name, home) {
  const email = `${name}@example.org`;
  const person = { name, email, home };
  await calls.call(person, 'POST', '/api/auth/register', { email, password: PASSWORD, first_name: name, locale: 'en' });
  return signIn(calls, person);
}

export async function signIn(calls, person) {
  const { access_token: token, user } = await calls.call(person, 'POST', '/api/auth/login', {
    email: person.email, password: PASSWORD,
  });
  return Object.assign(person, { token, id: user.id });
}

/**
 * Confirms the address by the mail that came to it, and a telephone number by the code that comes to that, and wishes
 * to hear of results by text too.
 */
export async function subscribe(calls, person, number, outbox) {
  const { token } = lines(outbox, 'mail').find(({ to }) => to === person.email).data;
  await calls.call(person, 'POST', '/api/auth/email/verify', { token });
  await calls.call(person, 'POST', '/api/verify/phone/start', { phone_number: number, channel: 'sms' });
  const { code } = lines(outbox, 'sms').findLast(({ to }) => to === number).data;
  await calls.call(person, 'POST', '/api/verify/phone/check', { phone_number: number, code });
  await calls.call(person, 'PUT', '/api/notifications/settings', { preferences: { order_delivered: { sms: true } } });
}

/** Made by the operator's command. */
export async function staff(calls, binary, role, name, home) {
  const email = `${name}@example.org`;
  await run(binary, ['admin', 'user', 'create', '--email', email, '--password', PASSWORD, '--role', role]);
  return signIn(calls, { name, email, home });
}

/** Does `work` for all of `list`, so many at a time. */
export async function each(list, atOnce, work) {
  const results = [];
  const left = [...list.entries()];
  const one = async () => {
    for (let next = left.shift(); next; next = left.shift()) results[next[0]] = await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return results;
}
