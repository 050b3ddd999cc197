// Who takes part in the open conversation: their names, who is there, who is typing.
import { me } from './account.js';
import { called, find, make } from './dom.js';

/** Typing is told again so often while it goes on, and believed for so long, in milliseconds. */
const TYPING_AGAIN = 3000;
const TYPING_LASTS = 7000;
/** People whose presence can be asked for at once. */
const MOST_FOLLOWED = 50;

export class Company {
  #line;
  #session;
  #people = new Map();
  #typing = new Map();
  #told_typing = 0;

  constructor(line, session, profiles) {
    this.#line = line;
    this.#session = session;
    for (const person of profiles) {
      this.#people.set(person.id, { name: called(person, person.role), role: person.role, status: 'unknown' });
    }
    this.#show();
  }

  /** What somebody is called here. */
  name(id) { return this.#people.get(id)?.name; }

  /** Everybody else. */
  others() { return [...this.#people].filter(([id]) => id !== me().id).map(([, { name }]) => name); }

  /** Asks who is there, and is told from now on. */
  follow() {
    const user_ids = [...this.#people.keys()].filter((id) => id !== me().id).slice(0, MOST_FOLLOWED);
    return this.#line.ask('presence', { user_ids });
  }

  /** Without a connection nobody knows. */
  lost() {
    for (const person of this.#people.values()) person.status = 'unknown';
    for (const id of [...this.#typing.keys()]) this.is_typing({ user_id: id, is_typing: false });
    this.#show();
  }

  end() {
    this.stopped_typing();
    this.lost();
    find('people').replaceChildren();
  }

  presence({ user_id, status }) {
    const person = this.#people.get(user_id);
    if (!person) return;
    person.status = status;
    this.#show();
  }

  /** The person at this window types. */
  types() {
    const now = Date.now();
    if (now - this.#told_typing < TYPING_AGAIN) return;
    this.#told_typing = now;
    this.#line.tell('typing_start', { session_id: this.#session });
  }

  stopped_typing() {
    if (!this.#told_typing) return;
    this.#told_typing = 0;
    this.#line.tell('typing_stop', { session_id: this.#session });
  }

  /** Somebody else does, or has stopped. */
  is_typing({ user_id, user_name, is_typing }) {
    clearTimeout(this.#typing.get(user_id)?.timer);
    this.#typing.delete(user_id);
    if (is_typing) {
      const timer = setTimeout(() => this.is_typing({ user_id, is_typing: false }), TYPING_LASTS);
      this.#typing.set(user_id, { name: this.name(user_id) ?? user_name, timer });
    }
    const names = [...this.#typing.values()].map(({ name }) => name);
    find('typing').textContent = names.length ? `${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} typing …` : '';
  }

  #show() {
    const shown = [...this.#people].map(([id, { name, role, status }]) => {
      const own = id === me().id;
      return make('li', { 'data-status': own ? 'online' : status }, make('bdi', {}, own ? 'You' : name),
        own ? null : make('span', { class: 'status' }, ` (${name === role ? '' : `${role}, `}${status})`));
    });
    find('people').replaceChildren(...shown);
  }
}
