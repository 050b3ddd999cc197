// The main job: an order from the wish to the rated result, by people who talk on the way.
import { pause } from './figures.mjs';
import { Log } from './log.mjs';

/** How long what follows from an event may take, in milliseconds. */
const PATIENCE = 240_000;
/** A picture of one pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64');

async function until(what, attempt) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${PATIENCE / 1000} s`);
    await pause(300);
  }
}

/** A client and a reader, who have one order after the other. */
export class Desk {
  constructor({ name, client, reader, monitor, admin, service, calls, figures, logs }) {
    Object.assign(this, { name, client, reader, monitor, admin, service, calls, figures });
    this.log = new Log(logs, name, { client: client.person.id, reader: reader.person.id });
  }

  /** Order after order until `end`. The last one is finished. */
  async work(end) {
    for (let turn = 1; Date.now() < end; turn++) {
      const began = Date.now();
      await this.#order(turn);
      this.figures.count('orders');
      this.figures.measure('order', Date.now() - began, this.name);
    }
  }

  /** Makes a move and notes that it was acknowledged. */
  async #move(person, order, action, body) {
    const path = action === 'create' ? '/api/orders' : `/api/orders/${order}/${action}`;
    const data = await this.calls.call(person, 'POST', path, body);
    const { id, status, version } = data.order;
    this.log.write('moved', { order: id, action, status, version, by: person.id });
    return data.order;
  }

  async #order(turn) {
    const { client, reader } = this;
    const wish = { service_id: this.service, notes: `${this.name}-${turn}`, preferred_reader_id: reader.person.id };
    const { id: order } = await this.#move(client.person, null, 'create', wish);
    await this.#move(this.admin, order, 'assign', { reader_id: reader.person.id });
    await this.#talk(order);
    if (turn % 3 === 0) {
      await this.#move(reader.person, order, 'result', { text: 'Yes.', media_ids: [] });
      await this.#move(this.monitor, order, 'reject', { reason: 'One word is not a reading.' });
    }
    const text = `What the cards say to ${this.name}-${turn}`;
    await this.#move(reader.person, order, 'result', { text, media_ids: [] });
    await this.#move(this.monitor, order, 'approve', {});
    const { order: read } = await this.calls.call(client.person, 'GET', `/api/orders/${order}`);
    this.log.write('read', { order, status: read.status, text: read.result?.text, expected: text, notes: read.notes });
    await this.#news(client.person, order, 'order_delivered');
    await this.#move(client.person, order, 'review', { rating: 5, comment: 'Thank you.' });
    this.log.write('finished', { order });
  }

  /** The order's conversation begins with its reader. */
  async #talk(order) {
    const { client, reader } = this;
    const session = await until('the conversation', async () => {
      const { sessions } = await this.calls.call(client.person, 'GET', `/api/chat/sessions?booking_id=${order}`);
      return sessions[0]?.id;
    });
    this.log.write('talks', { order, session });
    await Promise.all([client.enter(session), reader.enter(session)]);
    await Promise.all([client.say(session, 'rest'), reader.say(session, 'socket')]);
    const picture = await this.#show(session);
    await Promise.all([client.say(session, 'both'), reader.say(session, 'rest')]);
    this.log.write('shown', { session, id: picture.id });
  }

  async #show(session) {
    return this.calls.form(this.client.person, '/api/chat/files', () => {
      const form = new FormData();
      form.set('session_id', session);
      form.set('file', new Blob([PICTURE], { type: 'image/png' }), 'cup.png');
      return form;
    });
  }

  async #news(person, order, type) {
    await until(`the notification ${type} of ${order}`, async () => {
      const { notifications } = await this.calls.call(person, 'GET', `/api/notifications?type=${type}&limit=20`);
      const mine = notifications.filter(({ data }) => data.order_id === order);
      if (mine.length) this.log.write('told', { order, type, ids: mine.map(({ id }) => id) });
      return mine.length;
    });
  }
}
