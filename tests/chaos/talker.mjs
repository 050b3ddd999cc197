// One person with one connection, as the documented client behaves: it comes back by itself,
// joins its conversations with the last message that it has, and sends again under the same
// id what nobody acknowledged.
import { io } from 'socket.io-client';

import { pause } from './figures.mjs';
import { Log } from './log.mjs';

/** How long an acknowledgement may take, in milliseconds, and how long all tries together. */
const ANSWER = 20_000;
const PATIENCE = 240_000;

export class Talker {
  /** The last message heard in each conversation, `{ id, seq }`. */
  last = new Map();
  /** Own messages that were acknowledged before what came before them was heard, by number. */
  #early = new Map();
  #joined = new Set();
  #visit = 0;
  /** The connection in which it arrived last. */
  #place = null;
  #sent = 0;
  #goneAt = null;

  constructor(person, { calls, figures, alarm, logs, websocketOnly }) {
    Object.assign(this, { person, calls, figures, alarm });
    this.log = new Log(logs, person.name, { user: person.id });
    const transports = websocketOnly ? ['websocket'] : ['polling', 'websocket'];
    this.socket = io(calls.bases[person.home], {
      auth: { token: person.token }, forceNew: true, transports, timeout: 5000,
      reconnectionDelay: 100, reconnectionDelayMax: 1500,
    });
    this.sessions = [];
    this.#listen();
  }

