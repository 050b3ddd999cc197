// What happens to the platform, and in which order: the same with the same seed.
import { Random } from './random.mjs';
import { SCHEMAS } from './schemas.mjs';

/** What can die, and which of the services' schemas have connections to lose. */
export const KINDS = ['gateway', 'identity', 'notify', 'orders', 'media', 'api', 'sockets'];
const SCOPES = [...SCHEMAS, 'everybody'];
/** How often both replicas of a kind die at once. */
const BOTH = 0.15;

/**
 * Blows without an end: in every round each kind of process, the broker and the
 * connections to the database once, in a new order.
 */
export function* plan(seed) {
  const random = new Random(seed);
  for (;;) {
    for (const what of random.shuffled([...KINDS, 'broker', 'connections'])) {
      // How long it stays down, and how long after the blow the next one comes, in milliseconds.
      const blow = { what, down: random.between(200, 2000), calm: random.between(1000, 4000) };
      const both = random.next() < BOTH;
      const first = random.between(0, 1);
      if (KINDS.includes(what)) blow.replicas = both ? [0, 1] : [first];
      if (what === 'connections') blow.of = random.pick(SCOPES);
      yield blow;
    }
  }
}
