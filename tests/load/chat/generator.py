"""Drives the clients, which are another program (crates/sockets/examples/clients), the same for both sides."""
import json
import subprocess
import tempfile
import time


def plan(side, work, sockets=(), requests=(), sayers=0, seconds=4.0, rate=0.0, length=100):
    """What the clients do; sockets and requests are pairs of a person and their session."""
    def places(pairs):
        return [{"token": person[1], "session": session} for person, session in pairs]

    return {"address": side.address, "work": work, "sockets": places(sockets), "requests": places(requests),
            "sayers": sayers, "seconds": seconds, "rate": rate, "length": length}


class Clients:
    """The program with a plan. Use it as a context."""

    def __init__(self, binary, plan):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(plan, self.file)
        self.file.flush()
        self.process = subprocess.Popen([binary, self.file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.file.close()

    def hear(self, word):
        """Waits for a line, and answers when it came."""
        line = self.process.stdout.readline().strip()
        if line != word:
            raise SystemExit(f"the clients said {line!r} and not {word!r}")
        return time.monotonic()

    def go(self):
        """Begins, and answers what came of it."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the clients gave up")
        return json.loads(line)
