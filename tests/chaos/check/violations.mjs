/** Collects what does not hold: which rule, for whom, and the ids to look for. */
export class Violations {
  found = [];

  add(rule, facts) {
    this.found.push({ rule, ...facts });
  }

  /** How many there are of each rule. */
  counts() {
    const counts = {};
    for (const { rule } of this.found) counts[rule] = (counts[rule] ?? 0) + 1;
    return counts;
  }
}

/** Rows by what `key` makes of them: lists. */
export function grouped(rows, key) {
  const groups = new Map();
  for (const row of rows) {
    const name = key(row);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(row);
  }
  return groups;
}
