// What reached mailboxes and telephones.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of one of the outbox's files: `mail` or `sms`. */
export function lines(folder, name) {
  const file = join(folder, `${name}.jsonl`);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

/** Mails, each with the delivery that it belongs to. */
export function mails(folder) {
  return lines(folder, 'mail').map(({ to, subject, headers }) => ({ to, words: subject, delivery: headers['Message-ID']?.match(ID)?.[0] }));
}

/** Texts, likewise; codes are sent by whoever checks them, and not by notify. */
export function texts(folder) {
  const sent = lines(folder, 'sms').filter(({ headers }) => headers?.StatusCallback);
  return sent.map(({ to, text, headers }) => ({ to, words: text, delivery: headers.StatusCallback.match(ID)?.[0] }));
}
