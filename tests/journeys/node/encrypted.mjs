// Two devices talk so that the platform cannot read it. Says what was seen as JSON.
//
//   node encrypted.mjs URL ACCOUNTS SECRET PLAIN
//
// ACCOUNTS is JSON: client and reader, each {email, password}. SECRET is in all that is said
// encrypted, PLAIN in what is said in a conversation of the usual kind.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';

import { Device } from './device.mjs';
import { call, signIn } from './platform.mjs';

const [url, accounts, SECRET, PLAIN] = process.argv.slice(2);
const people = JSON.parse(accounts);
const PATIENCE = 20_000;

/** A connection whose events are taken one after the other, by their name. */
async function connect({ token }) {
  const socket = io(url, { auth: { token }, forceNew: true });
  const heard = [];
  let look = () => {};
  socket.onAny((event, argument) => {
    heard.push({ event, argument });
    look();
  });
  const next = (event) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} came`)), PATIENCE);
    look = () => {
      const place = heard.findIndex((one) => one.event === event);
      if (place < 0) return;
      clearTimeout(late);
      look = () => {};
      resolve(heard.splice(place, 1)[0].argument);
    };
    look();
  });
  const ask = (event, argument) => socket.timeout(PATIENCE).emitWithAck(event, argument);
  await next('authenticated');
  return { next, ask, end: () => socket.disconnect() };
}

/** What a refusal said, in the envelope of an answer. */
async function refusal(work) {
  try {
    await work();
  } catch (error) {
    return error.code ?? error.message;
  }
  throw new Error('it was not refused');
}

const ana = { ...await signIn(url, people.client), device: new Device('phone', 3) };
const ben = { ...await signIn(url, people.reader), device: new Device('desk', 2) };
const api = (person, method, path, body) => call(url, person.token, method, path, body);
const seen = { messages: [] };

// Each publishes, and asks for the other's keys. The one-time prekeys are handed out once.
seen.published = [];
for (const person of [ana, ben]) seen.published.push((await api(person, 'PUT', '/api/chat/keys', person.device.bundle())).one_time_prekeys);
const fetched = [];
for (let time = 0; time < 3; time++) fetched.push((await api(ana, 'GET', `/api/chat/keys/${ben.id}`)).devices[0]);
seen.handed = fetched.map(({ one_time_prekey: key }) => key?.id ?? null);
const forged = { ...fetched[0], signed_prekey: ana.device.bundle().signed_prekey };
seen.forged = await refusal(() => ana.device.begin(forged));

const session = (await api(ana, 'POST', '/api/chat/sessions', { participants: [ben.id], metadata: { encryption: 'e2ee' } })).id;
const [here, there] = [await connect(ana), await connect(ben)];
for (const end of [here, there]) assert.equal((await end.ask('join_chat', { session_id: session })).success, true);

/** Says it over the socket, and answers what arrived on the other side. */
async function say(from, to, pair, text) {
  const content = pair.seal(session, text);
  const message = { id: crypto.randomUUID(), content, type: 'encrypted' };
  const { success, data } = await from.ask('send_message', { session_id: session, message });
  assert.equal(success, true);
  const told = await to.next('new_message');
  assert.deepEqual([told.id, told.type, told.content], [data.message_id, 'encrypted', content]);
  seen.messages.push(told.id);
  return told.content;
}

// The first message carries what the other device needs; nobody else can open it.
const mine = ana.device.begin(fetched[0]);
const first = await say(here, there, mine, `${SECRET}: the first words`);
const theirs = ben.device.accept(first);
seen.first = theirs.open(session, first);
seen.replayed = [await refusal(() => theirs.open(session, first)), await refusal(() => ben.device.accept(first))];
for (let turn = 0; turn < 3; turn++) {
  const there_said = `${SECRET}: answer ${turn} سلام`;
  assert.equal(mine.open(session, await say(there, here, theirs, there_said)), there_said);
  const here_said = `${SECRET}: question ${turn} 🙏`;
  assert.equal(theirs.open(session, await say(here, there, mine, here_said)), here_said);
}

// By REST it is the same message: everybody's sockets hear it, the sender's too.
const posted = mine.seal(session, `${SECRET}: by the other way`);
const { id, content } = await api(ana, 'POST', '/api/chat/messages', { session_id: session, content: posted, type: 'encrypted' });
const told = await there.next('new_message');
assert.deepEqual([told.id, told.content, content], [id, posted, posted]);
seen.messages.push(id);
seen.posted = theirs.open(session, told.content);
// A changed byte, and a message carried into another conversation, are refused by the device.
const last = mine.seal(session, `${SECRET}: changed on the way`);
const { head, box } = JSON.parse(last);
const broken = Buffer.from(box, 'base64');
broken[0] ^= 1;
seen.changed = [
  await refusal(() => theirs.open(session, JSON.stringify({ head, box: broken.toString('base64') }))),
  await refusal(() => theirs.open(crypto.randomUUID(), last)),
];
assert.equal(theirs.open(session, last), `${SECRET}: changed on the way`);

// What is not encrypted is refused on every way, and what is refused is not kept.
const words = `${SECRET} in the clear`;
seen.refused = {
  rest: await refusal(() => api(ana, 'POST', '/api/chat/messages', { session_id: session, content: words })),
  socket: (await here.ask('send_message', { session_id: session, message: { id: 'plain', content: words, type: 'text' } })).code,
};

// The history is what was sent, the newest first, with the ids that the sockets told.
const { messages } = await api(ben, 'GET', `/api/chat/messages?session_id=${session}`);
seen.history = messages.map((message) => message.id).reverse();
seen.types = [...new Set(messages.map(({ type }) => type))];

// A conversation of the usual kind beside it, for whoever wants to know whether a search finds anything.
const usual = (await api(ana, 'POST', '/api/chat/sessions', { participants: [ben.id] })).id;
seen.plain = (await api(ana, 'POST', '/api/chat/messages', { session_id: usual, content: PLAIN })).id;
seen.box = JSON.parse(first).box;
here.end();
there.end();
process.stdout.write(JSON.stringify({ session, people: [ana.id, ben.id], ...seen }));
