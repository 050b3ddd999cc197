#!/usr/bin/env python3
"""The table and the plots of what `make bench` found last.

usage: report.py            prints the table
       report.py --write    puts it into docs/PERFORMANCE.md, and the plots into docs/plots; what was not measured
                            here stays in it as it was
"""
import html
import json
import pathlib
import re
import statistics
import sys

from results import FOLDER

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- figures of the last run: begin -->", "<!-- end -->"
WIDTH, LABEL, BAR = 760, 250, 20
COLOURS = ("#2f6f8f", "#b0b7bd")


def table(part):
    lines = [f"**{part['part']}** (`make bench ARGS={part['part']}`, {part['at']}, load average {part['load']:g} at its end)",
             "", "| what | figure | goal |", "|---|---|---|"]
    lines += [f"| {what} | {figure} | {goal} |" for what, figure, goal in part["rows"]]
    if part["bars"]:
        lines += ["", f"![{part['part']}](plots/{part['part']}.svg)"]
    return "\n".join(lines) + "\n"


def bar(y, label, values, scale, ours):
    """One bar, a line over it from the least to the most, and its median in figures."""
    low, middle, high = (LABEL + value * scale for value in (min(values), statistics.median(values), max(values)))
    centre = y + BAR / 2
    return [
        f'<text x="{LABEL - 8}" y="{centre + 4}" text-anchor="end">{html.escape(label)}</text>',
        f'<rect x="{LABEL}" y="{y + 2}" width="{middle - LABEL:.1f}" height="{BAR - 4}" fill="{COLOURS[0 if ours else 1]}"/>',
        f'<path d="M{low:.1f} {centre}H{high:.1f}" stroke="#222" stroke-width="1.5"/>',
        f'<text x="{high + 6:.1f}" y="{centre + 4}">{statistics.median(values):.3g}</text>',
    ]


def plot(part):
    """Bars below a title each; those of others are grey."""
    y, shapes = 10, []
    for title, bars in part["bars"].items():
        most = max(max(values) for _, values, _ in bars) or 1
        scale = (WIDTH - LABEL - 70) / most
        y += 22
        shapes.append(f'<text x="8" y="{y - 6}" font-weight="bold">{html.escape(title)}</text>')
        for label, values, ours in bars:
            shapes += bar(y, label, values, scale, ours)
            y += BAR
        y += 6
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 8}" ' \
           'font-family="sans-serif" font-size="12" fill="#222">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y + 8}" fill="#fff"/>', *shapes, "</svg>", ""])


def written(region):
    """The tables that the page has, by part."""
    tables = re.split(r"^(?=\*\*\w+\*\* \(`make bench)", region, flags=re.MULTILINE)[1:]
    return {table[2:table.index("**", 2)]: table.rstrip() + "\n" for table in tables}


def main():
    parts = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    if not parts:
        sys.exit("nothing was measured yet: run `make bench`")
    tables = {part["part"]: table(part) for part in parts}
    if sys.argv[1:] != ["--write"]:
        print("\n".join(tables.values()))
        return
    page = DOCS / "PERFORMANCE.md"
    before, _, rest = page.read_text().partition(BEGIN)
    region, _, after = rest.partition(END)
    text = "\n".join(text for _, text in sorted((written(region) | tables).items()))
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
    (DOCS / "plots").mkdir(exist_ok=True)
    for part in parts:
        if part["bars"]:
            (DOCS / "plots" / f"{part['part']}.svg").write_text(plot(part))


if __name__ == "__main__":
    main()
