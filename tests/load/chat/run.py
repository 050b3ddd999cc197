#!/usr/bin/env python3
"""Chat beside Express, socket.io and pg doing the same: CPU of a send, a page and a delivery; latency; idle sockets.

usage: run.py PARLOUR CONFIG PG_URL CLIENTS PEER BROKER_PID [--rounds N] [--seconds S] [--idle N] [--only PART …]

PARLOUR is a release build, CONFIG a parlour.toml whose engines run and are migrated, PG_URL its database as an
administrator, CLIENTS the built example `load` of parlour-sockets, PEER the folder of the peer with its packages. Each
round measures every contender once, in an order of its own; the peer stands twice in it, as the control that tells how
far two equal figures lie apart. Figures are CPU times of the servers' processes, of PostgreSQL and of RabbitMQ.
"""
import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

import results  # noqa: E402
from generator import Clients, plan  # noqa: E402
from idle import idle  # noqa: E402
from processes import cpu, postmaster  # noqa: E402
from sides import Parlour, Peer  # noqa: E402

PEOPLE = 100
PARTS = ["whole", "apart", "latency", "idle"]


class Measurement:
    """What one run of the clients cost."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.engines = {"postgres": postmaster(arguments.url), "broker": arguments.broker}

    def of(self, side, **what):
        """The clients' report, with µs of CPU of the servers and the engines."""
        with Clients(self.arguments.clients, plan(side, **what)) as clients:
            clients.hear("ready")
            before = {name: cpu(pid) for name, pid in self.engines.items()} | {"server": side.cpu()}
            report = clients.go()
            side.settle()
            after = {name: cpu(pid) for name, pid in self.engines.items()} | {"server": side.cpu()}
        if report["delivered"] != report["expected"]:
            sys.exit(f"{side.name}: {report}")
        if report["client_cpu"] > 0.9:
            print(f"the clients were the bottleneck: {report}")
        report["cpu"] = {name: (after[name] - used) * 1e6 for name, used in before.items()}
        return report


class Stage:
    """The people of a side in their conversations."""

    def __init__(self, side):
        self.side, people = side, side.people
        self.pairs = [people[at:at + 2] for at in range(0, 64, 2)]
        self.middling = [people[at:at + 20] for at in range(0, 80, 20)]
        self.large = [people[:49]]
        self.opened = {name: side.sessions(groups) for name, groups in self.groups().items()}
        (self.history,) = side.sessions([people[:2]])

    def groups(self):
        return {"pairs": self.pairs, "middling": self.middling, "large": self.large}

    def places(self, name, connections=1):
        """Everybody in their conversation, one person of each conversation after the other."""
        groups = list(zip(self.opened[name], self.groups()[name]))
        one_by_one = [(group[at], session) for at in range(len(groups[0][1])) for session, group in groups]
        return one_by_one * connections

    def fill(self, measurement, session):
        """So that there is a page to read."""
        measurement.of(self.side, work="post", requests=[(person, session) for person in self.side.people[:2]],
                       seconds=1, rate=150)


def workloads(stage, seconds):
    """By name: what the clients do, and what one of it is."""
    places = stage.places
    return {
        "REST send": (dict(work="post", requests=places("pairs")[:16], seconds=seconds), "count"),
        "page of 50": (dict(work="page", requests=[(p, stage.history) for p in stage.side.people[:2]] * 8,
                            seconds=seconds), "count"),
        "socket send, rooms of 2": (dict(work="say", sockets=places("pairs"), sayers=64, rate=400, seconds=seconds),
                                    "delivered"),
        "delivery, rooms of 20": (dict(work="say", sockets=places("middling"), sayers=40, rate=200, seconds=seconds),
                                  "delivered"),
        "delivery, a room of 196": (dict(work="say", sockets=places("large", 4), sayers=20, rate=60, seconds=seconds),
                                    "delivered"),
    }


@contextlib.contextmanager
def running(*sides):
    """The sides, with their people in place."""
    try:
        for side in sides:
            side.begin()
            if not side.people:
                side.meet(PEOPLE)
        yield
    finally:
        for side in sides:
            side.stop()


