// One conversation that is open: what is in it, what is on its way, who is there.
import { call, me } from './account.js';
import { Bubble } from './bubble.js';
import { Company } from './company.js';
import { called, find, say } from './dom.js';
import { No } from './line.js';

/** A message as the page keeps it, from an answer (`profiles`) or from the connection (`sender`). */
function kept(told) {
  return {
    id: told.id, seq: told.seq, client_id: told.client_id, type: told.type, content: told.content,
    sender: told.sender_id ?? told.sender.id, name: told.sender?.name || called(told.profiles, ''),
    at: told.created_at ?? told.timestamp, state: told.moderation_state ?? told.state ?? 'visible',
    link: told.file_url, file_name: told.file_name, file_id: told.file_id, metadata: told.metadata,
    reactions: told.message_reactions, read: told.is_read,
  };
}

export class Talk {
  #line;
  #session;
  /** By id, and what is on its way by our own id for it. */
  #messages = new Map();
  #bubbles = new Map();
  #waiting = [];
  #sending = false;
  #joined = false;
  #was_joined = false;
  #ended = false;
  #older = false;
  #company = null;
  #read = 0;

  constructor(line, session) {
    this.#line = line;
    this.#session = session;
  }

  get id() { return this.#session; }

  async open() {
    const detail = await call('GET', `/api/chat/sessions/${this.#session}`);
    this.#company = new Company(this.#line, this.#session, detail.participant_profiles);
    find('title').textContent = detail.bookings?.services.name ?? (this.#company.others().join(', ') || detail.session_type);
    find('messages').replaceChildren();
    this.#usable(detail.status);
    // What was there before is not read aloud.
    find('scroll').setAttribute('aria-busy', 'true');
    await this.#page().finally(() => find('scroll').removeAttribute('aria-busy'));
    this.#down();
    await this.join();
  }

  end() {
    this.#ended = true;
    this.#company?.end();
    this.#line.tell('leave_chat', { session_id: this.#session });
  }

  /** Comes in, or comes in again: what was missed is told in order before the answer. */
  async join() {
    if (this.#joined || !this.#line.known || !this.#company) return;
    const last = this.#contiguous();
    const { missed } = await this.#line.ask('join_chat', { session_id: this.#session, last_message_id: last?.id });
    if (this.#ended) return;
    if (this.#was_joined) {
      say(`Back again. Missed meanwhile: ${missed}`);
      // Who reacted and who read meanwhile is not told again.
      await this.#page();
    }
    this.#joined = this.#was_joined = true;
    await this.#company.follow();
    this.#mark_read();
    if (find('text').value) this.types();
    await this.#drain();
  }

  lost() {
    this.#joined = false;
    this.#company?.lost();
  }

  /** What is written now is sent as soon as there is a connection, and is one message however often it is sent. */
  send(text) {
    const id = crypto.randomUUID();
    const at = new Date().toISOString();
    const message = { client_id: id, type: 'text', content: text, sender: me().id, at, state: 'waiting' };
    this.#waiting.push(message);
    this.#put(message);
    this.#down();
    this.#company.stopped_typing();
    return this.#drain();
  }

  async upload(path, field, file, name) {
    const form = new FormData();
    form.set('session_id', this.#session);
    form.set(field, file, name);
    this.#put(kept(await call('POST', path, form)));
    this.#down();
  }

  async older() {
    const first = this.#ordered().find(({ seq }) => seq);
    if (first) await this.#page(first.id);
  }

  /** Who has not come in yet is not heard. */
  types() { if (this.#joined) this.#company.types(); }

  stopped_typing() { this.#company?.stopped_typing(); }

  /** What the connection tells; what is not of this conversation is not ours. */
  heard(event, told) {
    if (event === 'presence_state') return told.users.forEach((user) => this.#company?.presence(user));
    if (event === 'presence_update') return this.#company?.presence(told);
    if (told?.session_id !== this.#session) return undefined;
    switch (event) {
      case 'new_message': return this.#came(told);
      case 'message_removed': return this.#change(told.message_id, (message) => { message.state = 'rejected'; });
      case 'message_reaction_update': return this.#reacted(told);
      case 'messages_read': return this.#was_read(told);
      case 'user_typing': return this.#company?.is_typing(told);
      case 'session_locked': return this.#usable('locked');
      case 'session_unlocked': return this.#usable('active');
      case 'session_terminated': return this.#usable('ended');
      default: return undefined;
    }
  }

  #came(told) {
    this.#put(kept(told));
    if (told.sender.id !== me().id) {
      this.#company?.is_typing({ user_id: told.sender.id, is_typing: false });
      this.#mark_read();
    }
    this.#down();
  }

  /** A page of what was said before, the newest if nothing else is asked for. */
  async #page(before) {
    const more = before ? `&before_message_id=${before}` : '';
    const page = await call('GET', `/api/chat/messages?session_id=${this.#session}${more}`);
    if (this.#ended) return;
    for (const message of page.messages.reverse()) this.#put(kept(message));
    if (before || !this.#was_joined) this.#older = page.has_more;
    find('older').hidden = !this.#older;
  }

  /** The last message before which none is missing: what is asked for from there on is all. */
  #contiguous() {
    let last;
    for (const message of this.#ordered().filter(({ seq }) => seq)) {
      if (last && message.seq !== last.seq + 1) break;
      last = message;
    }
    return last;
  }

  #ordered() {
    const late = Number.MAX_SAFE_INTEGER;
    return [...this.#messages.values()].sort((a, b) => (a.seq ?? late) - (b.seq ?? late) || a.at.localeCompare(b.at));
  }

  /** Adds a message, or what is new about one. */
  #put(message) {
    const own = message.client_id && this.#messages.get(message.client_id);
    if (own && message.id) {
      // What was on its way has arrived, by whichever way we hear of it.
      this.#messages.delete(message.client_id);
      this.#bubbles.set(message.id, this.#bubbles.get(message.client_id));
      this.#bubbles.delete(message.client_id);
      this.#waiting = this.#waiting.filter(({ client_id }) => client_id !== message.client_id);
      this.#messages.set(message.id, own);
    }
    const key = message.id ?? message.client_id;
    const before = this.#messages.get(key);
    const news = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
    const now = { reactions: [], ...before, ...news };
    this.#messages.set(key, now);
    this.#show(key, now);
  }

  #show(key, message) {
    const mine = message.sender === me().id;
    const bubble = this.#bubbles.get(key);
    if (bubble) bubble.update(message, mine);
    else this.#bubbles.set(key, new Bubble(message, {
      mine, name: this.#company.name(message.sender) ?? (message.name || 'Somebody'), react: (reaction) => this.#react(message, reaction),
    }));
    this.#place(key);
  }

  /** Puts a message where its number says. */
  #place(key) {
    const keys = this.#ordered().map((message) => message.id ?? message.client_id);
    const next = this.#bubbles.get(keys[keys.indexOf(key) + 1])?.element ?? null;
    const { element } = this.#bubbles.get(key);
    if (element.parentNode && element.nextSibling === next) return;
    find('messages').insertBefore(element, next);
  }

  #change(id, change) {
    const message = this.#messages.get(id);
    if (!message) return;
    change(message);
    this.#show(id, message);
  }

  /** Sends what waits, one after the other, so that it arrives in the order of its writing. */
  async #drain() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#joined && this.#waiting.length > 0) {
        if (!await this.#deliver(this.#waiting[0])) return;
      }
    } finally {
      this.#sending = false;
    }
  }

