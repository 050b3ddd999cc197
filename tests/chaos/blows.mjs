// Deals the blows of a plan, and brings back what they killed.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { pause } from './figures.mjs';
import { KINDS } from './plan.mjs';

const run = promisify(execFile);
/** After a blow and after a return things may be uneasy for so long, in milliseconds. */
const CALM = 2000;

export class Blows {
  /** What is on its way back, by what it is. */
  #coming = new Map();
  /** When something was struck or came back the last time. */
  #last = 0;

  constructor({ platform, database, engines, home, figures, tell }) {
    Object.assign(this, { platform, database, engines, home, figures, tell });
  }

  /** Whether everything is there, and has been for a while. */
  isCalm() {
    return this.#coming.size === 0 && Date.now() - this.#last > CALM;
  }

  /** Deals them until `end`, and answers when everything is back. */
  async deal(plan, end) {
    for (const blow of plan) {
      // What is still coming back cannot be killed again.
      await this.#coming.get(blow.what);
      if (Date.now() >= end) break;
      await this.#strike(blow);
      await pause(Math.min(blow.calm, Math.max(0, end - Date.now())));
    }
    await Promise.all(this.#coming.values());
  }

  async #strike(blow) {
    this.#last = Date.now();
    if (blow.what === 'connections') {
      const lost = await this.#cut(blow.of);
      this.tell(`${lost} connections to the database cut (${blow.of})`);
      return this.figures.count('kills.connections');
    }
    const began = Date.now();
    if (blow.what === 'broker') {
      this.tell('the broker killed');
      this.figures.count('kills.broker');
      await run(this.engines, ['crash', '--home', this.home]);
      return this.#comesBack(blow, began, () => run(this.engines, ['start', '--tests', '--home', this.home]));
    }
    const victims = blow.replicas.map((replica) => this.platform.processes[blow.what][replica]);
    this.tell(`${victims.map(({ name }) => name).join(' and ')} killed`);
    this.figures.count(`kills.${blow.what}`, victims.length);
    await Promise.all(victims.map((victim) => this.platform.kill(victim)));
    return this.#comesBack(blow, began, () => Promise.all(victims.map((victim) => this.platform.revive(victim))));
  }

  #comesBack({ what, down }, began, revive) {
    const coming = pause(down).then(revive).then(() => {
      this.figures.measure(`away.${what}`, Date.now() - began);
      this.#coming.delete(what);
      this.#last = Date.now();
    });
    this.#coming.set(what, coming);
  }

  async #cut(schema) {
    const roles = schema === 'everybody' ? 'parlour\\_%' : `parlour\\_${schema}`;
    const cut = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE $1';
    return (await this.database.query(cut, [roles])).rowCount;
  }
}

/** Everything that `figures` knows of kills, each kind named. */
export function kills(figures) {
  return Object.fromEntries([...KINDS, 'broker', 'connections'].map((what) => [what, figures.get(`kills.${what}`)]));
}
