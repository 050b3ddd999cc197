// Plays the main job against the running system, as its frontends would, and shows
// what each person did and heard, with times.
//
//   make demo
import { act, call, client, goOn, hears, receives, staff, tell, until } from './people.mjs';
import { converse } from './talk.mjs';

/** Each call sees the others' work a moment later: an account is known once its events have arrived. */
async function assign(admin, reader, order) {
  return until('the assignment', async () => {
    try {
      const body = { reader_id: reader.id, reassign: true };
      return await act(admin, 'assigns it to the reader', 'POST', `/api/orders/${order.id}/assign`, body);
    } catch (error) {
      if (/reader/i.test(error.message)) return null;
      throw error;
    }
  });
}

async function main() {
  const people = [await client(), await staff('reader'), await staff('monitor'), await staff('admin')];
  const [amal, reader, monitor, admin] = people;
  const { service } = await call(admin, 'POST', '/api/services', {
    kind: 'tarot', name: 'Three cards', description: 'Past, present and what may come', price: 2500, currency: 'EUR',
    duration_minutes: 30, delivery_mode: 'written', requires_payment: false, active: true,
  });
  tell('admin', `offers “${service.name}” for ${service.price / 100} ${service.currency}`);

  const question = { service_id: service.id, notes: 'Will the move do us good? سؤال من القلب', preferred_reader_id: reader.id };
  const { order } = await until('the order', () => act(amal, 'orders a reading', 'POST', '/api/orders', question));
  await hears(amal, 'order_created');
  await assign(admin, reader, order);
  await hears(reader, 'order_assigned');
  await hears(amal, 'order_assigned');

  const path = `/api/orders/${order.id}`;
  const talk = await converse({ amal, reader, monitor }, order);

  await act(reader, 'hands in a result', 'POST', `${path}/result`, { text: 'Yes.', media_ids: [] });
  await hears(monitor, 'order_submitted');
  const { order: early } = await call(amal, 'GET', path);
  tell('client', `  sees the order as ${early.status}, its result: ${JSON.stringify(early.result)}`);

  await act(monitor, 'sends it back', 'POST', `${path}/reject`, { reason: 'One word is not a reading.' });
  await hears(reader, 'order_rejected');
  const result = { text: 'The Star, the Chariot, the Sun: go, and take your time.', media_ids: [] };
  await act(reader, 'hands in another', 'POST', `${path}/result`, result);
  await hears(monitor, 'order_submitted');
  await act(monitor, 'approves it', 'POST', `${path}/approve`, {});
  await talk.delivered();
  await hears(amal, 'order_delivered');
  await receives(amal, /ready|delivered|reading/i);
  await hears(reader, 'order_approved');

  const { order: read } = await call(amal, 'GET', path);
  tell('client', `  reads: “${read.result.text}” (revision ${read.result.revision})`);
  await act(amal, 'rates it', 'POST', `${path}/review`, { rating: 5, comment: 'Thank you.' });
  await hears(reader, 'order_rated');
  talk.end();
  goOn([amal, reader, monitor]);
  console.log('\nThe order’s history:');
  for (const { at, action, from, to, reason } of (await call(admin, 'GET', path)).order.history) {
    console.log(`  ${at}  ${action.padEnd(10)} ${from ?? '–'} → ${to}${reason ? `: ${reason}` : ''}`);
  }
}

await main().catch((error) => {
  console.error(`The demonstration ended early: ${error.message}`);
  process.exit(1);
});
