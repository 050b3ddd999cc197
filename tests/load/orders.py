#!/usr/bin/env python3
"""An order's way from request to delivered result: beside FastAPI doing the same, each write beside its bare SQL.

usage: orders.py PARLOUR CONFIG PG_URL PEER [--orders N] [--rounds N] [--clients N …]

PARLOUR is a release build, CONFIG a parlour.toml whose engines run and are migrated, PG_URL its
database as an administrator, PEER the folder of the peer with its packages in `bin`. So many clients do one step after
the other, each over a connection of its own: eight keep the servers busy, of one each request finds them asleep. pgbench
has as many and does the same with the rows that the write leaves behind, each statement prepared. Each round measures all
in an order of its own, the peer and pgbench twice, as the control. Figures: user and system time of the servers and of
PostgreSQL, and mean milliseconds.
"""
import argparse
import asyncio
import functools
import json
import os
import pathlib
import random
import signal
import subprocess
import time
import uuid

import results
from bare_orders import BARE, bare
from peer import SECRET, database, signed
from processes import cpu, postmaster, sql, wait_for

PORT, INTERNAL, PEER = 5088, 5089, 5087
WARM = 200
NOTES, TEXT = "About my cat, " * 8, "The cat is fine. " * 30


class Client:
    """One connection, for everybody in turn, that asks while others do."""

    async def connect(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def call(self, method, path, token=None, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        bearer = f"authorization: Bearer {token}\r\n" if token else ""
        head = (f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{bearer}"
                f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n")
        self.writer.write(head.encode() + data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        answer = await self.reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        if head.split()[1] not in ("200", "201"):
            raise SystemExit(f"{method} {path}: {head}{answer.decode()}")
        return answer


class Side:
    """Services that answer the five calls of a cycle."""

    def __init__(self, port, url):
        self.port, self.url, self.server, self.ids = port, url, None, {}

    def start(self, command, ready, **environment):
        self.server = subprocess.Popen(command, env=dict(os.environ, **environment))
        wait_for(ready)

    def ask(self, *request):
        """One answer's data, over a connection of its own."""
        async def asked():
            client = await Client().connect(self.port)
            answer = await client.call(*request)
            client.writer.close()
            return json.loads(answer)["data"]

        return asyncio.run(asked())

    def meet(self, client, reader, monitor, admin, service):
        """Who does what: tokens, and the ids of the reader and of the service."""
        async def create(one, n):
            answer = await one.call("POST", "/api/orders", client, {"service_id": service, "notes": NOTES})
            self.ids[n] = json.loads(answer)["data"]["order"]["id"]

        def move(name, token, body):
            return lambda one, n: one.call("POST", f"/api/orders/{self.ids[n]}/{name}", token, body)

        self.steps = {
            "create": create,
            "assign": move("assign", admin, {"reader_id": reader[1]}),
            "result": move("result", reader[0], {"text": TEXT}),
            "approve": move("approve", monitor, {}),
            "read": lambda one, n: one.call("GET", f"/api/orders/{self.ids[n]}", client),
        }

    def cycles(self, count, clients):
        """For each step its mean milliseconds, PostgreSQL's CPU and the servers', in µs a call."""
        figures = asyncio.run(self.played(count, clients))
        self.settle()
        return figures

    async def played(self, count, clients):
        clients = [await Client().connect(self.port) for _ in range(clients)]
        figures = {name: await self.timed(clients, step, count) for name, step in self.steps.items()}
        for client in clients:
            client.writer.close()
        return figures

    async def timed(self, clients, step, count):
        async def share(number, client):
            for n in range(number, count, len(clients)):
                await step(client, n)

        engine = postmaster(self.url)
        before, began = (cpu(self.server.pid), cpu(engine)), time.perf_counter()
        await asyncio.gather(*(share(*numbered) for numbered in enumerate(clients)))
        seconds = time.perf_counter() - began
        ours, theirs = cpu(self.server.pid) - before[0], cpu(engine) - before[1]
        return [seconds / count * len(clients) * 1e3, theirs / count * 1e6, ours / count * 1e6]

    def settle(self):
        """Returns once nothing is to be done any more for what was asked."""

    def stop(self):
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait()


class Parlour(Side):
    def begin(self, parlour):
        self.start([parlour, "run", "identity", "orders"], f"http://127.0.0.1:{INTERNAL}/ready",
                   PARLOUR__HTTP__LISTEN=f"127.0.0.1:{PORT}", PARLOUR__HTTP__INTERNAL_LISTEN=f"127.0.0.1:{INTERNAL}",
                   PARLOUR__ORDERS__AUTO_ASSIGN="false", PARLOUR__TELEMETRY__LOG="warn",
                   PARLOUR__AUTH__ACCESS_TOKEN_SECONDS="7200",
                   PARLOUR__LIMITS__AUTH__REQUESTS="100000", PARLOUR__LIMITS__AUTH__BURST="100000")
        client, reader, monitor, admin = (self.person(parlour, r) for r in ("client", "reader", "monitor", "admin"))
        service = self.ask("POST", "/api/services", admin[0], {
            "kind": "tarot", "name": "Tarot", "price": 2500, "currency": "EUR", "delivery_mode": "written"})
        while sql(self.url, f"SELECT 1 FROM orders.people WHERE id = '{reader[1]}'").strip() != "1":
            time.sleep(0.05)
        self.meet(client[0], reader, monitor[0], admin[0], service["service"]["id"])

    def person(self, parlour, role):
        """A token and an id."""
        email, password = f"{uuid.uuid4().hex}@example.com", "correct horse battery"
        subprocess.run([parlour, "admin", "user", "create", "--email", email, "--password", password, "--role", role],
                       check=True, capture_output=True)
        data = self.ask("POST", "/api/auth/login", None, {"email": email, "password": password})
        return data["access_token"], data["user"]["id"]

    def settle(self):
        while sql(self.url, "SELECT count(*) FROM orders.outbox WHERE published_at IS NULL").strip() != "0":
            time.sleep(0.05)


class Peer(Side):
    def begin(self, folder):
        if not sql(self.url, "SELECT to_regclass('orders')").strip():
            sql(self.url, pathlib.Path(folder, "schema.sql").read_text())
        self.start([f"{folder}/bin/uvicorn", "--app-dir", folder, "--port", str(PEER), "--log-level", "warning",
                    "--no-access-log", "main:app"], f"http://127.0.0.1:{PEER}/openapi.json",
                   DATABASE_URL=self.url, JWT_SECRET=SECRET)
        people, service = {role: str(uuid.uuid4()) for role in ("client", "reader", "monitor", "admin")}, uuid.uuid4()
        rows = ",".join(f"('{one}', 'Ana', 'Berg', '{role}')" for role, one in people.items())
        sql(self.url, f"INSERT INTO users VALUES {rows}; INSERT INTO services VALUES ('{service}', 'tarot', 'Tarot', 2500, 'EUR')")
        tokens = {role: signed({"sub": one, "role": role, "exp": int(time.time()) + 7200}) for role, one in people.items()}
        self.meet(tokens["client"], (tokens["reader"], people["reader"]), tokens["monitor"], tokens["admin"], str(service))


def cost(measured, steps, columns=(2,)):
    """In each round, of the services or of other columns."""
    return [sum(sum(figures[step][column] for column in columns) for step in steps) for figures in measured]


def keep(rounds):
    """Shows and keeps the figures: `rounds` has by number of clients and contender one measurement of all steps
    for each round."""
    rows, bars = [], {}
    for clients, of in rounds.items():
        beside(clients, of, rows, bars)
    numbers = sorted(rounds)
    if len(numbers) > 1:
        many, one = (cost(rounds[number][who], BARE) for number, who in ((numbers[-1], "parlour"), (numbers[0], "peer")))
        rows.append((f"a cycle of {numbers[-1]} clients to FastAPI's of {numbers[0]}",
                     results.told(results.ratios(many, one), 2), "0.17"))
        print(f"{rows[-1][0]}: {rows[-1][1]}")
    results.save("orders", rows, bars, rounds)


def beside(clients, of, rows, bars):
    """What so many clients cost: adds to the rows and the bars."""
    title = f"{clients} client{'s' * (clients > 1)}"
    for step in ("a cycle", *BARE):
        steps = list(BARE) if step == "a cycle" else [step]
        ours, peer, again = (cost(of[contender], steps) for contender in ("parlour", "peer", "peer again"))
        pairs, control = results.ratios(ours, peer), results.ratios(again, peer)
        all_of_it, bare_sql, bare_again = (cost(of[who], steps, (1, 2)) for who in ("parlour", "bare", "bare again"))
        to_bare, bare_itself = results.ratios(all_of_it, bare_sql), results.ratios(bare_again, bare_sql)
        print(f"{title}, {step:8} {results.spread(ours, 0)} µs of CPU in the services: {results.spread(pairs, 2)} of "
              f"FastAPI's ({results.spread(peer, 0)} µs; to itself {results.spread(control, 2)}); with PostgreSQL "
              f"{results.spread(all_of_it, 0)} µs: {results.spread(to_bare, 2)} of bare SQL (to itself "
              f"{results.spread(bare_itself, 2)}); {results.spread(cost(of['parlour'], steps, (0,)), 2)} ms")
        goals = ("0.17", "") if step == "a cycle" else ("", "" if step == "read" else "2")
        rows.append((f"{title}, {step}: CPU of the services to FastAPI's, in pairs (FastAPI to itself {results.told(control, 2)})",
                     f"{results.told(pairs, 2)}: {results.told(ours, 0)} µs to {results.told(peer, 0)} µs", goals[0]))
        rows.append((f"{title}, {step}: CPU with PostgreSQL's to that of its bare SQL (bare SQL to itself {results.told(bare_itself, 2)})",
                     f"{results.told(to_bare, 2)}: {results.told(all_of_it, 0)} µs", goals[1]))
        bars[f"{title}, {step}: CPU of the services, µs"] = [
            ("parlour", ours, True), ("FastAPI", peer, False), ("FastAPI again", again, False)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("parlour", "config", "url", "peer"):
        parser.add_argument(name)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[8, 1])
    arguments = parser.parse_args()
    os.environ["PARLOUR_CONFIG"] = arguments.config
    ours = Parlour(PORT, arguments.url)
    peer = Peer(PEER, database(arguments.url, "fastapi_orders"))
    measures = {"parlour": ours.cycles, "bare": functools.partial(bare, arguments.url), "peer": peer.cycles}
    measures |= {"bare again": measures["bare"], "peer again": measures["peer"]}
    rounds = {clients: {contender: [] for contender in measures} for clients in arguments.clients}
    try:
        ours.begin(arguments.parlour)
        peer.begin(arguments.peer)
        # Every connection of the pool prepares and plans each statement a few times first.
        for clients in arguments.clients:
            ours.cycles(WARM, clients)
            peer.cycles(WARM, clients)
        for _ in range(arguments.rounds):
            for clients in arguments.clients:
                for contender in random.sample(list(measures), len(measures)):
                    rounds[clients][contender].append(measures[contender](arguments.orders, clients))
    finally:
        ours.stop()
        peer.stop()
    keep(rounds)


main()
