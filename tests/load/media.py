#!/usr/bin/env python3
"""Memory, throughput and CPU of media's uploads and downloads, and what their times tell strangers.

usage: media.py PARLOUR CONFIG [--only memory|slow|throughput|timing]

PARLOUR is a build whose codecs are optimised (release, or dev), CONFIG a parlour.toml whose engines run and are
migrated. Media runs alone, with identity beside it and a gateway before both. Memory is the growth of a process's
peak (VmHWM) over what it held before, after a warm-up. Throughput stands beside nginx, which takes and gives the
same file without looking at it. Everything is on loopback, is bounded, and ends by itself.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time
import urllib.request

import media_timing
import results
from gateway import Contenders, post
from processes import cpu, resident, wait_for

MB = 1_000_000
SIZE = 50 * MB
AT_ONCE, DOWNLOADS, SLOW, ROUNDS = 10, 20, 1000, 5


def several(count):
    """Ports that are free together: asked for one by one, two may be the same."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


def free():
    return several(1)[0]


def peak(pid, reset=False):
    """MB that a process held at the most, since it was reset."""
    if reset:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / MB


def wav(path, size):
    """A recording of noise."""
    data = size - 44
    head = b"RIFF" + (size - 8).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
    head += (48000).to_bytes(4, "little") + (96000).to_bytes(4, "little") + b"\x02\0\x10\0data"
    path.write_bytes(head + data.to_bytes(4, "little") + random.randbytes(data))


