// Who is signed in here, and calls in their name.
//
// The tokens are kept for as long as the window is: two windows are two people.
const KEPT = 'parlour-demo';
/** A token is renewed so long before its end, in milliseconds. */
const BEFORE_THE_END = 60_000;

let kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
let renewing = null;

/** What the platform refused, with its code. */
export class Refused extends Error {
  constructor(answer, body) {
    const details = body?.details?.length ? `: ${body.details.join(', ')}` : '';
    super(`${body?.error ?? `The answer was ${answer.status}`}${details}`);
    this.status = answer.status;
    this.code = body?.code;
  }
}

export const me = () => kept?.user ?? null;
export const token = () => kept?.access ?? null;

function keep({ access_token: access, refresh_token: refresh, expires_in: seconds, user }) {
  kept = { access, refresh, until: Date.now() + seconds * 1000, user: user ?? kept?.user };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

export function forget() {
  kept = null;
  sessionStorage.removeItem(KEPT);
}

async function request(method, path, body) {
  const headers = {};
  if (kept) headers.authorization = `Bearer ${kept.access}`;
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
  const form = body instanceof FormData;
  if (body && !form) headers['content-type'] = 'application/json';
  const answer = await fetch(path, { method, headers, body: form || !body ? body : JSON.stringify(body) });
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer, said);
  return said.data;
}

/** Calls the platform and answers `data`. A token that has ended is renewed once. */
export async function call(method, path, body) {
  if (kept && Date.now() > kept.until - BEFORE_THE_END) await renew();
  try {
    return await request(method, path, body);
  } catch (error) {
    if (!kept || error.status !== 401) throw error;
    await renew();
    return request(method, path, body);
  }
}

export async function signIn(email, password) {
  const data = await request('POST', '/api/auth/login', { email, password });
  if (data.two_factor_required) throw new Error('This page does not ask for a second factor.');
  keep(data);
}

export async function signUp(account) {
  await request('POST', '/api/auth/register', account);
  await signIn(account.email, account.password);
}

/** Takes new tokens; several who ask at once get the same. Without success nobody is signed in. */
export function renew() {
  renewing ??= exchange().finally(() => { renewing = null; });
  return renewing;
}

async function exchange() {
  const { refresh } = kept ?? {};
  if (!refresh) throw new Error('Nobody is signed in.');
  try {
    const answer = await fetch('/api/auth/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: refresh }),
    });
    const said = await answer.json().catch(() => null);
    if (!answer.ok) throw new Refused(answer, said);
    keep(said.data);
  } catch (error) {
    if (error.status === 401) forget();
    throw error;
  }
}

export async function signOut() {
  await call('POST', '/api/auth/logout').catch(() => {});
  forget();
}

/** Milliseconds until the token should be renewed. */
export const freshFor = () => Math.max(0, (kept?.until ?? 0) - Date.now() - BEFORE_THE_END);
