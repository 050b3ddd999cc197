"""What processes use, and when they answer."""
import os
import pathlib
import re
import subprocess
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")


def children(pid):
    """The process and everything below it."""
    found = [pid]
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return found  # It ended in this moment.
    for task in tasks:
        try:
            below = (task / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in below:
            found += children(int(child))
    return found


def cpu(pid):
    """Seconds of user and system time of the process and its children, those that have ended included."""
    total = 0
    for one in children(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended in this moment, and its time is its parent's now.
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def resident(pid):
    """MiB that the process and its children hold."""
    kib = 0
    for one in children(pid):
        match = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{one}/status").read_text())
        kib += int(match.group(1)) if match else 0
    return kib / 1024


def wait_for(url, seconds=20):
    end = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(url, timeout=1).read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def postmaster(url):
    """The process of the database, to find its children's time by."""
    folder = sql(url, "SHOW data_directory").strip()
    return int(pathlib.Path(folder, "postmaster.pid").read_text().split()[0])


def sql(url, text):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", url, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stderr}{text[:500]}")
    return done.stdout
