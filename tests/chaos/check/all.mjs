// Everything that has to hold after a run.
import { check as checkEvents } from './events.mjs';
import { check as checkMessages } from './messages.mjs';
import { check as checkNews } from './news.mjs';
import { check as checkOrders } from './orders.mjs';
import { Violations } from './violations.mjs';

/** Judges the clients' logs and what the engines hold. `alarms` are what was noticed on the way. */
export function check(logs, facts, alarms = [], figures = null) {
  const violations = new Violations();
  for (const { rule, ...about } of alarms) violations.add(rule, about);
  checkMessages(logs, facts, violations);
  checkOrders(logs, facts, violations);
  checkEvents(facts, violations);
  checkNews(logs, facts, violations, figures);
  return violations;
}
