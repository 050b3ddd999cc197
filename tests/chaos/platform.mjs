// The platform as processes: each service by itself, two replicas of each.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { pause } from './figures.mjs';
import { KINDS } from './plan.mjs';

/** How long a process may take to be ready, in milliseconds. */
const START = 180_000;
/** How long it may take to stop when it is asked to. */
const STOP = 60_000;
const REPLICAS = 2;
/** Below those that the system gives to whoever asks for any. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_000];

function isFree(port) {
  return new Promise((answer) => {
    const server = createServer().once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}

/** Ports that nobody listens on, begun somewhere, so that two runs beside each other seldom meet. */
async function freePorts(count) {
  const found = [];
  let port = FIRST_PORT + (process.pid % 1000) * 10;
  while (found.length < count) {
    if (port > LAST_PORT) port = FIRST_PORT;
    if (await isFree(port)) found.push(port);
    port += 1;
  }
  return found;
}

class Process {
  child = null;
  expected = false;

  constructor(kind, replica, ports, binary) {
    this.kind = kind;
    this.replica = replica;
    this.binary = binary;
    this.name = `${kind}-${replica}`;
    [this.port, this.internal, this.sockets] = ports;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async isReady() {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.internal}/ready`, { signal: AbortSignal.timeout(1500) });
      await answer.text();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

export class Platform {
  /** `alarm` hears of processes that end by themselves. */
  constructor({ binary, folder, alarm }) {
    this.binary = binary;
    this.folder = folder;
    this.alarm = alarm;
  }

  async plan() {
    const ports = await freePorts(KINDS.length * REPLICAS * 3);
    const one = (kind, replica) => new Process(kind, replica, ports.splice(0, 3), this.binary);
    const all = KINDS.flatMap((kind) => [...Array(REPLICAS).keys()].map((replica) => one(kind, replica)));
    this.processes = Object.fromEntries(KINDS.map((kind) => [kind, all.filter((process) => process.kind === kind)]));
    this.bases = this.processes.gateway.map(({ url }) => url);
  }

  all() {
    return Object.values(this.processes).flat();
  }

  async start() {
    for (const process of this.all()) this.#spawn(process);
    await Promise.all(this.all().map((process) => this.ready(process)));
  }

  #environment(one) {
    const urls = (kind) => this.processes[kind].map(({ url }) => url).join(',');
    const sockets = this.processes.sockets.map((process) => `http://127.0.0.1:${process.sockets}`).join(',');
    const { replica } = one;
    const upstreams = {
      IDENTITY: urls('identity'), NOTIFY: urls('notify'), ORDERS: urls('orders'), MEDIA: urls('media'),
      CHAT: urls('api'), SOCKETS: sockets,
    };
    const named = Object.entries(upstreams).map(([service, list]) => [`PARLOUR__GATEWAY__UPSTREAMS__${service}`, list]);
    return {
      ...process.env,
      ...Object.fromEntries(named),
      PARLOUR__GATEWAY__LISTEN: `127.0.0.1:${one.port}`,
      PARLOUR__GATEWAY__INTERNAL_LISTEN: `127.0.0.1:${one.internal}`,
      PARLOUR__HTTP__LISTEN: `127.0.0.1:${one.port}`,
      PARLOUR__HTTP__INTERNAL_LISTEN: `127.0.0.1:${one.internal}`,
      PARLOUR__AUTH__IDENTITY_URL: this.processes.identity[replica].url,
      PARLOUR__CHAT__RUN: one.kind === 'sockets' ? 'sockets' : 'api',
      PARLOUR__CHAT__SOCKETS__LISTEN: `127.0.0.1:${one.sockets}`,
      PARLOUR__CHAT__PUBLIC_URL: this.bases[replica],
      PARLOUR__CHAT__MEDIA_URL: this.bases[replica],
      PARLOUR__NOTIFY__SINK__STATUS_CALLBACK: `${this.bases[replica]}/api/notifications/callbacks/twilio`,
      PARLOUR__MEDIA__PUBLIC_URL: this.bases[replica],
    };
  }

  #spawn(one) {
    const log = openSync(join(this.folder, `${one.name}.log`), 'a');
    const service = { api: 'chat', sockets: 'chat' }[one.kind] ?? one.kind;
    const child = spawn(one.binary, ['run', service], { env: this.#environment(one), stdio: ['ignore', log, log] });
    one.child = child;
    one.expected = false;
    one.gone = new Promise((gone) => {
      child.once('exit', (code, signal) => {
        gone();
        if (one.expected) return;
        this.alarm('a process ended by itself', { who: one.name, code, signal });
        // As whatever watches over processes would.
        setTimeout(() => one.expected || this.#spawn(one), 1000);
      });
    });
  }

  /** Ends it as a crash would. */
  async kill(one) {
    one.expected = true;
    one.child.kill('SIGKILL');
    await one.gone;
  }

  /** Starts it again. */
  async revive(one) {
    this.#spawn(one);
    await this.ready(one);
  }

  /** Has it stop in an orderly way, and starts `binary` in its place. */
  async replace(one, binary) {
    one.expected = true;
    one.child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.alarm('a process does not stop', { who: one.name, seconds: STOP / 1000 });
      one.child.kill('SIGKILL');
    }, STOP);
    await one.gone;
    clearTimeout(late);
    one.binary = binary;
    await this.revive(one);
  }

  async ready(one) {
    const end = Date.now() + START;
    while (!(await one.isReady())) {
      if (Date.now() > end) {
        this.alarm('a process is not ready', { who: one.name, seconds: START / 1000 });
        return false;
      }
      await pause(50);
    }
    return true;
  }

  /** Asks all to stop, and waits. */
  async stop() {
    const running = this.all().filter(({ child }) => child && child.exitCode === null && child.signalCode === null);
    for (const one of running) {
      one.expected = true;
      one.child.kill('SIGTERM');
    }
    const over = pause(20_000).then(() => running.forEach(({ child }) => child.kill('SIGKILL')));
    await Promise.race([Promise.all(running.map(({ gone }) => gone)), over]);
    await Promise.all(running.map(({ gone }) => gone));
  }
}