  #listen() {
    const { socket } = this;
    socket.on('authenticated', () => this.#arrive());
    socket.on('new_message', (message) => this.#hear(message));
    socket.on('notification', ({ id, type }) => this.log.write('notified', { id, type }));
    socket.on('auth_error', ({ code }) => {
      this.figures.count(`errors.socket ${code}`);
      // The token is good for hours.
      if (code !== 'UPSTREAM_UNAVAILABLE') this.alarm('a good token was refused', { who: this.person.name, code });
    });
    socket.on('disconnect', (reason) => this.#leave(reason));
    socket.on('connect_error', () => this.figures.count('errors.socket connection refused'));
    // A gateway that is gone is not asked for long while there is another one.
    socket.io.on('reconnect_attempt', (attempt) => {
      socket.io.uri = this.calls.bases[(this.person.home + Math.floor(attempt / 2)) % this.calls.bases.length];
    });
  }

  /** Takes part in one more conversation. */
  async enter(session) {
    this.sessions.push(session);
    this.log.write('member', { session });
    if (this.socket.connected && this.#visit) await this.#join(session, this.#visit);
  }

  #arrive() {
    // The official client keeps what came with the end of a connection and tells it at the
    // beginning of the next one.
    if (this.socket.id === this.#place) return;
    this.#place = this.socket.id;
    this.#visit += 1;
    this.figures.count('connections');
    this.log.write('connected', { visit: this.#visit, socket: this.socket.id, transport: this.socket.io.engine.transport.name });
    for (const session of this.sessions) {
      this.#join(session, this.#visit).catch((error) => this.alarm('somebody could not come in', { who: this.person.name, error: error.message }));
    }
  }

  #leave(reason) {
    this.#goneAt ??= Date.now();
    this.#joined.clear();
    this.log.write('gone', { reason });
    // Only after the server's own word the official client stays away.
    if (reason === 'io server disconnect' && !this.closed) setTimeout(() => this.socket.connect(), 300);
  }

  async #join(session, visit) {
    while (this.socket.connected && visit === this.#visit) {
      const last = this.last.get(session)?.id;
      this.log.write('join', { session, visit, last });
      const answer = await this.#emit('join_chat', { session_id: session, last_message_id: last });
      if (visit !== this.#visit) return;
      if (answer?.success) {
        this.#joined.add(session);
        this.log.write('joined', { session, visit, missed: answer.data.missed });
        if (last) this.figures.count('catch-ups');
        else await this.#history(session);
        this.figures.count('caught up', answer.data.missed);
        if (this.#goneAt && this.isIn()) {
          this.figures.measure('away.from the conversation', Date.now() - this.#goneAt, this.person.name);
          this.#goneAt = null;
        }
        return;
      }
      this.#refused('join_chat', answer, { session });
      // Asked twice in one connection it would be answered twice.
      if (!answer) return this.cut();
      await pause(300);
    }
  }

  /** Who has no message yet reads what there is; the socket tells what comes from now on. */
  async #history(session) {
    const messages = [];
    for (let more = true; more;) {
      const before = messages.length ? `&before_message_id=${messages.at(-1).id}` : '';
      const path = `/api/chat/messages?session_id=${session}&limit=100${before}`;
      const page = await this.calls.call(this.person, 'GET', path);
      messages.push(...page.messages.filter(({ seq }) => seq !== null));
      more = page.has_more;
    }
    this.log.write('history', { session, messages: messages.map(({ id, seq }) => ({ id, seq })) });
    const [newest] = messages;
    if (newest && newest.seq > this.reached(session)) this.#reached(session, newest.id, newest.seq);
  }

  /** The acknowledgement, or `null` when none came. */
  async #emit(event, argument) {
    try {
      return await this.socket.timeout(ANSWER).emitWithAck(event, argument);
    } catch {
      return null;
    }
  }

  #refused(event, answer, about) {
    if (!answer) return this.figures.count('errors.socket no answer');
    this.figures.count(`errors.socket ${answer.code}`);
    // These mean: the same again, a little later.
    if (!['UPSTREAM_UNAVAILABLE', 'RATE_LIMIT_EXCEEDED'].includes(answer.code)) {
      this.alarm('a socket event was refused', { who: this.person.name, event, ...about, code: answer.code, error: answer.error });
    }
  }

  #hear({ id, session_id: session, seq, content, type, sender }) {
    this.figures.count('deliveries');
    this.log.write('heard', { id, session, seq, content, type, sender: sender.id, visit: this.#visit });
    if (seq > this.reached(session)) this.#reached(session, id, seq);
  }

  /** Everything up to `seq` is here, and with it what was acknowledged right behind it. */
  #reached(session, id, seq) {
    this.last.set(session, { id, seq });
    const early = this.#early.get(session);
    early?.delete(seq);
    const next = early?.get(seq + 1);
    if (next) this.#reached(session, next, seq + 1);
  }

  #acknowledged(session, client, { id, seq }, way) {
    this.log.write('acknowledged', { session, client, id, seq, way });
    this.figures.count('messages');
    const last = this.reached(session);
    if (seq === last + 1) this.#reached(session, id, seq);
    else if (seq > last) this.#early.set(session, (this.#early.get(session) ?? new Map()).set(seq, id));
  }

  /** The number up to which it has a conversation. */
  reached(session) {
    return this.last.get(session)?.seq ?? 0;
  }

  /** Whether it is in all of its conversations. */
  isIn() {
    return this.socket.connected && this.sessions.every((session) => this.#joined.has(session));
  }

  /** Says something by one of the ways, until it is acknowledged. */
  async say(session, way) {
    this.#sent += 1;
    const client = `${this.person.name}-${this.#sent}`;
    const content = `${client}: هل تسمعني؟ ${way}`;
    this.log.write('said', { session, client, content, way });
    if (way === 'socket') return this.#sayBySocket(session, client, { id: client, content, type: 'text' }, way);
    const body = { session_id: session, content, client_id: client };
    const { id, seq } = await this.calls.call(this.person, 'POST', '/api/chat/messages', body);
    this.#acknowledged(session, client, { id, seq }, way);
    // As the documented frontend does it: what was posted is told to the socket as well.
    if (way === 'both') await this.#sayBySocket(session, client, { id, content, type: 'text' }, way, id);
    return id;
  }

  async #sayBySocket(session, client, message, way, known) {
    const begun = Date.now();
    while (Date.now() - begun < PATIENCE) {
      const answer = this.socket.connected ? await this.#emit('send_message', { session_id: session, message }) : null;
      if (answer?.success) {
        const { message_id: id, seq } = answer.data;
        if (known) this.log.write('repeated', { session, client, id, seq, known });
        else this.#acknowledged(session, client, { id, seq }, way);
        return id;
      }
      if (answer || this.socket.connected) this.#refused('send_message', answer, { session });
      await pause(100 + Math.random() * 400);
    }
    throw new Error(`${client} was not acknowledged within ${PATIENCE / 1000} s`);
  }

  /** Cuts the connection as a network would: without a word. */
  cut() {
    const { engine } = this.socket.io;
    if (!engine || !this.socket.connected) return;
    this.figures.count('cuts');
    this.log.write('cut', {});
    const { ws } = engine.transport;
    if (ws?.terminate) ws.terminate();
    else engine.close();
  }

  async close() {
    this.closed = true;
    this.socket.disconnect();
    await this.log.close();
  }
}
