"""What the measurements of chat come to: rows for the table, bars for the plot."""
import statistics

from results import ratios, spread, told


def each(reports, engine="server"):
    """µs of CPU for one, of each report."""
    return [report["cpu"][engine] / report[report["unit"]] for report in reports]


def times(reports, of, percentile):
    return [report[f"{of}_ms"][percentile] for report in reports]


GOALS = {"REST send": {"parlour": "0.2", "apart": "0.33"}, "page of 50": {"parlour": "0.25"},
         "delivery, a room of 196": {"parlour": "0.33"}}


def show(name, rows, base):
    """A workload's rounds, CPU first."""
    print(f"{name:26} {'µs CPU each':>22} {'to the peer, in pairs':>22} {'postgres':>9} {'broker':>7} {'a second':>9} "
          f"{'p99 ms':>7}")
    for contender, reports in rows.items():
        pairs = ratios(each(reports), each(rows[base]))
        engines = [statistics.median(each(reports, engine)) for engine in ("postgres", "broker")]
        rate = statistics.median(report["count"] / report["seconds"] for report in reports)
        p99 = statistics.median(times(reports, "answer", "p99"))
        print(f"  {contender:24} {spread(each(reports), 1):>22} {spread(pairs, 2):>22} "
              f"{engines[0]:9.0f} {engines[1]:7.0f} {rate:9.0f} {p99:7.2f}", flush=True)


def costs(found, ours):
    """Of paired workloads."""
    rows, bars = [], {}
    where = "in one process" if ours == "parlour" else "apart"
    for name, contenders in found.items():
        mine, peer, again = (each(contenders[key]) for key in (ours, "peer", "peer again"))
        label = f"{name}, {where}"
        low, _, high = spread(ratios(again, peer), 2).split()
        engines = [f"{statistics.median(each(contenders[key], engine)):.0f}"
                   for key in (ours, "peer") for engine in ("postgres", "broker")]
        rows.append((label, f"{statistics.median(mine):.1f} µs of CPU: {told(ratios(mine, peer), 2)} of the peer's, which differs "
                     f"from itself by {low} to {high}; PostgreSQL and RabbitMQ {engines[0]} + {engines[1]} µs, at the peer "
                     f"{engines[2]} + {engines[3]} µs", GOALS.get(name, {}).get(ours, "")))
        bars[f"{label}: CPU of the servers, µs"] = [(key, each(reports), key == ours) for key, reports in contenders.items()]
        if "of a million" in contenders:
            pairs = ratios(each(contenders["of a million"]), mine)
            rows.append((f"{label}, of a session of a million messages, to one of some hundred", told(pairs, 2), "1"))
    return rows, bars


def delays(found):
    """Of messages at half load."""
    rows, bars = [], {}
    for name, contenders in found.items():
        for contender, reports in contenders.items():
            middle, worst = (told(times(reports, "receipt", p), 2, " ms") for p in ("p50", "p99"))
            goal = "5 ms; 25 ms" if contender.startswith("parlour") else ""
            load = f"{reports[0]['rate']:.0f}/s"
            rows.append((f"{name}, send to receipt, {contender} ({load})", f"{middle}; p99 {worst}", goal))
            ours = contender.startswith("parlour")
            bars.setdefault(f"{name}: p99 from send to receipt, ms", []).append(
                (contender, times(reports, "receipt", "p99"), ours))
        p99 = [times(contenders[key], "answer", "p99") for key in ("parlour", "peer")]
        rows.append((f"{name}: p99 of the answer to the peer's at the same load", told(ratios(*p99), 2),
                     "0.33" if name.startswith("REST") else ""))
    return rows, bars


def idleness(found):
    rows, bars = [], {}
    count, held = found["sockets"], found["bytes"]
    together = {side: [sum(processes.values()) / 1000 for processes in rounds] for side, rounds in held.items()}
    for side, rounds in held.items():
        for name in rounds[0]:
            if name in ("sockets", "gateway", "peer"):
                kilobytes = [processes[name] / 1000 for processes in rounds]
                label = "the peer" if name == "peer" else name
                rows.append((f"an idle socket of {count}, {label}", told(kilobytes, 1, " KB"), ""))
    rows.append((f"an idle socket of {count}, sockets and gateway and all others together",
                 told(together["apart"], 1, " KB"), "the peer's"))
    bars["an idle socket, KB"] = [
        ("sockets' process", [one["sockets"] / 1000 for one in held["apart"]], True),
        ("gateway", [one["gateway"] / 1000 for one in held["apart"]], True), ("peer", together["peer"], False)]
    receipt = found["receipt"]
    rows.append((f"send to receipt at half load ({receipt['rate']:.0f}/s) with {count} idle sockets, apart",
                 f"{receipt['p50']:.2f} ms; p99 {receipt['p99']:.2f} ms", "5 ms; 25 ms"))
    for how, seconds in found["restart"].items():
        rows.append((f"all {count} back after the sockets' process was {how} and started again", f"{seconds:.1f} s", "10 s"))
    return rows, bars


def summary(found):
    """Rows and bars of everything that was measured."""
    rows, bars = [], {}
    parts = [(costs, (found.get("whole"), "parlour")), (costs, (found.get("apart"), "apart")),
             (delays, (found.get("latency"),)), (idleness, (found.get("idle"),))]
    for part, arguments in parts:
        if arguments[0]:
            more, drawn = part(*arguments)
            rows += more
            bars |= drawn
    return rows, bars
