"""The two chats that are measured: how each is started, filled and asked what it used."""
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request
import uuid

from peer import SECRET, database, signed
from processes import cpu, resident, sql, wait_for

# Of the gateway, its operators, and what stands behind it; the peer's.
GATEWAY, INTERNAL, IDENTITY, IDENTITY_INTERNAL = 5090, 5091, 5092, 5093
API, API_INTERNAL, SOCKETS, SOCKETS_HTTP, SOCKETS_INTERNAL, PEER = 5094, 5095, 5096, 5097, 5098, 5099
PASSWORD = "correct horse battery"


def here(port):
    return f"127.0.0.1:{port}"


class Side:
    """A chat: its processes by name, its people as (id, token), and its sessions."""

    def __init__(self, name, database, logs):
        self.name, self.database, self.logs = name, database, logs
        self.running, self.people = {}, []

    def start(self, name, command, **environment):
        log = open(pathlib.Path(self.logs, f"{self.name}-{name}.log"), "w")
        env = dict(os.environ, **environment)
        self.running[name] = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def stop(self, *names):
        for name in names or list(self.running):
            process = self.running.pop(name)
            process.send_signal(signal.SIGTERM)
            process.wait()

    def cpu(self):
        return sum(cpu(process.pid) for process in self.running.values())

    def resident(self):
        """Bytes that each process holds."""
        return {name: resident(process.pid) * 2**20 for name, process in self.running.items()}

    def sessions(self, groups):
        """Opens one for each group of people, and answers their ids."""
        ids = [str(uuid.uuid4()) for _ in groups]
        rows = ",".join(f"('{one}')" for one in ids)
        members = ",".join(f"('{one}','{person[0]}')" for one, group in zip(ids, groups) for person in group)
        sql(self.database, self.opening(rows, members))
        return ids

    def settle(self):
        """Returns once nothing is to be done any more for what was asked."""


