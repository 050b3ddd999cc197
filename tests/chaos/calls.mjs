// Requests as a frontend sends them that means to lose nothing: the same again, under the
// same key, until somebody has answered.
import { pause } from './figures.mjs';

/** How long one try may take, and all of them together, in milliseconds. */
const TRY = 15_000;
const PATIENCE = 240_000;
const MOST_PAUSE = 1000;

/** An answer that no repetition will change. */
export class Refused extends Error {
  constructor(what, status, body) {
    super(`${what} was answered ${status}: ${JSON.stringify(body)}`);
    this.status = status;
    this.code = body?.code;
  }
}

export class Calls {
  /** `bases` are the gateways; `alarm` hears of answers that should never be. */
  constructor(bases, figures, alarm) {
    this.bases = bases;
    this.figures = figures;
    this.alarm = alarm;
    /** Whether nothing is away, as far as anybody knows. */
    this.isCalm = () => false;
  }

  /** Answers `data`. A write carries the same key in each try. */
  async call(person, method, path, body) {
    const headers = { 'content-type': 'application/json' };
    if (person?.token) headers.authorization = `Bearer ${person.token}`;
    if (method !== 'GET') headers['idempotency-key'] = crypto.randomUUID();
    return this.#insist(person, method, path, headers, () => body && JSON.stringify(body));
  }

  /** Sends a form; `make` makes it anew for each try. */
  async form(person, path, make) {
    const headers = { authorization: `Bearer ${person.token}`, 'idempotency-key': crypto.randomUUID() };
    return this.#insist(person, 'POST', path, headers, make);
  }

  async #insist(person, method, path, headers, body) {
    const what = `${method} ${path.replace(/[0-9a-f-]{36}/g, '{id}').replace(/\?.*/, '')}`;
    const begun = Date.now();
    let failed;
    let home = person?.home ?? 0;
    for (let wait = 50; ; wait = Math.min(wait * 2, MOST_PAUSE)) {
      const { data, error, lasting } = await this.#once(person, what, this.bases[home] + path, { method, headers, body: body() });
      if (!error) {
        if (method !== 'GET') this.figures.count('writes');
        if (failed) this.figures.measure('outage', Date.now() - failed, what);
        return data;
      }
      if (lasting) throw error;
      failed ??= begun;
      if (Date.now() - begun > PATIENCE) throw new Error(`${what} was not answered within ${PATIENCE / 1000} s: ${error.message}`);
      // Whoever is not answered by one gateway tries the other one.
      if (!(error instanceof Refused)) home = 1 - home;
      await pause(wait * (0.5 + Math.random()));
    }
  }

  async #once(person, what, url, request) {
    this.figures.count('requests');
    let answer, text;
    try {
      answer = await fetch(url, { ...request, signal: AbortSignal.timeout(TRY) });
      text = await answer.text();
    } catch (error) {
      this.figures.count(`errors.${error.name === 'TimeoutError' ? 'no answer in time' : 'connection lost'}`);
      return { error };
    }
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // What is no JSON is told as it is.
      body = { text: text.slice(0, 200) };
    }
    if (answer.ok) return { data: body.data };
    const { status } = answer;
    const error = new Refused(what, status, body);
    this.figures.count(`errors.${status} ${body?.code ?? ''}`.trim());
    if (status >= 500) this.figures.count(`failed.${what}`);
    if (status >= 500 && this.isCalm()) this.figures.count('failed in calm');
    if (status === 500) this.alarm('an answer 500', { who: person?.name, what, body });
    const passing = status >= 500 || status === 429 || status === 408 || body?.code === 'IDEMPOTENCY_IN_PROGRESS';
    return { error, lasting: !passing };
  }
}
