/** What is counted while it happens. */
export class Figures {
  counts = {};
  worst = {};

  count(name, by = 1) {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  /** Keeps the greatest value of its name, and what it was about. */
  measure(name, value, about) {
    if (!(name in this.worst) || value > this.worst[name].value) this.worst[name] = { value, about };
  }

  /** Those that begin with `prefix`, by the rest of their name. */
  under(prefix) {
    const mine = Object.entries(this.counts).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(mine.map(([name, count]) => [name.slice(prefix.length), count]).sort());
  }

  get(name) {
    return this.counts[name] ?? 0;
  }
}

export const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));
