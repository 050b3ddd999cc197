// The second half of the demonstration: client and reader talk over real sockets while
// the order goes on, with the official client of Socket.IO.
import { io } from 'socket.io-client';

import { BASE, call, pause, tell, until } from './people.mjs';

/** A connection that remembers what it heard. */
function connect(person, options = {}) {
  const socket = io(BASE, { auth: { token: person.token }, forceNew: true, ...options });
  const heard = [];
  socket.onAny((event, argument) => heard.push({ event, argument, at: Date.now() }));
  /** Waits for an event that fits, and answers it. */
  const next = (event, fits = () => true) => until(`${person.name}'s ${event}`, () => {
    const place = heard.findIndex((one) => one.event === event && fits(one.argument));
    return place < 0 ? null : heard.splice(place, 1)[0].argument;
  });
  return { socket, heard, next };
}

/** Emits and answers what came of it; anything but success ends the demonstration. */
async function emit({ socket }, event, argument) {
  const { success, data, error } = await socket.timeout(10_000).emitWithAck(event, argument);
  if (!success) throw new Error(`${event} was refused: ${error}`);
  return data;
}

/** A picture of one pixel, and a second of a tone as an uncompressed recording. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64');
function recording() {
  const rate = 8000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + rate * 2, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24); head.writeUInt32LE(rate * 2, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34);
  head.write('data', 36); head.writeUInt32LE(rate * 2, 40);
  const sound = Buffer.alloc(rate * 2);
  for (let at = 0; at < rate; at++) sound.writeInt16LE(Math.round(9000 * Math.sin(at / 3)), at * 2);
  return Buffer.concat([head, sound]);
}

async function upload(person, path, session, field, file, name, type) {
  const form = new FormData();
  form.set('session_id', session);
  form.set(field, new Blob([file], { type }), name);
  const headers = { authorization: `Bearer ${person.token}`, 'idempotency-key': crypto.randomUUID() };
  const answer = await fetch(BASE + path, { method: 'POST', headers, body: form });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
}

/** The order's conversation begins with its reader. */
async function session(person, order) {
  return until('the conversation', async () => {
    const { sessions } = await call(person, 'GET', `/api/chat/sessions?booking_id=${order.id}`);
    return sessions[0]?.id;
  });
}

export async function converse({ amal, reader, monitor }, order) {
  const id = await session(amal, order);
  const mine = connect(amal);
  let theirs = connect(reader, { transports: ['websocket'] });
  for (const [person, end] of [[amal, mine], [reader, theirs]]) {
    await end.next('authenticated');
    await emit(end, 'join_chat', { session_id: id });
    tell(person.name, `joins the conversation over ${end.socket.io.engine.transport.name}`);
  }
  const say = async (person, end, other, content) => {
    const begun = Date.now();
    await emit(end, 'send_message', { session_id: id, message: { id: crypto.randomUUID(), content, type: 'text' } });
    const { at } = await until('the message', () =>
      other.heard.find(({ event, argument }) => event === 'new_message' && argument.content === content));
    tell(person.name, `says “${content}” (heard after ${at - begun} ms)`);
  };
  theirs.socket.emit('typing_start', { session_id: id });
  await mine.next('user_typing');
  tell('client', '  sees that the reader is typing');
  await say(reader, theirs, mine, 'Good evening. What is on your mind?');
  await say(amal, mine, theirs, 'A move to another town. سلام');

  const { message_id: last } = await emit(mine, 'send_message', { session_id: id, message: { id: 'before', content: 'Are you there?', type: 'text' } });
  await theirs.next('new_message', ({ id: seen }) => seen === last);
  theirs.socket.disconnect();
  tell('reader', 'loses the connection');
  for (const content of ['It began last week.', 'My sister thinks I should stay.']) {
    await emit(mine, 'send_message', { session_id: id, message: { id: crypto.randomUUID(), content, type: 'text' } });
  }
  theirs = connect(reader);
  await theirs.next('authenticated');
  const { missed } = await emit(theirs, 'join_chat', { session_id: id, last_message_id: last });
  tell('reader', `is back and hears the ${missed} messages that came meanwhile, in order`);

  await upload(amal, '/api/chat/files', id, 'file', PICTURE, 'cup.png', 'image/png');
  const picture = await theirs.next('new_message', ({ type }) => type === 'image');
  const seen = await fetch(picture.file_url);
  tell('reader', `  sees the picture ${picture.file_name} (${seen.status}, ${seen.headers.get('content-type')})`);
  await upload(amal, '/api/chat/voice-notes', id, 'voice_note', recording(), 'note.wav', 'audio/wav');
  const note = await theirs.next('new_message', ({ type }) => type === 'voice');
  tell('reader', `  hears the voice note of ${note.metadata?.duration} s`);

  const watching = connect(monitor);
  await watching.next('authenticated');
  await emit(watching, 'join_chat', { session_id: id });
  await say(reader, theirs, watching, 'Thank you, I see it now.');
  tell('monitor', '  sees it too');
  watching.socket.disconnect();
  return {
    /** The news of the delivery comes over the same connection. */
    delivered: async () => {
      const news = await mine.next('notification', ({ type }) => type === 'order_delivered');
      tell('client', `  hears over the socket: “${news.title}”`);
      await pause(0);
    },
    end: () => [mine, theirs].forEach(({ socket }) => socket.disconnect()),
  };
}
