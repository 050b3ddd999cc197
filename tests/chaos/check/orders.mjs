// Orders: every acknowledged move has one row of history and one change of the version. The
// wish itself is version 1 and no move.
import { grouped } from './violations.mjs';

export function check(logs, facts, violations) {
  const orders = new Map(facts.orders.map((row) => [row.id, row]));
  const history = grouped(facts.history, (row) => row.order_id);
  const known = new Set();
  for (const { who, lines } of logs) {
    const moves = grouped(lines.filter(({ event }) => event === 'moved'), ({ order }) => order);
    for (const [order, made] of moves) {
      known.add(order);
      if (!orders.has(order)) {
        violations.add('an acknowledged order is lost', { who, order });
        continue;
      }
      moved(who, orders.get(order), made, history.get(order) ?? [], violations);
    }
    for (const { event, order, status, text, expected } of lines) {
      if (event === 'read' && (status !== 'delivered' || text !== expected)) {
        violations.add('a delivered result is not what was handed in', { who, order, status, text, expected });
      }
      if (event === 'finished' && orders.get(order)?.status !== 'delivered') {
        violations.add('a finished order is not delivered', { who, order, status: orders.get(order)?.status });
      }
    }
  }
  // One that nobody was told of would be one that was made twice.
  for (const order of orders.keys()) {
    if (!known.has(order)) violations.add('there is an order that nobody was told of', { order });
  }
}

function moved(who, order, made, rows, violations) {
  const versions = rows.map(({ version }) => version).sort((a, b) => a - b);
  if (!versions.every((version, at) => version === at + 2) || (versions.at(-1) ?? 1) !== order.version) {
    violations.add('the history of an order has holes', { who, order: order.id, version: order.version, versions });
  }
  const told = made.filter(({ action }) => action !== 'create').map(({ action, version }) => `${version} ${action}`);
  const stored = rows.map(({ action, version }) => `${version} ${action}`);
  for (const move of told.filter((move) => !stored.includes(move))) {
    violations.add('an acknowledged move is not in the history', { who, order: order.id, move, stored });
  }
  for (const move of stored.filter((move) => !told.includes(move))) {
    violations.add('a move is in the history that was not made', { who, order: order.id, move, told });
  }
}
