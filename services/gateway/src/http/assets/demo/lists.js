// The conversations and the notifications beside them.
import { call, me } from './account.js';
import { called, clock, find, make } from './dom.js';

/** Notifications that are shown at the most. */
const MOST_NOTICES = 30;

const heard = new Map();

/** Shows the conversations, the last active first; `open` is called with the one that is chosen. */
export async function sessions(open, current) {
  const { sessions: list } = await call('GET', '/api/chat/sessions?status=all&limit=50');
  const names = await Promise.all(list.map(title));
  find('sessions').replaceChildren(...list.map((session, at) => line(session, names[at], session.id === current, open)));
  find('no-sessions').hidden = list.length > 0;
}

function line({ id, status, session_type: type, unread_count: unread }, name, current, open) {
  const count = unread && !current ? make('span', { class: 'count', 'aria-label': `${unread} unread` }, String(unread)) : null;
  const kind = make('span', { class: 'kind' }, status === 'active' ? type : `${type}, ${status}`);
  const attributes = { type: 'button', 'aria-current': current && 'true', onclick: () => open(id) };
  return make('li', {}, make('button', attributes, make('bdi', {}, name), kind, count));
}

const titles = new Map();

/** What a conversation is called: what was ordered, or with whom it is. */
async function title({ id, bookings }) {
  if (bookings) return bookings.services.name;
  const key = `${me().id} ${id}`;
  if (!titles.has(key)) {
    const { participant_profiles: people, session_type: kind } = await call('GET', `/api/chat/sessions/${id}`);
    const others = people.filter((person) => person.id !== me().id);
    titles.set(key, others.map((person) => called(person, person.role)).join(', ') || kind);
  }
  return titles.get(key);
}

/** Those that are there when the page opens. */
export async function notices() {
  heard.clear();
  const { notifications } = await call('GET', `/api/notifications?limit=${MOST_NOTICES}`);
  for (const one of notifications.reverse()) heard.set(one.id, one);
  show();
}

/** One that came over the connection. */
export function notice(told) {
  heard.set(told.id, told);
  if (heard.size > MOST_NOTICES) heard.delete(heard.keys().next().value);
  show();
}

/** What was read elsewhere; all of them without an id. */
export function noticed({ id }) {
  for (const one of heard.values()) if (!id || one.id === id) one.is_read = true;
  show();
}

function show() {
  const list = [...heard.values()].reverse();
  find('notices').replaceChildren(...list.map((one) => make('li', { class: one.is_read ? 'read' : '', 'data-type': one.type },
    make('strong', { dir: 'auto' }, one.title), make('p', { dir: 'auto' }, one.message), clock(one.created_at),
    one.is_read ? null : make('button', { type: 'button', class: 'quiet', onclick: () => read(one) }, 'Read'))));
  const unread = list.filter((one) => !one.is_read).length;
  find('unread').hidden = unread === 0;
  find('unread').textContent = String(unread);
}

async function read(one) {
  await call('PUT', `/api/notifications/${one.id}/read`).catch(() => {});
  noticed(one);
}
