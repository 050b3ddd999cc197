// People in rooms who talk all the time, lose their connections, and people who join them.
import { pause } from './figures.mjs';
import { Log } from './log.mjs';
import { each, register, signIn } from './people.mjs';

const WAYS = ['rest', 'socket', 'both'];
/** Between two messages of a person, and between two cuts of a connection, in milliseconds. */
const SPEAKS = [2000, 8000];
const LOSES = [4000, 16_000];

/** Rooms of people, each in one: `{ session, talkers }`. */
export async function open({ talkers, rooms, calls, host }) {
  const places = Array.from({ length: rooms }, (_, room) => talkers.filter((_, at) => at % rooms === room));
  return each(places, 4, async (inside) => {
    const participants = inside.map(({ person }) => person.id);
    const { id } = await calls.call(host, 'POST', '/api/chat/sessions', { session_type: 'general', participants });
    return { session: id, talkers: inside };
  });
}

/** Says something now and then until `end`; every message is acknowledged when this is over. */
export async function chatter(talker, session, random, end) {
  for (;;) {
    await pause(random.between(...SPEAKS));
    if (Date.now() >= end) return;
    await talker.say(session, random.pick(WAYS));
  }
}

/** Cuts the connection now and then until `end`. */
export async function stumble(talker, random, end) {
  for (;;) {
    await pause(random.between(...LOSES));
    if (Date.now() >= end) return;
    talker.cut();
  }
}

/** Signs people up, one after the other, and in again. */
export async function newcomers({ calls, logs, bases, end, figures }) {
  const log = new Log(logs, 'newcomers');
  for (let n = 1; Date.now() < end; n++) {
    const person = await register(calls, `newcomer-${n}`, n % bases.length);
    await signIn(calls, person);
    figures.count('newcomers');
    log.write('registered', { email: person.email, user: person.id });
    await pause(1500);
  }
  await log.close();
}
