"""What a part of the benchmarks found, kept as JSON for the table and the plots."""
import json
import os
import pathlib
import statistics
import time

FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".local" / "bench"


def save(part, found):
    """Keeps what was found, and how busy the machine was."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = {"part": part, "at": time.strftime("%Y-%m-%d %H:%M"), "load": os.getloadavg()[0], "found": found}
    file = FOLDER / f"{part}.json"
    file.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"kept in {os.path.relpath(file)} (load average {kept['load']:.1f})")


def spread(values, digits):
    """Least, median, most."""
    figures = (min(values), statistics.median(values), max(values))
    return " ".join(f"{figure:.{digits}f}" for figure in figures)
