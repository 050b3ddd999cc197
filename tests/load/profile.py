#!/usr/bin/env python3
"""GET /api/profile at identity itself, beside reads through the pool in the same run.

usage: profile.py PARLOUR CONFIG READS URL

PARLOUR is a release build, CONFIG a parlour.toml whose engines run and are migrated, READS the
built example of that name, URL a database address. Each round measures bare `SELECT 1` through
a pool of the same size, then requests by wrk; the figure is their ratio.
"""
import re
import statistics
import subprocess
import sys

import gateway


def bare(reads, url):
    """Bare reads a second, of three short rounds the median."""
    text = subprocess.run([reads, url, "1"], check=True, capture_output=True, text=True).stdout
    print(text, end="")
    return statistics.median(int(n) for n in re.findall(r"bare (\d+)/s", text))


def main():
    parlour, config, reads, url = sys.argv[1:]
    contenders = gateway.Contenders(parlour, config)
    try:
        contenders.identity()
        token = contenders.token()
        gateway.wrk(gateway.IDENTITY, 1, token)
        ratios = []
        for _ in range(3):
            base = bare(reads, url)
            rate = gateway.wrk(gateway.IDENTITY, 4, token) / 4
            ratios.append(rate / base)
            print(f"GET /api/profile: {rate:.0f}/s, {rate / base:.2f} of bare reads")
        print(f"median: {statistics.median(ratios):.2f}")
    finally:
        contenders.stop()


main()
