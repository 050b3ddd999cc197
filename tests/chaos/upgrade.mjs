// A new release takes the former one's place while people use the platform: first the
// database, then one process after the other, as `kubectl rollout` would do it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { pause } from './figures.mjs';

const run = promisify(execFile);

export class Upgrade {
  /** What is being replaced, or was a moment ago. */
  #uneasy = false;

  constructor({ platform, binary, random, alarm, figures, tell }) {
    Object.assign(this, { platform, binary, random, alarm, figures, tell });
  }

  /** Whether nothing is being replaced. */
  isCalm() {
    return !this.#uneasy;
  }

  /** Replaces everything before `end`: a third of the time both releases are beside each other. */
  async roll(end) {
    const share = (end - Date.now()) / 6;
    await pause(share);
    await run(this.binary, ['migrate']);
    this.tell('the database is migrated, all processes are of the former release');
    await pause(share);
    await this.#replace(0);
    this.tell('one process of each kind is of the new release');
    await pause(2 * share);
    await this.#replace(1);
    this.tell('all processes are of the new release');
    await pause(Math.max(0, end - Date.now()));
  }

  async #replace(replica) {
    this.#uneasy = true;
    const those = this.platform.all().filter((one) => one.replica === replica);
    for (const one of this.random.shuffled(those)) {
      const began = Date.now();
      await this.platform.replace(one, this.binary);
      this.figures.count('replaced');
      this.figures.measure(`away.${one.kind}`, Date.now() - began);
    }
    this.#uneasy = false;
  }
}
