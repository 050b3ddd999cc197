// Notifications and mails: one of a kind for each move and each person whom it concerns.
import { grouped } from './violations.mjs';

const ENDED = ['sent', 'delivered', 'skipped'];

export function check(logs, facts, violations, figures) {
  const people = new Map();
  for (const { lines, client, reader } of logs) {
    for (const { event, order } of lines) if (event === 'moved') people.set(order, { client, reader });
  }
  notifications(facts, people, violations);
  for (const { id, account_id: account, kind, status, attempts } of facts.deliveries) {
    if (!ENDED.includes(status)) violations.add('a delivery did not come to an end', { delivery: id, account, kind, status, attempts });
  }
  mails(facts, violations, figures);
  accounts(logs, facts, violations);
}

/** For each event of an order and each route from it to a person: one notification. */
function notifications({ outbox, routes, notifications: rows, staff }, people, violations) {
  const bySource = grouped(rows, ({ source, account_id: account, kind }) => `${source}/${account}/${kind}`);
  for (const { id: event, type, aggregate } of outbox.filter(({ type }) => type.startsWith('orders.order.'))) {
    const parties = people.get(aggregate.replace(/^order:/, ''));
    for (const { audience, kind } of routes.filter((route) => route.event === type)) {
      const role = audience.startsWith('role:') ? audience.slice(5) : null;
      const accounts = role ? staff[role] ?? [] : [parties?.[audience]].filter(Boolean);
      for (const account of accounts) {
        const count = bySource.get(`${event}/${account}/${kind}`)?.length ?? 0;
        if (count === 0) violations.add('a notification is missing', { event, type, account, kind });
        if (count > 1) violations.add('a notification was made twice', { event, type, account, kind, count });
      }
    }
  }
}

/**
 * Each mail that counts as sent arrived, under one Message-ID. A crash between a provider's
 * word and ours can send one again under the same id, by which a mailbox knows it: that is
 * counted, and no more than what was being sent when something died.
 */
function mails({ deliveries, mails: arrived, most_repeated: most }, violations, figures) {
  const byId = grouped(arrived, ({ id }) => id?.match(/[0-9a-f-]{36}/)?.[0]);
  const known = new Map(deliveries.filter(({ channel }) => channel === 'email').map((row) => [row.id, row]));
  let again = 0;
  for (const [id, copies] of byId) {
    if (!known.has(id)) violations.add('a mail belongs to no delivery', { id, to: copies[0].to });
    const different = new Set(copies.map(({ to, subject }) => `${to} ${subject}`));
    if (different.size > 1) violations.add('two mails have one Message-ID', { id, mails: [...different] });
    again += copies.length - 1;
  }
  for (const { id, account_id: account, kind, status } of known.values()) {
    if (['sent', 'delivered'].includes(status) && !byId.has(id)) violations.add('a mail counts as sent and did not arrive', { delivery: id, account, kind });
  }
  figures?.count('mails', byId.size);
  figures?.count('mails again', again);
  if (again > most) violations.add('mails came again more often than something died', { again, most });
}

/** Whoever was told that they signed up is known everywhere, and was asked once to confirm. */
function accounts(logs, { accounts: rows, people, mails: arrived }, violations) {
  const there = new Set(rows.map(({ id }) => id));
  const known = new Set(people.map(({ service, id }) => `${service}/${id}`));
  const asked = grouped(arrived, ({ to }) => to);
  for (const { lines } of logs) {
    for (const { user, email } of lines.filter(({ event }) => event === 'registered')) {
      if (!there.has(user)) violations.add('an acknowledged account is lost', { user, email });
      for (const service of ['orders', 'notify', 'chat']) {
        if (!known.has(`${service}/${user}`)) violations.add('an account is not known to a service', { user, email, service });
      }
      const ids = new Set((asked.get(email) ?? []).map(({ id }) => id));
      if (ids.size !== 1) violations.add('an account was not asked once to confirm its address', { user, email, mails: [...ids] });
    }
  }
}
