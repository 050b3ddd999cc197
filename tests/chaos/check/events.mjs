// Events: all published, all handled, once and in the order of their aggregate.
import { SCHEMAS } from '../schemas.mjs';
import { grouped } from './violations.mjs';

/** Lanes of a relay's locks, for each service. */
export const LANES = 16;

export function check(facts, violations) {
  published(facts, violations);
  handled(facts, violations);
  for (const { service, event_id: event, type, state, last_error: error } of facts.parked) {
    violations.add('an event is parked', { service, event, type, state, error });
  }
  for (const { name, messages } of facts.queues) {
    if (messages) violations.add('a queue is not empty', { queue: name, messages });
  }
  locks(facts, violations);
}

function published({ outbox, versions }, violations) {
  const last = new Map(versions.map((row) => [`${row.service}/${row.aggregate}`, row.version]));
  for (const [place, rows] of grouped(outbox, (row) => `${row.service}/${row.aggregate}`)) {
    rows.sort((a, b) => a.version - b.version);
    if (!rows.every(({ version }, at) => version === at + 1) || rows.at(-1).version !== last.get(place)) {
      violations.add('versions of an aggregate have holes', { aggregate: place, versions: rows.map(({ version }) => version), last: last.get(place) });
    }
    let before = 0;
    for (const { id, version, published_at: at } of rows) {
      if (at === null) violations.add('an event was not published', { aggregate: place, version, event: id });
      else if (at < before) violations.add('an event was published before an earlier one', { aggregate: place, version, event: id });
      before = Math.max(before, at ?? 0);
    }
  }
}

function handled({ inbox, unhandled }, violations) {
  for (const { service, id } of unhandled) violations.add('an event was not handled', { service, event: id });
  for (const [event, rows] of grouped(inbox, (row) => `${row.service}/${row.event_id}`)) {
    if (rows.length > 1) violations.add('an event was handled twice', { event, times: rows.length });
  }
  for (const [place, rows] of grouped(inbox, (row) => `${row.service} of ${row.source}/${row.aggregate}`)) {
    rows.sort((a, b) => a.received_at - b.received_at);
    const wrong = rows.find(({ version }, at) => at > 0 && version <= rows[at - 1].version);
    if (wrong) violations.add('an event was handled before an earlier one', { aggregate: place, event: wrong.event_id, versions: rows.map(({ version }) => version) });
  }
}

function locks({ lanes, stuck }, violations) {
  for (const service of SCHEMAS) {
    const { lanes: held, locks: count } = lanes.find(({ role }) => role === `parlour_${service}`) ?? { lanes: 0, locks: 0 };
    if (held !== LANES || count !== LANES) violations.add('lanes of a relay are not held once each', { service, lanes: held, locks: count });
  }
  for (const row of stuck) violations.add('a transaction does not end', row);
}
