// The one connection: chat, notifications and alerts.
import { freshFor, me, renew, token } from './account.js';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 10_000;

/** The other side said no: asking again would not help. */
export class No extends Error {
  constructor({ code, error }) {
    super(error);
    this.code = code;
  }
}

export class Line {
  #socket;
  #timer;
  #told;
  /** Whether the platform knows who speaks. */
  known = false;

  /** `told` has `state(text, kind)`, `ready()`, `lost()`, `out()`, and `heard(event, argument)` for all the rest. */
  constructor(io, told) {
    this.#told = told;
    // Each attempt asks for the token of that moment.
    this.#socket = io({ auth: (give) => give({ token: token() }), reconnectionDelayMax: 2000 });
    this.#socket.onAny((event, argument) => this.#hear(event, argument));
    this.#socket.on('disconnect', (why) => this.#gone(why));
    this.#socket.io.on('reconnect_attempt', () => told.state('connecting again …', 'waiting'));
    told.state('connecting …', 'waiting');
  }

  /** Emits and answers what came of it. */
  async ask(event, argument) {
    const answer = await this.#socket.timeout(PATIENCE).emitWithAck(event, argument);
    if (!answer.success) throw new No(answer);
    return answer.data;
  }

  /** Says what needs no answer; nothing while there is no connection. */
  tell(event, argument) {
    if (this.#socket.connected) this.#socket.emit(event, argument);
  }

  end() {
    clearTimeout(this.#timer);
    this.#socket.off();
    this.#socket.disconnect();
  }

  #hear(event, argument) {
    if (event === 'authenticated') {
      this.#told.state('connected', 'on');
      this.known = true;
      this.#renewInTime();
      this.#told.ready();
    } else if (event === 'auth_error') {
      this.#again();
    } else {
      this.#told.heard(event, argument);
    }
  }

  #gone(why) {
    clearTimeout(this.#timer);
    this.known = false;
    this.#told.state('the connection is lost', 'off');
    this.#told.lost();
    // Sent away by the server, the client does not come back by itself.
    if (why === 'io server disconnect') this.#timer = setTimeout(() => this.#socket.connect(), 1000);
  }

  /** The token was not taken: with a newer one, or not at all. */
  async #again() {
    try {
      await renew();
    } catch {
      if (!me()) this.#told.out();
    }
  }

  /** A connection lasts as long as its token, and is renewed in place. */
  #renewInTime() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      try {
        await renew();
        await this.ask('reauthenticate', { token: token() });
        this.#renewInTime();
      } catch {
        if (!me()) this.#told.out();
      }
    }, freshFor());
  }
}
