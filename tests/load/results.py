#!/usr/bin/env python3
"""What a part of the benchmarks found, kept as JSON for the table and the plots (report.py).

usage: results.py PART      keeps the lines of its standard input, "what: figure", and shows them
"""
import json
import os
import pathlib
import re
import statistics
import sys
import time

# How a colourful log's lines begin.
ESCAPE = "\033["
# What fits beside a bar.
LONGEST = 36
FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".local" / "bench" / "results"


def save(part, rows, bars=None, found=None):
    """Keeps rows for the table (what, figure, goal), bars for the plot, and everything that was measured.

    `bars` has by title a list of (label, values, whether it is ours): one bar from nothing to the median, with the spread on it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = {"part": part, "at": time.strftime("%Y-%m-%d %H:%M"), "load": round(os.getloadavg()[0], 1),
            "rows": rows, "bars": bars or {}, "found": found}
    file = FOLDER / f"{part}.json"
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    print(f"kept in {os.path.relpath(file)} (load average {kept['load']})")


def spread(values, digits):
    """Least, median, most."""
    figures = (min(values), statistics.median(values), max(values))
    return " ".join(f"{figure:.{digits}f}" for figure in figures)


def told(values, digits, unit=""):
    """The median, and between what."""
    low, middle, high = spread(values, digits).split()
    return f"{middle}{unit} ({low} to {high})"


def ratios(ours, theirs):
    """Pair by pair."""
    return [a / b for a, b in zip(ours, theirs)]


def drawn(rows):
    """Bars of what begins with a figure and its unit, by unit; of median and 99th percentile, one each."""
    bars = {}
    for what, figure, _ in rows:
        for name, value, unit in re.findall(r"(?:^|\b(p50|p99) )([\d.]+) (µs|ms|s|MiB|MB)\b", figure):
            title = f"{name}, {unit}" if name else unit
            bars.setdefault(title, []).append((shortened(what), [float(value)], True))
    return bars


def shortened(what):
    return what if len(what) <= LONGEST else what[:LONGEST - 1] + "…"


def main():
    (part,) = sys.argv[1:]
    rows = []
    for line in sys.stdin:
        print(line, end="", flush=True)
        if ESCAPE in line:
            continue  # A line of a log.
        what, colon, figure = line.strip().partition(": ")
        if colon:
            rows.append((what, figure, ""))
    if not rows:
        sys.exit(f"{part} found nothing")
    save(part, rows, drawn(rows))


if __name__ == "__main__":
    main()
