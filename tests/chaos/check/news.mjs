// Notifications, mails and texts: one of a kind for each move and each person whom it concerns.
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
  arrivals('email', 'mails', facts, violations, figures);
  arrivals('sms', 'texts', facts, violations, figures);
  wanted(facts, violations);
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
 * What counts as sent arrived: mails under one Message-ID, and texts. A crash between a provider's word and ours can
 * send one again. A mailbox knows a mail by its id; a text comes twice then. Both are counted, and are no more than
 * what was being sent when something died.
 */
function arrivals(channel, what, { deliveries, [what]: arrived, most_repeated: most }, violations, figures) {
  const byDelivery = grouped(arrived, ({ delivery }) => delivery);
  const known = new Map(deliveries.filter((row) => row.channel === channel).map((row) => [row.id, row]));
  let again = 0;
  for (const [delivery, copies] of byDelivery) {
    if (!known.has(delivery)) violations.add('what arrived belongs to no delivery', { channel, delivery, to: copies[0].to });
    const different = new Set(copies.map(({ to, words }) => `${to} ${words}`));
    if (different.size > 1) violations.add('two that differ belong to one delivery', { channel, delivery, copies: [...different] });
    again += copies.length - 1;
  }
  for (const { id, account_id: account, kind, status } of known.values()) {
    if (['sent', 'delivered'].includes(status) && !byDelivery.has(id)) violations.add('what counts as sent did not arrive', { channel, delivery: id, account, kind });
  }
  figures?.count(what, byDelivery.size);
  figures?.count(`${what} again`, again);
  if (again > most) violations.add('more came again than something died', { channel, again, most });
}

/** Whoever wants to hear of results by mail and text got one of each. */
function wanted({ deliveries, notifications: rows, subscribers }, violations) {
  const sent = grouped(deliveries.filter(({ status }) => ['sent', 'delivered'].includes(status)), (row) => `${row.notification_id}/${row.channel}`);
  for (const { id, account_id: account } of rows.filter((row) => row.kind === 'order_delivered' && subscribers.includes(row.account_id))) {
    const [mails, texts] = ['email', 'sms'].map((channel) => sent.get(`${id}/${channel}`)?.length ?? 0);
    if (mails !== 1 || texts !== 1) violations.add('a result was not told by one mail and one text', { notification: id, account, mails, texts });
  }
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
      const ids = new Set((asked.get(email) ?? []).map(({ delivery }) => delivery));
      if (ids.size !== 1) violations.add('an account was not asked once to confirm its address', { user, email, mails: [...ids] });
    }
  }
}
