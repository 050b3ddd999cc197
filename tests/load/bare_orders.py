"""The rows that each write of an order's way leaves behind, written by pgbench."""
import os
import re
import resource
import subprocess
import tempfile

from processes import cpu, postmaster, sql

EVENT = """WITH bumped AS (INSERT INTO aggregate_versions AS a (aggregate, version) VALUES ('%s:' || :id, 1)
  ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1 RETURNING aggregate, version)
INSERT INTO outbox (aggregate, version, id, type, lane, payload, published_at)
SELECT aggregate, version, gen_random_uuid(), 'bench.bench.bench', 1, decode(repeat('ab', 150), 'hex'), now() FROM bumped;
"""
NEXT = "SELECT id FROM bench WHERE n = (SELECT nextval('bench_n')) \\gset\n"
HISTORY = """INSERT INTO order_history (order_id, version, at, actor_id, action, from_status, to_status)
VALUES (:id, %d, now(), gen_random_uuid(), '%s', '%s', '%s');
"""


def moved(action, before, after, version, more, events):
    """The bare SQL of a move."""
    update = f"UPDATE orders SET status = '{after}', version = version + 1, updated_at = now(){more[0]} " \
             f"WHERE id = :id AND status = '{before}';\n"
    history = HISTORY % (version, action, before, after)
    return "BEGIN;\n" + NEXT + update + history + more[1] + EVENT % "order" * events + EVENT % "audit" + "COMMIT;\n"


BARE = {
    "create": "BEGIN;\n" + """INSERT INTO orders (id, service_id, client_id, status, payment_status, price, currency,
  requires_payment, notes_sealed, waits_since, created_at, updated_at)
SELECT gen_random_uuid(), id, gen_random_uuid(), 'pending', 'unpaid', price, currency, false,
  decode(repeat('ab', 100), 'hex'), now(), now(), now() FROM services LIMIT 1 RETURNING id \\gset
""" + EVENT % "order" + EVENT % "audit" + "COMMIT;\n",
    "assign": moved("assign", "pending", "assigned", 2, (", reader_id = gen_random_uuid()", ""), 1),
    "result": moved("result", "assigned", "submitted", 3, (
        ", revision = 1", """INSERT INTO results (order_id, revision, text_sealed, media_ids, submitted_at)
VALUES (:id, 1, decode(repeat('ab', 500), 'hex'), '{}', now());
"""), 1),
    "approve": moved("approve", "submitted", "delivered", 4, ("", ""), 2),
    "read": NEXT + "SELECT * FROM orders WHERE id = :id;\nSELECT * FROM order_history WHERE order_id = :id;\n"
            "SELECT * FROM results WHERE order_id = :id;\n",
}


def bare(url, count, clients):
    """For each write mean milliseconds, PostgreSQL's CPU and pgbench's own, which stands for the service's, in µs."""
    sql(url, "DROP TABLE IF EXISTS orders.bench; DROP SEQUENCE IF EXISTS orders.bench_n;"
             "CREATE SEQUENCE orders.bench_n; CREATE TABLE orders.bench (n bigint PRIMARY KEY, id uuid)")
    figures = {}
    for name, text in BARE.items():
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(text)
            file.flush()
            sql(url, "SELECT setval('orders.bench_n', 1, false)")
            figures[name] = pgbench(url, file.name, count, clients)
        if name == "create":
            sql(url, "INSERT INTO orders.bench SELECT row_number() OVER (), id FROM orders.orders "
                     "WHERE status = 'pending'; ANALYZE orders.bench, orders.orders")
    return figures


def pgbench(url, script, count, clients):
    database, before = postmaster(url), resource.getrusage(resource.RUSAGE_CHILDREN)
    used = cpu(database)
    env = dict(os.environ, PGOPTIONS="-c search_path=orders")
    count -= count % clients
    command = ["pgbench", "-n", "-M", "prepared", f"-c{clients}", "-t", str(count // clients), "-f", script, url]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    text = done.stdout
    if done.returncode or f"{count}/{count}" not in text:
        raise SystemExit(done.stderr + text)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    used = cpu(database) - used
    latency = float(re.search(r"latency average = ([\d.]+) ms", text).group(1))
    return [latency, used / count * 1e6, own / count * 1e6]