def text(path, size):
    line = b"%d The cup shows a bird, and the bird looks at the sea.\n" % random.getrandbits(60)
    path.write_bytes((line * (size // len(line) + 1))[:size])


class Stage:
    """The processes, somebody who is signed in, and files to send."""

    def __init__(self, parlour, config):
        self.running = Contenders(parlour, config)
        self.folder = self.running.folder
        self.ports = dict(zip(("identity", "media", "gateway", "nginx"), several(4)))
        self.settings = dict(self.running.settings(), PARLOUR__LIMITS__UPLOAD__REQUESTS="100000000",
                             PARLOUR__LIMITS__UPLOAD__BURST="100000000", PARLOUR__MEDIA__QUOTA_BYTES=str(1 << 40),
                             PARLOUR__AUTH__IDENTITY_URL=self.base("identity"),
                             PARLOUR__MEDIA__STORAGE__URL=f"file:{self.folder}/media")

    def base(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def pid(self, name):
        return self.running.running[name].pid

    def start(self):
        for name in ("identity", "media"):
            self.running.start(name, [self.running.parlour, "run", name], **self.settings,
                               PARLOUR__HTTP__LISTEN=f"127.0.0.1:{self.ports[name]}",
                               PARLOUR__HTTP__INTERNAL_LISTEN=f"127.0.0.1:{free()}")
        for name in ("identity", "media"):
            wait_for(self.base(name) + "/-/ready")
        upstreams = {f"PARLOUR__GATEWAY__UPSTREAMS__{name.upper()}": self.base(name) for name in ("identity", "media")}
        self.running.start("gateway", [self.running.parlour, "run", "gateway"], **self.settings, **upstreams,
                           PARLOUR__GATEWAY__LISTEN=f"127.0.0.1:{self.ports['gateway']}",
                           PARLOUR__GATEWAY__INTERNAL_LISTEN=f"127.0.0.1:{free()}")
        (self.folder / "www").mkdir()
        (self.folder / "www").chmod(0o777)
        self.running.nginx("nginx", self.ports["nginx"], f"""
            root {self.folder}/www; client_max_body_size 100m; sendfile on;
            location / {{ dav_methods PUT; }}""")
        wait_for(self.base("gateway") + "/health")
        self.token = self.person()

    def person(self):
        name = f"bench{time.time_ns()}"
        account = {"username": name, "password": "correct horse battery"}
        post(self.base("identity") + "/api/auth/register", account)
        return post(self.base("identity") + "/api/auth/login", account)["data"]["access_token"]

    def upload(self, name, path):
        """The file's id."""
        command = ["curl", "-sS", "--fail-with-body", "-H", "expect:", "-H", f"authorization: Bearer {self.token}",
                   "-F", f"file=@{path}", self.base(name) + "/api/media/upload"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"an upload by the {name}: {done.stderr} {done.stdout}")
        return json.loads(done.stdout)["data"]["file"]["id"]

    def download(self, name, file):
        command = ["curl", "-sS", "--fail", "-o", "/dev/null", "-H", f"authorization: Bearer {self.token}",
                   self.base(name) + f"/api/media/files/{file}/download"]
        subprocess.run(command, check=True)

    def settled(self, file):
        """Waits until the file was scanned."""
        headers = {"authorization": f"Bearer {self.token}"}
        url = self.base("media") + f"/api/media/files/{file}"
        for _ in range(3000):
            answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
            status = json.load(answer)["data"]["file"]["status"]
            if status != "pending":
                assert status == "ready", status
                return
            time.sleep(0.05)
        sys.exit(f"{file} was not scanned in time")


def together(work, items):
    with concurrent.futures.ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work, items))


def memory(stage):
    """Growth of the peak while ten files of 50 MB arrive and are scanned, and while 1 GB leaves."""
    rows = []
    for name in ("media", "gateway"):
        files = []
        for n in range(AT_ONCE):
            path = stage.folder / f"large{n}.{'wav' if n % 2 else 'txt'}"
            (wav if n % 2 else text)(path, SIZE)
            files.append(path)
        small = stage.folder / "small.txt"
        text(small, 1000)
        stage.settled(stage.upload(name, small))
        watched = sorted({"media", name})
        before = {one: (resident(stage.pid(one)) * 1.048576, peak(stage.pid(one), reset=True))[0] for one in watched}
        ids = together(lambda path: stage.upload(name, path), files)
        after = {one: peak(stage.pid(one)) for one in watched}
        together(stage.settled, ids)
        scanned = {one: peak(stage.pid(one)) for one in watched}
        for one in watched:
            rows.append((f"{AT_ONCE} uploads of 50 MB at once by the {name}: growth of {one}",
                         f"{after[one] - before[one]:.0f} MB from {before[one]:.0f} MB, "
                         f"{scanned[one] - before[one]:.0f} MB when they were scanned", "100 MB"))
        before = {one: (resident(stage.pid(one)) * 1.048576, peak(stage.pid(one), reset=True))[0] for one in watched}
        together(lambda n: stage.download(name, ids[n % AT_ONCE]), list(range(DOWNLOADS)))
        for one in watched:
            rows.append((f"{DOWNLOADS} downloads of 50 MB at once by the {name}: growth of {one}",
                         f"{peak(stage.pid(one)) - before[one]:.0f} MB from {before[one]:.0f} MB", "100 MB"))
    return rows


def slow(stage):
    """Growth of the peak while a thousand clients take their time over a file of 50 MB."""
    path = stage.folder / "large.wav"
    wav(path, SIZE)
    file = stage.upload("media", path)
    stage.settled(file)
    request = f"GET /api/media/files/{file}/download HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {stage.token}\r\n\r\n"
    pid = stage.pid("media")
    before = (resident(pid) * 1.048576, peak(pid, reset=True))[0]
    clients = []
    for _ in range(SLOW):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", stage.ports["media"]))
        client.sendall(request.encode())
        # They begin one after the other: how many can ask the database at once is not the question here.
        assert b" 200 " in client.recv(1024)
        clients.append(client)
    for _ in range(5):
        for client in clients:
            assert client.recv(1024)
    row = (f"{SLOW} slow downloads at once: growth of media", f"{peak(pid) - before:.0f} MB from {before:.0f} MB", "100 MB")
    for client in clients:
        client.close()
    return [row]


def throughput(stage, plots):
    """MB a second and CPU of one transfer after the other, in rounds of a shuffled order."""
    path = stage.folder / "large.wav"
    wav(path, SIZE)
    stage.settled(kept := stage.upload("media", path))
    put = ["curl", "-sS", "--fail", "-H", "expect:", "-T", str(path), stage.base("nginx") + "/large.wav"]
    get = ["curl", "-sS", "--fail", "-o", "/dev/null", stage.base("nginx") + "/large.wav"]
    work = {
        ("up", "media"): lambda: stage.upload("media", path),
        ("up", "gateway"): lambda: stage.upload("gateway", path),
        ("up", "nginx"): lambda: subprocess.run(put, check=True),
        ("down", "media"): lambda: stage.download("media", kept),
        ("down", "gateway"): lambda: stage.download("gateway", kept),
        ("down", "nginx"): lambda: subprocess.run(get, check=True),
    }
    figures = {key: [] for key in work}
    for key in list(work)[2:3] + [key for _ in range(ROUNDS) for key in random.sample(list(work), len(work))]:
        pids = {stage.pid(key[1]), stage.pid("nginx" if key[1] == "nginx" else "media")}
        before, began = sum(map(cpu, pids)), time.monotonic()
        done = work[key]()
        took, used = time.monotonic() - began, sum(map(cpu, pids)) - before
        if isinstance(done, str):
            # Its scan is not part of it, and must not run beside the next.
            stage.settled(done)
        figures[key].append((SIZE / MB / took, used / (SIZE / MB) * 1000))
    rows = []
    for (way, name), values in figures.items():
        speed, used = ([value[n] for value in values] for n in (0, 1))
        goal = "200 MB/s" if (way, name) == ("up", "media") else ""
        rows.append((f"50 MB {way}, one after the other, by {name}", f"{results.told(speed, 0, ' MB/s')}, "
                     f"{results.told(used, 2, ' ms')} of CPU a MB in its processes", goal))
        for title, bars in ((f"{way}, MB a second", speed), (f"{way}, ms of CPU a MB", used)):
            plots.setdefault(title, []).append((name, bars, name != "nginx"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parlour")
    parser.add_argument("config")
    parser.add_argument("--only", choices=["memory", "slow", "throughput", "timing"])
    arguments = parser.parse_args()
    os.environ.pop("PARLOUR__MEDIA__STORAGE__URL", None)
    stage = Stage(arguments.parlour, arguments.config)
    try:
        stage.start()
        rows, plots = [], {}
        parts = {"memory": memory, "slow": slow, "throughput": lambda stage: throughput(stage, plots),
                 "timing": media_timing.measure}
        for name, part in parts.items():
            if arguments.only in (None, name):
                for what, figure, goal in part(stage):
                    print(f"{what}: {figure}", flush=True)
                    rows.append((what, figure, goal))
        if not arguments.only:
            results.save("media", rows, plots)
    finally:
        stage.running.stop()


main()
