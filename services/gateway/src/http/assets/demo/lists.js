// The conversations and the notifications beside them.
import { call, me } from './account.js';
import { clock, find, make } from './dom.js';

/** Notifications that are shown at the most. */
const MOST_NOTICES = 30;

const heard = new Map();

/** Shows the conversations, the last active first; `open` is called with the one that is chosen. */
export async function sessions(open, current) {
  const { sessions: list } = await call('GET', '/api/chat/sessions?status=all&limit=50');
  const names = await Promise.all(list.map(title));
  find('sessions').replaceChildren(...list.map((session, at) => make('li', {},
    make('button', { type: 'button', 'data-id': session.id, 'aria-current': session.id === current ? 'true' : false, onclick: () => open(session.id) },
      make('bdi', {}, names[at]),
      make('span', { class: 'kind' }, session.status === 'active' ? session.session_type : `${session.session_type}, ${session.status}`),
      session.unread_count && session.id !== current ? make('span', { class: 'count', 'aria-label': `${session.unread_count} unread` }, String(session.unread_count)) : null))));
  find('no-sessions').hidden = list.length > 0;
}

const titles = new Map();

/** What a conversation is called: what was ordered, or with whom it is. */
async function title({ id, bookings }) {
  if (bookings) return bookings.services.name;
  if (!titles.has(id)) {
    const { participant_profiles: people, session_type: kind } = await call('GET', `/api/chat/sessions/${id}`);
    const others = people.filter((person) => person.id !== me().id);
    const names = others.map((person) => [person.first_name, person.last_name].filter(Boolean).join(' ') || person.role);
    titles.set(id, names.join(', ') || kind);
  }
  return titles.get(id);
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
