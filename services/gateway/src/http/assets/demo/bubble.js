// One message as it is seen.
import { call } from './account.js';
import { careful, clock, make } from './dom.js';
import { seconds, wave } from './sound.js';

export const REACTIONS = ['👍', '❤️', '😂', '🙏'];

/** Links to files open them without a header; their path does so at this address, which is
 * all that the page may talk to. */
function here(link) {
  const { pathname, search } = new URL(link, location.href);
  return pathname + search;
}

const STATES = {
  waiting: 'waiting for the connection',
  refused: 'not sent',
  held: 'only you see it yet',
  sent: 'sent',
  read: 'read',
};

export class Bubble {
  #body = make('div', { class: 'body' });
  #foot = make('span', { class: 'state' });
  #marks = make('ul', { class: 'marks', 'aria-label': 'Reactions' });
  #choice;
  #shown = '';

  constructor(message, { mine, name, react }) {
    const choice = REACTIONS.map((reaction) =>
      make('button', { type: 'button', 'aria-label': `React with ${reaction}`, onclick: careful(() => react(reaction)) }, reaction));
    this.#choice = make('div', { class: 'choice', role: 'group', 'aria-label': 'React' }, ...choice);
    this.element = make('li', { class: mine ? 'message mine' : 'message' },
      make('p', { class: 'by' }, make('bdi', {}, mine ? 'You' : name), ' ', clock(message.at), ' ', this.#foot),
      this.#body, this.#marks, this.#choice);
    this.update(message, mine);
  }

  /** Shows what has changed; a recording that plays goes on. */
  update(message, mine) {
    this.element.dataset.id = message.id ?? '';
    this.element.dataset.seq = message.seq ?? '';
    this.element.dataset.state = message.state;
    this.#foot.textContent = this.#state(message, mine);
    this.#choice.hidden = !message.seq || message.state === 'rejected';
    const { type, link, state } = message;
    // A link is signed anew in each answer; the file behind it is the same.
    const now = JSON.stringify([type, message.content, Boolean(link), state]);
    if (now !== this.#shown) {
      this.#shown = now;
      this.#body.replaceChildren(...content(message));
    }
    this.#mark(message);
  }

  #state(message, mine) {
    if (message.problem) return `not sent: ${message.problem}`;
    if (!mine || message.state === 'rejected') return '';
    if (message.state !== 'visible') return STATES[message.state] ?? '';
    return message.read ? STATES.read : STATES.sent;
  }

  #mark(message) {
    const counts = new Map();
    for (const { reaction } of message.reactions) counts.set(reaction, (counts.get(reaction) ?? 0) + 1);
    this.#marks.hidden = counts.size === 0;
    this.#marks.replaceChildren(...[...counts].map(([reaction, count]) => make('li', {}, `${reaction} ${count}`)));
  }
}

/** What was said, or what stands for it. */
function content(message) {
  if (message.state === 'rejected') return [make('p', { class: 'gone' }, 'This message was removed.')];
  const words = message.content ? [make('p', { dir: 'auto', class: 'words' }, message.content)] : [];
  if (message.type === 'encrypted') return [make('p', { class: 'gone' }, 'Encrypted for other devices than this page.')];
  if (!message.link) return words;
  // Nobody can open a file before it was looked at.
  if (message.state === 'held') return [make('p', { class: 'gone', dir: 'auto' }, message.file_name ?? 'A file'), ...words];
  const source = here(message.link);
  if (message.type === 'image') {
    return [make('img', { src: source, alt: message.file_name ?? 'Picture', loading: 'lazy' }), ...words];
  }
  if (message.type === 'voice') return [recording(message, source)];
  const name = message.file_name ?? 'File';
  return [make('a', { href: source, target: '_blank', rel: 'noopener' }, make('bdi', {}, name)), ...words];
}

/** A recording to be played, with its length and its shape as the platform measured them. */
function recording(message, source) {
  const shape = make('div', { class: 'shape' });
  const box = make('div', { class: 'voice' }, shape, make('audio', { controls: true, preload: 'none', src: source }),
    make('span', { class: 'length' }, seconds(message.metadata?.duration)));
  if (message.file_id) {
    about(message.file_id)
      .then(({ file }) => { if (file.waveform) shape.replaceChildren(wave(file.waveform)); })
      // Without its shape it plays as well.
      .catch(() => {});
  }
  return box;
}

/** Pauses in milliseconds: media hears whose conversation a file belongs to a moment after the people do. */
const PAUSES = [200, 500, 1000, 2000, 4000];

/** What media tells about a file of the conversation. */
async function about(file) {
  for (const pause of PAUSES) {
    try {
      return await call('GET', `/api/media/files/${file}`);
    } catch (error) {
      if (error.status !== 404) throw error;
      await new Promise((over) => { setTimeout(over, pause); });
    }
  }
  return call('GET', `/api/media/files/${file}`);
}
