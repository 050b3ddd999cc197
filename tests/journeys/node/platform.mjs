// Calls to the platform, as a frontend makes them.

/** Calls it in the name of whoever has the token and answers `data`; a refusal is thrown with its code. */
export async function call(base, token, method, path, body) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${said.error}`), { code: said.code, status: answer.status });
  return said.data;
}

export async function signIn(base, { email, password }) {
  const { access_token: token, user } = await call(base, null, 'POST', '/api/auth/login', { email, password });
  return { token, id: user.id };
}
