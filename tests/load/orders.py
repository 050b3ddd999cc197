#!/usr/bin/env python3
"""Each write of an order's way, beside its bare SQL in pgbench: latency and CPU.

usage: orders.py PARLOUR CONFIG PG_URL [--orders N] [--rounds N]

PARLOUR is a release build, CONFIG a parlour.toml whose engines run and are migrated, PG_URL its
database as an administrator. One client does one thing after the other over one connection,
so that nothing waits for anything but its own round trips; pgbench does the same with the rows
that the write leaves behind, each statement prepared. Each round measures both in an order of its own,
pgbench twice, as the control. Figures: user and system time of everything together and of
PostgreSQL alone, for each write, and milliseconds at the mean.
"""
import argparse
import http.client
import json
import os
import random
import re
import resource
import signal
import subprocess
import tempfile
import time
import uuid

import results
from processes import cpu, postmaster, sql, wait_for

PORT, INTERNAL = 5088, 5089
WARM = 200
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


class Api:
    """One connection, for everybody in turn."""

    def __init__(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT)

    def call(self, method, path, token=None, body=None, expect=(200, 201)):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in expect:
            raise SystemExit(f"{method} {path}: {answer.status} {data.decode()}")
        return json.loads(data).get("data")


def person(parlour, api, role):
    """A new account with this role: its token and id."""
    email, password = f"{uuid.uuid4().hex}@example.com", "correct horse battery"
    subprocess.run([parlour, "admin", "user", "create", "--email", email, "--password", password, "--role", role],
                   check=True, capture_output=True)
    data = api.call("POST", "/api/auth/login", body={"email": email, "password": password})
    return data["access_token"], data["user"]["id"]


class Served:
    """The services, and the five calls that make a cycle."""

    def __init__(self, parlour, url):
        env = dict(os.environ, PARLOUR__HTTP__LISTEN=f"127.0.0.1:{PORT}", PARLOUR__ORDERS__AUTO_ASSIGN="false",
                   PARLOUR__HTTP__INTERNAL_LISTEN=f"127.0.0.1:{INTERNAL}", PARLOUR__TELEMETRY__LOG="warn",
                   PARLOUR__AUTH__ACCESS_TOKEN_SECONDS="7200",
                   PARLOUR__LIMITS__AUTH__REQUESTS="100000", PARLOUR__LIMITS__AUTH__BURST="100000")
        self.url, self.ids, self.server = url, [], subprocess.Popen([parlour, "run", "identity", "orders"], env=env)
        try:
            wait_for(f"http://127.0.0.1:{INTERNAL}/ready")
            self.steps = self.made(parlour)
        except BaseException:
            self.stop()
            raise

    def made(self, parlour):
        api = Api()
        client, reader, monitor, admin = (person(parlour, api, r) for r in ("client", "reader", "monitor", "admin"))
        service = api.call("POST", "/api/services", admin[0], {
            "kind": "tarot", "name": "Tarot", "price": 2500, "currency": "EUR", "delivery_mode": "written"})
        order = {"service_id": service["service"]["id"], "notes": "About my cat, " * 8}
        while sql(self.url, f"SELECT 1 FROM orders.people WHERE id = '{reader[1]}'").strip() != "1":
            time.sleep(0.05)

        def create(_):
            self.ids.append(api.call("POST", "/api/orders", client[0], order)["order"]["id"])

        def move(name, token, body):
            return lambda n: api.call("POST", f"/api/orders/{self.ids[n]}/{name}", token, body)

        return {
            "create": create,
            "assign": move("assign", admin[0], {"reader_id": reader[1]}),
            "result": move("result", reader[0], {"text": "The cat is fine. " * 30}),
            "approve": move("approve", monitor[0], {}),
            "read": lambda n: api.call("GET", f"/api/orders/{self.ids[n]}", client[0]),
        }

    def cycles(self, count):
        """For each step its mean milliseconds, PostgreSQL's CPU and everything's, in µs a call."""
        self.ids.clear()
        figures = {name: self.timed(step, count) for name, step in self.steps.items()}
        while sql(self.url, "SELECT count(*) FROM orders.outbox WHERE published_at IS NULL").strip() != "0":
            time.sleep(0.05)
        return figures

    def timed(self, step, count):
        database = postmaster(self.url)
        before, began = (cpu(self.server.pid), cpu(database)), time.perf_counter()
        for n in range(count):
            step(n)
        seconds = time.perf_counter() - began
        ours, theirs = cpu(self.server.pid) - before[0], cpu(database) - before[1]
        return [seconds / count * 1e3, theirs / count * 1e6, (ours + theirs) / count * 1e6]

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()