class Parlour(Side):
    """Ours; `apart` in processes for gateway, identity, chat's requests and its sockets, else in one."""

    def __init__(self, binary, config, database, logs, apart):
        super().__init__("apart" if apart else "parlour", database, logs)
        self.binary, self.apart, self.address = binary, apart, here(GATEWAY)
        media = pathlib.Path(logs, "media")
        self.settings = {
            "PARLOUR_CONFIG": config, "PARLOUR__TELEMETRY__LOG": "warn", "PARLOUR__MEDIA__STORAGE__URL": f"file:{media}",
            "PARLOUR__GATEWAY__LISTEN": here(GATEWAY), "PARLOUR__GATEWAY__INTERNAL_LISTEN": here(INTERNAL),
            "PARLOUR__CHAT__SOCKETS__LISTEN": here(SOCKETS), "PARLOUR__GATEWAY__UPSTREAMS__SOCKETS": f"http://{here(SOCKETS)}",
            "PARLOUR__AUTH__ACCESS_TOKEN_SECONDS": "7200",
            # All clients have one address here; what a gateway lets one address do is not what is measured.
            "PARLOUR__GATEWAY__CAPS__REQUESTS_PER_ADDRESS": "100000",
            # A person's messages are counted, but nobody is refused.
            "PARLOUR__LIMITS__MESSAGE__REQUESTS": "1000", "PARLOUR__LIMITS__MESSAGE__SECONDS": "1",
        }
        for name in ("GENERAL", "CHAT", "AUTH"):
            self.settings[f"PARLOUR__LIMITS__{name}__REQUESTS"] = "100000000"
            self.settings[f"PARLOUR__LIMITS__{name}__BURST"] = "100000000"

    def begin(self):
        if self.apart:
            self.begin_apart()
        else:
            self.start("whole", [self.binary, "run"], **self.settings)
        wait_for(f"http://{here(INTERNAL)}/ready", 60)

    def begin_apart(self):
        away = {f"PARLOUR__GATEWAY__UPSTREAMS__{name}": f"http://{here(port)}"
                for name, port in (("IDENTITY", IDENTITY), ("CHAT", API))}
        self.settings["PARLOUR__AUTH__IDENTITY_URL"] = f"http://{here(IDENTITY)}"
        self.service("identity", "identity", IDENTITY, IDENTITY_INTERNAL)
        wait_for(f"http://{here(IDENTITY)}/-/ready")
        self.service("chat", "chat", API, API_INTERNAL, PARLOUR__CHAT__RUN="api")
        self.begin_sockets()
        self.start("gateway", [self.binary, "run", "gateway"], **self.settings, **away)

    def begin_sockets(self):
        self.service("sockets", "chat", SOCKETS_HTTP, SOCKETS_INTERNAL, PARLOUR__CHAT__RUN="sockets")

    def service(self, name, service, port, internal, **more):
        self.start(name, [self.binary, "run", service], **self.settings, **more,
                   PARLOUR__HTTP__LISTEN=here(port), PARLOUR__HTTP__INTERNAL_LISTEN=here(internal))

    def settle(self):
        while sql(self.database, "SELECT count(*) FROM chat.outbox WHERE published_at IS NULL").strip() != "0":
            time.sleep(0.05)

    def meet(self, count):
        """Has so many people, who sign up and in."""
        def person(_):
            name = f"p{uuid.uuid4().hex[:20]}"
            account = {"username": name, "password": PASSWORD}
            self.post("/api/auth/register", account)
            data = self.post("/api/auth/login", account)["data"]
            return data["user"]["id"], data["access_token"]

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.people = list(pool.map(person, range(count)))
        ids = ",".join(f"'{one}'" for one, _ in self.people)
        while sql(self.database, f"SELECT count(*) FROM chat.people WHERE id IN ({ids})").strip() != str(count):
            time.sleep(0.1)

    def post(self, path, body):
        request = urllib.request.Request(
            f"http://{self.address}{path}", json.dumps(body).encode(), {"content-type": "application/json"}, method="POST")
        return json.load(urllib.request.urlopen(request))

    @staticmethod
    def opening(rows, members):
        return f"""INSERT INTO chat.sessions (id, kind, status, encrypted, active_at, created_at)
                   SELECT v.id::uuid, 'general', 'active', false, now(), now() FROM (VALUES {rows}) v (id);
                   INSERT INTO chat.participants (session_id, user_id, role, joined_at)
                   SELECT v.s::uuid, v.u::uuid, 'member', now() FROM (VALUES {members}) v (s, u)"""

    def lengthen(self, session, person, messages):
        """Puts so many messages before those that are to be said, none of which is ever opened."""
        sql(self.database, f"""INSERT INTO chat.messages (session_id, seq, id, sender_id, kind, state, sealed, created_at)
            SELECT '{session}', n, gen_random_uuid(), '{person}', 'text', 'visible',
                   decode(repeat('ab', 160), 'hex'), now() - interval '1 year' FROM generate_series(1, {messages}) n;
            UPDATE chat.sessions SET last_seq = {messages} WHERE id = '{session}';
            ANALYZE chat.messages""")


class Peer(Side):
    """Express, socket.io and pg."""

    def __init__(self, folder, url, logs):
        super().__init__("peer", database(url, "express_chat"), logs)
        self.folder, self.address = folder, here(PEER)

    def begin(self):
        self.start("peer", ["node", str(pathlib.Path(self.folder, "server.js"))], PORT=str(PEER),
                   DATABASE_URL=self.database, JWT_SECRET=SECRET, NODE_ENV="production")
        wait_for(f"http://{self.address}/socket.io/?EIO=4&transport=polling")

    def meet(self, count):
        ids = [str(uuid.uuid4()) for _ in range(count)]
        rows = ",".join(f"('{one}', 'Ana')" for one in ids)
        sql(self.database, f"INSERT INTO users (id, first_name) VALUES {rows}")
        self.people = [(one, signed({"sub": one, "exp": int(time.time()) + 7200})) for one in ids]

    @staticmethod
    def opening(rows, members):
        return f"""INSERT INTO sessions (id) SELECT v.id::uuid FROM (VALUES {rows}) v (id);
                   INSERT INTO participants (session_id, user_id) SELECT v.s::uuid, v.u::uuid FROM (VALUES {members}) v (s, u)"""
