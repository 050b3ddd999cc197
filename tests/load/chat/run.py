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
import copy
import os
import random
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

import results  # noqa: E402
from figures import show, summary, times  # noqa: E402
from generator import Clients, plan  # noqa: E402
from idle import idle  # noqa: E402
from processes import cpu, postmaster  # noqa: E402
from sides import Parlour, Peer  # noqa: E402

PEOPLE = 100
# What 64 connections may say in a second: 30 events each, with some room.
MOST_SAID = 1500
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
        # Neither lost nor told twice.
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

    def of_a_million(self):
        """The same people in the same conversations, but for one that is a million messages long."""
        other = copy.copy(self)
        (other.history,) = self.side.sessions([self.side.people[:2]])
        self.side.lengthen(other.history, self.side.people[0][0], 1_000_000)
        return other

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
        stages["of a million"] = stages[ours.name].of_a_million()
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


def latency(measurement, ours, theirs, full, arguments):
    """From when a message was due to its receipt: both at half of what the slower can, and ours at half of what it can."""
    stages = {side.name: Stage(side) for side in (ours, theirs)}
    rates = {side.name: statistics.median(report["count"] / report["seconds"] for report in full[side.name]) / 2
             for side in (ours, theirs)}
    same = min(rates.values())
    runs = {"parlour": (ours, same), "peer": (theirs, same), "parlour at half of its own": (ours, rates[ours.name])}
    found = {}
    for name, work in (("REST to socket", "post"), ("socket to socket", "say")):
        rows = found[name] = {label: [] for label in runs}
        for _ in range(arguments.rounds):
            for label in random.sample(list(runs), len(runs)):
                side, rate = runs[label]
                sockets = stages[side.name].places("pairs")
                what = dict(sayers=64, rate=min(rate, MOST_SAID)) if work == "say" else dict(requests=sockets[:32], rate=rate)
                report = measurement.of(side, work=work, sockets=sockets, seconds=arguments.seconds, **what)
                report.update(unit="count", rate=what["rate"])
                rows[label].append(report)
        print(f"{name:30} {'a second':>9} {'receipt, median ms':>22} {'p99 ms':>22} {'answer, p99 ms':>22}")
        for label, reports in rows.items():
            cells = [results.spread(times(reports, *which), 2)
                     for which in (("receipt", "p50"), ("receipt", "p99"), ("answer", "p99"))]
            print(f"  {label:28} {reports[0]['rate']:9.0f} {cells[0]:>22} {cells[1]:>22} {cells[2]:>22}", flush=True)
    return found


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
    results.save("chat", *summary(found), found)


if __name__ == "__main__":
    main()