def paired(measurement, ours, theirs, arguments):
    """Every workload in shuffled rounds. Answers reports by workload and contender."""
    stages = {side.name: Stage(side) for side in (ours, theirs)}
    if not ours.apart:
        stages["of a million"] = deep(stages[ours.name])
    for stage in stages.values():
        stage.fill(measurement, stage.history)
    contenders = {ours.name: ours, theirs.name: theirs, f"{theirs.name} again": theirs}
    found = {}
    for name in workloads(stages[ours.name], 0):
        rows = found[name] = {contender: [] for contender in contenders}
        if name == "page of 50" and not ours.apart:
            rows["of a million"] = []
        for round_ in range(arguments.rounds + 1):
            for contender in random.sample(list(rows), len(rows)):
                stage = stages[contender.removesuffix(" again")]
                seconds = arguments.seconds if round_ else 1  # the first warms up
                what, unit = workloads(stage, seconds)[name]
                report = measurement.of(stage.side, **what)
                report["unit"] = unit
                if round_:
                    rows[contender].append(report)
        show(name, rows, theirs.name)
    return found


def deep(stage):
    """The same people in a conversation of a million messages."""
    other = Stage.__new__(Stage)
    other.__dict__.update(stage.__dict__)
    (other.history,) = stage.side.sessions([stage.side.people[:2]])
    stage.side.lengthen(other.history, stage.side.people[0][0], 1_000_000)
    return other


def each(reports, engine="server"):
    """µs of CPU for one, of each report."""
    return [report["cpu"][engine] / report[report["unit"]] for report in reports]


def show(name, rows, base):
    print(f"{name:26} {'µs CPU each':>22} {'to the peer, in pairs':>22} {'postgres':>9} {'broker':>7} {'a second':>9} {'p99 ms':>7}")
    for contender, reports in rows.items():
        ratios = [a / b for a, b in zip(each(reports), each(rows[base]))]
        middle = {engine: statistics.median(each(reports, engine)) for engine in ("postgres", "broker")}
        rate = statistics.median(report["count"] / report["seconds"] for report in reports)
        p99 = statistics.median(report["answer_ms"]["p99"] for report in reports)
        print(f"  {contender:24} {results.spread(each(reports), 1):>22} {results.spread(ratios, 2):>22} "
              f"{middle['postgres']:9.0f} {middle['broker']:7.0f} {rate:9.0f} {p99:7.2f}")
    sys.stdout.flush()


def latency(measurement, ours, theirs, full, arguments):
    """From when a message was due to its receipt, at half of what each can and at half of what the slower can."""
    rates = {side.name: statistics.median(report["count"] / report["seconds"] for report in full[side.name]) / 2
             for side in (ours, theirs)}
    same = min(rates.values())
    found = {}
    for name, work in (("REST to socket", "post"), ("socket to socket", "say")):
        rows = found[name] = {}
        for round_ in range(arguments.rounds):
            runs = [(ours, same), (theirs, same), (ours, rates[ours.name])]
            for side, rate in random.sample(runs, len(runs)):
                stage = stages_of(side)
                rate = min(rate, 1500) if work == "say" else rate
                sockets = stage.places("pairs")
                what = dict(sayers=64) if work == "say" else dict(requests=sockets[:32])
                report = measurement.of(side, work=work, sockets=sockets, rate=rate, seconds=arguments.seconds, **what)
                report["unit"] = "count"
                rows.setdefault(f"{side.name} at {rate:.0f}/s", []).append(report)
        print(f"{name:26} {'median ms':>22} {'p99 ms':>22}   (receipt: least, median, most of the rounds)")
        for contender, reports in rows.items():
            cells = [results.spread([report["receipt_ms"][p] for report in reports], 2) for p in ("p50", "p99")]
            print(f"  {contender:24} {cells[0]:>22} {cells[1]:>22}")
    return found


def stages_of(side, known={}):
    """A stage for each side, made once."""
    if side not in known:
        known[side] = Stage(side)
    return known[side]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("parlour", "config", "url", "clients", "peer"):
        parser.add_argument(name)
    parser.add_argument("broker", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    measurement, found = Measurement(arguments), {}
    with tempfile.TemporaryDirectory(prefix="parlour-chat-") as logs:
        whole, apart = (Parlour(arguments.parlour, arguments.config, arguments.url, logs, apart) for apart in (False, True))
        peer = Peer(arguments.peer, arguments.url, logs)
        if {"whole", "latency"} & set(arguments.only):
            with running(whole, peer):
                found["whole"] = paired(measurement, whole, peer, arguments)
                if "latency" in arguments.only:
                    found["latency"] = latency(measurement, whole, peer, found["whole"]["REST send"], arguments)
        if "apart" in arguments.only:
            print("in processes of its own:")
            with running(apart, peer):
                found["apart"] = paired(measurement, apart, peer, arguments)
        if "idle" in arguments.only:
            found["idle"] = idle(measurement, apart, peer, Stage, arguments)
    results.save("chat", found)


if __name__ == "__main__":
    main()
