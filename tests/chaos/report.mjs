// What is printed at the end, and kept as JSON.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { kills } from './blows.mjs';

/** Violations that are printed whole; all are in the file. */
const SHOWN = 20;

const list = (counts) => Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
const seconds = (ms) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);

/** How long events took: from the commit to the broker, and to the effect. */
function lag({ outbox, inbox }) {
  const begun = new Map(outbox.map(({ id, created_at: at }) => [id, at]));
  const published = outbox.filter(({ published_at: at }) => at !== null).map((row) => row.published_at - row.created_at);
  const effect = inbox.map(({ event_id: id, received_at: at }) => at - begun.get(id)).filter(Number.isFinite);
  const greatest = (values) => values.reduce((a, b) => Math.max(a, b), 0);
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return { published: greatest(published), effect: greatest(effect), median: median(effect), events: outbox.length, effects: inbox.length };
}

export function report({ wishes, figures, facts, violations, folder }) {
  const events = lag(facts);
  const { worst } = figures;
  const away = Object.fromEntries(Object.entries(worst).filter(([name]) => name.startsWith('away.'))
    .map(([name, { value }]) => [name.slice(5), seconds(value)]));
  const errors = figures.under('errors.');
  const failed = Object.entries(errors).filter(([name]) => /^5/.test(name)).reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    ['killed', list(kills(figures))],
    ['away at the longest, from the kill to ready', list(away)],
    ['requests', `${figures.get('requests')}, of them acknowledged writes ${figures.get('writes')}, answered 5xx ${failed}, of them ${figures.get('failed in calm')} while nothing was away`],
    ['answered 5xx', list(figures.under('failed.'))],
    ['errors that clients saw', list(errors)],
    ['longest outage felt by a request', `${seconds(worst.outage?.value)} (${worst.outage?.about ?? '–'})`],
    ['messages acknowledged', `${figures.get('messages')}; ${figures.get('deliveries')} deliveries to sockets`],
    ['connections', `${figures.get('connections')}, cut ${figures.get('cuts')}; ${figures.get('catch-ups')} catch-ups brought ${figures.get('caught up')} messages`],
    ['orders', `${figures.get('orders')} from the wish to the rating, the slowest ${seconds(worst.order?.value)}; ${figures.get('newcomers')} sign-ups`],
    ['mails and texts', `mails ${figures.get('mails')}, and ${figures.get('mails again')} again under the same Message-ID; texts ${figures.get('texts')}, and ${figures.get('texts again')} again`],
    ['events', `${events.events} published, ${events.effects} effects; to the effect ${seconds(events.median)} at the median, ${seconds(events.effect)} at worst; to the broker ${seconds(events.published)} at worst`],
  ];
  console.log(`\nseed ${wishes.seed}`);
  for (const [name, text] of lines) console.log(`  ${name}: ${text}`);
  writeFileSync(join(folder, 'figures.json'), JSON.stringify({ wishes, figures, events }, null, 2));
  if (violations.found.length === 0) {
    console.log('\nNothing acknowledged was lost, nothing happened twice, everything is in order and healthy.');
    return 0;
  }
  writeFileSync(join(folder, 'violations.json'), JSON.stringify(violations.found, null, 2));
  console.log(`\n${violations.found.length} violations: ${list(violations.counts())}`);
  for (const found of violations.found.slice(0, SHOWN)) console.log(`  ${JSON.stringify(found)}`);
  console.log(`All of them, what was seen, and the processes' logs: ${folder}`);
  return 1;
}