def bare(url, count):
    """The same of pgbench, whose own time stands for the service's."""
    sql(url, "DROP TABLE IF EXISTS orders.bench; DROP SEQUENCE IF EXISTS orders.bench_n;"
             "CREATE SEQUENCE orders.bench_n; CREATE TABLE orders.bench (n bigint PRIMARY KEY, id uuid)")
    figures = {}
    for name, text in BARE.items():
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(text)
            file.flush()
            sql(url, "SELECT setval('orders.bench_n', 1, false)")
            figures[name] = pgbench(url, file.name, count)
        if name == "create":
            sql(url, "INSERT INTO orders.bench SELECT row_number() OVER (), id FROM orders.orders "
                     "WHERE status = 'pending'; ANALYZE orders.bench, orders.orders")
    return figures


def pgbench(url, script, count):
    database, before = postmaster(url), resource.getrusage(resource.RUSAGE_CHILDREN)
    used = cpu(database)
    env = dict(os.environ, PGOPTIONS="-c search_path=orders")
    command = ["pgbench", "-n", "-M", "prepared", "-c1", "-t", str(count), "-f", script, url]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    text = done.stdout
    if done.returncode or f"{count}/{count}" not in text:
        raise SystemExit(done.stderr + text)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    used = cpu(database) - used
    latency = float(re.search(r"latency average = ([\d.]+) ms", text).group(1))
    return [latency, used / count * 1e6, (own + used) / count * 1e6]


def keep(rounds):
    """Shows and keeps the figures: `rounds` has by contender one measurement of all steps for each round."""
    def figures(contender, step, column):
        return [sum(steps[name][column] for name in (step or steps)) for steps in rounds[contender]]

    rows, bars = [], {}
    print(f"{'':16} {'all, µs CPU':>20} {'to bare SQL':>18} {'bare to itself':>18} {'database, to bare':>18} {'ms':>18}")
    for step in [*BARE, None]:
        names = [step] if step else None
        ours, base, again = (figures(contender, names, 2) for contender in ("served", "bare", "bare again"))
        pairs, control = results.ratios(ours, base), results.ratios(again, base)
        database = results.ratios(figures("served", names, 1), figures("bare", names, 1))
        label = step or "a cycle"
        print(f"{label:16} {results.spread(ours, 0):>20} {results.spread(pairs, 2):>18} {results.spread(control, 2):>18} "
              f"{results.spread(database, 2):>18} {results.spread(figures('served', names, 0), 2):>18}")
        rows.append((f"{label}: CPU, PostgreSQL's included", results.told(ours, 0, " µs"), ""))
        if step != "read":
            rows.append((f"{label}: to its bare SQL, in pairs (bare SQL to itself {results.told(control, 2)})",
                         results.told(pairs, 2), "2" if step else ""))
        bars[f"{label}: CPU, µs"] = [("served", ours, True), ("bare SQL", base, False), ("bare SQL again", again, False)]
    results.save("orders", rows, bars, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parlour")
    parser.add_argument("config")
    parser.add_argument("url")
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ["PARLOUR_CONFIG"] = arguments.config
    served = Served(arguments.parlour, arguments.url)
    try:
        measures = {"served": served.cycles, "bare": lambda n: bare(arguments.url, n)}
        measures["bare again"] = measures["bare"]
        rounds = {contender: [] for contender in measures}
        # Every connection of the pool prepares and plans each statement a few times first.
        served.cycles(WARM)
        for _ in range(arguments.rounds):
            for contender in random.sample(list(measures), len(measures)):
                rounds[contender].append(measures[contender](arguments.orders))
    finally:
        served.stop()
    keep(rounds)


main()
