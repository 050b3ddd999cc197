// What a client saw and was told, a line of JSON each.
import { createWriteStream, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

export class Log {
  #file;

  /** `who` names the file, `facts` stand in each line. */
  constructor(folder, who, facts = {}) {
    this.#file = createWriteStream(join(folder, `${who}.jsonl`));
    this.write('is', { who, ...facts });
  }

  write(event, facts) {
    this.#file.write(`${JSON.stringify({ at: Date.now(), event, ...facts })}\n`);
  }

  async close() {
    this.#file.end();
    await finished(this.#file);
  }
}

/** All logs of a folder: `{ who, lines }`. */
export function read(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort();
  return files.map((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
    return { ...lines[0], lines };
  });
}