  /** Whether there is an answer: without one it is sent again when the connection is back. */
  async #deliver(message) {
    const { client_id: id, content, type } = message;
    try {
      const told = await this.#line.ask('send_message', { session_id: this.#session, message: { id, content, type } });
      this.#put({ id: told.message_id, client_id: id, seq: told.seq, at: told.timestamp, state: told.state });
      return true;
    } catch (error) {
      if (!(error instanceof No)) return false;
      this.#waiting = this.#waiting.filter((one) => one.client_id !== id);
      this.#put({ client_id: id, state: 'refused', problem: error.message });
      return true;
    }
  }

  async #react({ id, client_id }, reaction) {
    const now = this.#messages.get(id) ?? [...this.#messages.values()].find((one) => one.client_id === client_id);
    await this.#line.ask('message_reaction', { message_id: now.id, reaction, session_id: this.#session });
  }

  #reacted({ message_id, user_id, reaction, action }) {
    this.#change(message_id, (message) => {
      const others = message.reactions.filter((one) => one.user_id !== user_id || one.reaction !== reaction);
      message.reactions = action === 'added' ? [...others, { user_id, reaction }] : others;
    });
  }

  /** All that the person sees is read. */
  #mark_read() {
    if (document.visibilityState !== 'visible') return;
    const last = this.#ordered().filter(({ seq, sender }) => seq && sender !== me().id).at(-1);
    if (!last || last.seq <= this.#read) return;
    this.#read = last.seq;
    this.#line.tell('mark_read', { session_id: this.#session, message_id: last.id });
  }

  seen() { if (this.#joined) this.#mark_read(); }

  #was_read({ user_id, seq }) {
    if (user_id === me().id) return;
    for (const message of this.#messages.values()) {
      if (message.sender !== me().id || !message.seq || message.seq > seq || message.read) continue;
      this.#change(message.id, (one) => { one.read = true; });
    }
  }

  #usable(status) {
    const closed = status !== 'active';
    for (const field of find('say').elements) field.disabled = closed;
    find('text').placeholder = closed ? `This conversation is ${status}.` : 'Message';
  }

  #down() {
    const place = find('scroll');
    place.scrollTop = place.scrollHeight;
  }
}
