"""What sockets cost that only stay, and how soon all are back after a restart."""
import random
import resource
import statistics
import sys
import time

import results
from generator import Clients, plan

# Longer than what is kept for connections that just came.
SILENCE = 15
FIRST = 100


def most_sockets(wanted):
    """As many as this machine lets one process have, two descriptors for each in the gateway."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fit = (hard - 1000) // 2
    if fit < wanted:
        print(f"this machine lets a process open {hard} files: {fit} sockets instead of {wanted} (ulimit -n)")
    return min(wanted, fit)


def held(side, clients, count):
    """Bytes that each process of the side holds for each of so many sockets, and the clients that stay."""
    places = [(side.people[at % len(side.people)], "") for at in range(FIRST + count)]
    first = Clients(clients, plan(side, "stay", sockets=places[:FIRST]))
    first.hear("all")
    time.sleep(SILENCE)
    before = side.resident()
    rest = Clients(clients, plan(side, "stay", sockets=places[FIRST:]))
    rest.hear("all")
    time.sleep(SILENCE)
    after = side.resident()
    return {name: (after[name] - before[name]) / count for name in after}, (first, rest)


def idle(measurement, ours, theirs, stage, arguments):
    count = most_sockets(arguments.idle)
    found = {"sockets": count, "bytes": {ours.name: [], theirs.name: []}}
    for round_ in range(2):
        for side in random.sample([ours, theirs], 2):
            side.begin()
            try:
                if not side.people:
                    side.meet(500)
                each, staying = held(side, arguments.clients, count)
                found["bytes"][side.name].append(each)
                print(f"{count} idle sockets at {side.name}: " + ", ".join(f"{name} {b:.0f}" for name, b in each.items())
                      + f"; together {sum(each.values()):.0f} bytes each")
                sys.stdout.flush()
                if side is ours and "receipt" not in found:
                    found["receipt"] = beside(measurement, side, stage(side), count, arguments)
                    found["restart"] = restart(side, staying)
                for clients in staying:
                    clients.__exit__()
            finally:
                side.stop()
    return found


def beside(measurement, side, stage, count, arguments):
    """Messages at half load while all the others are there."""
    sockets = stage.places("pairs")
    full = measurement.of(side, work="post", requests=sockets[:16], seconds=arguments.seconds)
    rate = full["count"] / full["seconds"] / 2
    reports = [measurement.of(side, work="post", requests=sockets[:32], sockets=sockets, rate=rate, seconds=arguments.seconds)
               for _ in range(arguments.rounds)]
    cells = [results.spread([report["receipt_ms"][p] for report in reports], 2) for p in ("p50", "p99")]
    print(f"with {count} idle sockets, at {rate:.0f}/s (half load): receipt median {cells[0]} ms, p99 {cells[1]} ms")
    return {"rate": rate, "p50": statistics.median(r["receipt_ms"]["p50"] for r in reports),
            "p99": statistics.median(r["receipt_ms"]["p99"] for r in reports)}


def restart(side, staying):
    """Seconds until everybody is back, from the signal that ends the sockets' process, once asked and once killed."""
    found = {}
    for how in ("terminated", "killed"):
        began = time.monotonic()
        if how == "killed":
            side.running["sockets"].kill()
        side.stop("sockets")
        side.begin_sockets()
        found[how] = max(clients.hear("all") for clients in staying) - began
        print(f"all back after the sockets' process was {how} and started again: {found[how]:.1f} s")
    return found
