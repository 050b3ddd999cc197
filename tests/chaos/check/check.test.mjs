// The checker finds what it is there for: each rule is broken once in a run in which
// everything else holds.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { plan } from '../plan.mjs';
import { check } from './all.mjs';
import { id, world } from './world.mjs';

const line = (log, event, at = 0) => log.lines.filter((one) => one.event === event)[at];
const without = (log, gone) => log.lines.splice(log.lines.indexOf(gone), 1);

/** What is done to the run, by the rule that it breaks. */
const BROKEN = {
  'numbers of a conversation have holes': ({ facts }) => { facts.sessions[0].last_seq = 4; },
  'a message is still held': ({ facts }) => facts.held.push({ session_id: id(10), id: id(109) }),
  'an acknowledged message is lost': ({ facts }) => { facts.messages[0].client_id = 'other'; },
  'a message is stored twice': ({ facts }) => facts.messages.push({ ...facts.messages[0], id: id(109), seq: 4 }),
  'an acknowledgement names another message': ({ logs }) => { line(logs[0], 'acknowledged').seq = 9; },
  'what was posted and then emitted is two messages': ({ logs }) => { line(logs[1], 'repeated').id = id(103); },
  'an acknowledged file is lost': ({ logs }) => logs[0].lines.push({ event: 'shown', id: id(109) }),
  'a connection was not told and not ended': ({ logs }) => logs[0].lines.push({ event: 'deaf', session: id(10) }),
  'a message was heard twice': ({ logs }) => logs[0].lines.push(line(logs[0], 'heard', 1)),
  'a message was heard out of order': ({ logs: [ana] }) => {
    const [two, three] = [line(ana, 'heard', 0), line(ana, 'heard', 1)];
    ana.lines.splice(ana.lines.indexOf(two), 1, three);
    ana.lines.splice(ana.lines.lastIndexOf(three), 1, two);
  },
  'a message was heard that is not stored so': ({ logs }) => { line(logs[0], 'heard', 1).seq = 7; },
  'a message was changed on its way': ({ logs }) => { line(logs[0], 'heard').content = 'twi'; },
  'a message was never heard': ({ logs }) => without(logs[0], line(logs[0], 'heard')),
  'a replay was not whole': ({ logs }) => { line(logs[0], 'joined', 1).missed = 2; },
  'a message was heard by a stranger': ({ facts }) => facts.participants.shift(),
  'an acknowledged order is lost': ({ facts }) => facts.orders.pop(),
  'there is an order that nobody was told of': ({ facts }) => facts.orders.push({ id: id(21), status: 'pending', version: 1 }),
  'the history of an order has holes': ({ facts }) => { facts.orders[0].version = 6; },
  'an acknowledged move is not in the history': ({ facts }) => { facts.history[2].action = 'cancel'; },
  'a move is in the history that was not made': ({ facts }) => facts.history.push({ order_id: id(20), version: 6, action: 'approve' }),
  'a delivered result is not what was handed in': ({ logs }) => { line(logs[2], 'read').text = 'No.'; },
  'a finished order is not delivered': ({ facts }) => { facts.orders[0].status = 'submitted'; },
  'an event is parked': ({ facts }) => facts.parked.push({ service: 'notify', event_id: id(201), type: 'orders.order.created', state: 'parked' }),
  'a queue is not empty': ({ facts }) => { facts.queues[0].messages = 1; },
  'versions of an aggregate have holes': ({ facts }) => { facts.outbox[5].version = 7; },
  'an event was not published': ({ facts }) => { facts.outbox[5].published_at = null; },
  'an event was published before an earlier one': ({ facts }) => { facts.outbox[3].published_at = 1; },
  'an event was not handled': ({ facts }) => facts.unhandled.push({ service: 'chat', id: id(201) }),
  'an event was handled twice': ({ facts }) => facts.inbox.push(facts.inbox[5]),
  'an event was handled before an earlier one': ({ facts }) => { facts.inbox[3].received_at = 1; },
  'lanes of a relay are not held once each': ({ facts }) => facts.lanes.pop(),
  'a transaction does not end': ({ facts }) => facts.stuck.push({ role: 'parlour_chat', query: 'SELECT 1' }),
  'a notification is missing': ({ facts }) => facts.notifications.pop(),
  'a notification was made twice': ({ facts }) => facts.notifications.push({ ...facts.notifications[0], id: id(309) }),
  'a delivery did not come to an end': ({ facts }) => { facts.deliveries[0].status = 'sending'; },
  'what arrived belongs to no delivery': ({ facts }) => facts.mails.push({ to: 'x@example.org', delivery: id(409) }),
  'two that differ belong to one delivery': ({ facts }) => {
    facts.most_repeated = 1;
    facts.mails.push({ ...facts.mails[0], words: 'Another' });
  },
  'what counts as sent did not arrive': ({ facts }) => facts.deliveries.push({ ...facts.deliveries[0], id: id(402) }),
  'more came again than something died': ({ facts }) => facts.texts.push(facts.texts[0]),
  'a result was not told by one mail and one text': ({ facts }) => { facts.deliveries[1].status = 'skipped'; },
  'an acknowledged account is lost': ({ facts }) => facts.accounts.pop(),
  'an account is not known to a service': ({ facts }) => facts.people.pop(),
  'an account was not asked once to confirm its address': ({ logs }) => { line(logs[3], 'registered').email = 'b@example.org'; },
};

test('a run in which everything holds has no violations', () => {
  const { logs, facts } = world();
  assert.deepEqual(check(logs, facts).found, []);
});

for (const [rule, breakIt] of Object.entries(BROKEN)) {
  test(`it is found when ${rule}`, () => {
    const one = world();
    breakIt(one);
    const rules = Object.keys(check(one.logs, one.facts).counts());
    assert.ok(rules.includes(rule), `found only: ${rules.join('; ') || 'nothing'}`);
  });
}

test('every rule of the checker is broken here', () => {
  const sources = readdirSync(import.meta.dirname).map((name) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8'));
  const rules = sources.flatMap((source) => [...source.matchAll(/violations\.add\('([^']+)'/g)].map(([, rule]) => rule));
  assert.deepEqual([...new Set(rules)].sort(), Object.keys(BROKEN).sort());
});

test('what was noticed on the way is a violation', () => {
  const { logs, facts } = world();
  assert.deepEqual(check(logs, facts, [{ rule: 'an answer 500', what: 'GET /' }]).counts(), { 'an answer 500': 1 });
});

test('the same seed deals the same blows', () => {
  const first = (seed) => {
    const blows = plan(seed);
    return Array.from({ length: 40 }, () => blows.next().value);
  };
  assert.deepEqual(first(7), first(7));
  assert.notDeepEqual(first(7), first(8));
  assert.equal(new Set(first(7).slice(0, 9).map(({ what }) => what)).size, 9);
});
