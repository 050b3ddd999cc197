"""Whether the time of an answer tells a stranger that a file is there, or that somebody has its content already.

Questions are asked in pairs, in an order that changes, and the two distributions of times are compared: the overlap
is the share that one time of each kind cannot be told apart by, and the chance is how often somebody is right who
says that the slower one of a pair is the one that exists (0.5 is guessing).
"""
import bisect
import http.client
import json
import random
import statistics
import time
import uuid

PAIRS, UPLOADS = 1500, 300


def upload(caller, content):
    return caller.ask("POST", "/api/media/upload", form(content), "multipart/form-data; boundary=XyZ")


class Caller:
    """One connection that stays open, by one person."""

    def __init__(self, stage, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", stage.ports["media"])
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(self, method, path, body=None, kind=None):
        """Microseconds until the answer is there, and its status."""
        headers = dict(self.headers, **({"content-type": kind} if kind else {}))
        began = time.perf_counter_ns()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        body = answer.read()
        return (time.perf_counter_ns() - began) / 1000, answer.status, body


def form(content):
    head = b'--XyZ\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    return head + content + b"\r\n--XyZ--\r\n"


def told(what, one, other):
    """How alike two lists of times are, as a row."""
    ordered = sorted(other)
    slower = sum((bisect.bisect_left(ordered, t) + bisect.bisect_right(ordered, t)) / 2 for t in one)
    chance = slower / len(one) / len(other)
    low, high = min(one + other), statistics.quantiles(one + other, n=100)[-1]
    edges = [low + (high - low) * n / 40 for n in range(1, 40)]

    def shares(times):
        counts = [0] * 40
        for t in times:
            counts[bisect.bisect(edges, t)] += 1
        return [count / len(times) for count in counts]

    overlap = sum(map(min, shares(one), shares(other)))
    return (what, f"{statistics.median(one):.0f} and {statistics.median(other):.0f} µs at the median, "
                  f"overlap {overlap:.2f}, chance {chance:.2f}", "chance 0.5")


def measure(stage):
    """Rows for the table."""
    rows, control = [], "the same, none of them there, as the control"
    hers, his = Caller(stage, stage.token), Caller(stage, stage.person())
    took, status, body = upload(hers, b"The cup shows a bird.")
    assert status == 201, body
    file = json.loads(body)["data"]["file"]["id"]
    stage.settled(file)
    for rest in ("", "/download"):
        times = {"known": [], "unknown": [], "unknown again": []}
        for _ in range(PAIRS):
            for name in random.sample(list(times), len(times)):
                one = file if name == "known" else uuid.uuid4()
                took, status, _ = his.ask("GET", f"/api/media/files/{one}{rest}")
                assert status == 404
                times[name].append(took)
        rows.append(told(f"GET …{rest or '/{id}'} of another's file, and of none", times["known"], times["unknown"]))
        rows.append(told(control, times["unknown again"], times["unknown"]))
    for size, rounds in ((2_000, UPLOADS), (1_000_000, UPLOADS // 5)):
        def content():
            return (b"%030d\n" % random.getrandbits(90)) * (size // 31)

        times = {"known": [], "fresh": [], "fresh again": []}
        for _ in range(rounds):
            for name in random.sample(list(times), len(times)):
                sent = content()
                _, status, body = upload(hers, sent if name == "known" else content())
                assert status == 201, body
                took, status, body = upload(his, sent)
                assert status == 201, body
                times[name].append(took)
        what = f"an upload of {size} bytes that somebody has already, and of new ones"
        rows.append(told(what, times["known"], times["fresh"]))
        rows.append(told(control, times["fresh again"], times["fresh"]))
    return rows
