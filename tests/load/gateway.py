#!/usr/bin/env python3
"""CPU per request of the gateway's hop, beside nginx and HAProxy proxying the same upstream.

usage: gateway.py PARLOUR CONFIG [--rounds N] [--seconds S]

PARLOUR is a release build, CONFIG a parlour.toml whose engines run and are migrated. The
upstream is nginx answering a small JSON; identity runs beside it for keys and revocations.
Each round measures every contender once, in an order of its own; the first contender
stands twice in it, as the control that tells how far two equal figures lie apart.
Figures: user and system time of the contender's processes over the requests that wrk made.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import results
from processes import cpu, resident, wait_for

UPSTREAM, NGINX, HAPROXY = 5081, 5082, 5083
GATEWAY, INTERNAL, IDENTITY, IDENTITY_INTERNAL = 5084, 5085, 5086, 5087
BODY = '{"success":true,"data":{"id":"0190a0b0-0000-7000-8000-000000000000","display_name":"Ana"}}'


def post(url, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
    )
    return json.load(urllib.request.urlopen(request))


def wrk(port, seconds, token):
    """Requests made in `seconds` over 32 connections, and their latencies; an error ends the run."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency"]
    command += ["-H", f"authorization: Bearer {token}", f"http://127.0.0.1:{port}/api/profile"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"port {port}: {text}")
    return int(re.search(r"(\d+) requests in", text).group(1))


class Contenders:
    """Everything that runs during the measurement."""

    def __init__(self, parlour, config):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="parlour-bench-"))
        self.folder.chmod(0o755)
        self.running, self.parlour, self.config = {}, parlour, config

    def start(self, name, command, **environment):
        env = dict(os.environ, **environment)
        log = open(self.folder / f"{name}.log", "w")
        self.running[name] = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def nginx(self, name, port, location):
        file = self.folder / f"{name}.conf"
        file.write_text(f"""
            worker_processes 2; daemon off; pid {self.folder}/{name}.pid; error_log stderr warn;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; keepalive_requests 1000000000; default_type application/json;
              client_body_temp_path {self.folder}; proxy_temp_path {self.folder};
              fastcgi_temp_path {self.folder}; uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
              upstream u {{ server 127.0.0.1:{UPSTREAM}; keepalive 64; keepalive_requests 1000000000; }}
              server {{ listen 127.0.0.1:{port}; {location} }}
            }}""")
        self.start(name, ["nginx", "-c", str(file)])

    def upstream(self):
        ready = '{"ready":true,"services":{"identity":"active"}}'
        self.nginx("upstream", UPSTREAM, f"""
            location /-/ready {{ return 200 '{ready}'; }}
            location /-/openapi.json {{ return 200 '{{}}'; }}
            location / {{ return 200 '{BODY}'; }}""")

    def haproxy(self, public_key):
        pem = self.folder / "key.pem"
        pem.write_text(public_key)
        file = self.folder / "haproxy.cfg"
        file.write_text(f"""
global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:{HAPROXY}
  stick-table type ip size 100k expire 60s store http_req_rate(60s)
  http-request track-sc0 src
  http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 1000000000 }}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(ES256,"{pem}") 1 }}
  default_backend b
backend b
  server s 127.0.0.1:{UPSTREAM}
""")
        self.start("haproxy", ["haproxy", "-f", str(file)])

    def settings(self):
        """Limits out of the way, and no log of requests."""
        settings = {"PARLOUR_CONFIG": self.config, "PARLOUR__TELEMETRY__LOG": "warn"}
        for name in ("GENERAL", "AUTH"):
            settings[f"PARLOUR__LIMITS__{name}__REQUESTS"] = "100000000"
            settings[f"PARLOUR__LIMITS__{name}__BURST"] = "100000000"
        return settings

    def identity(self):
        self.start("identity", [self.parlour, "run", "identity"], **self.settings(),
                   PARLOUR__HTTP__LISTEN=f"127.0.0.1:{IDENTITY}",
                   PARLOUR__HTTP__INTERNAL_LISTEN=f"127.0.0.1:{IDENTITY_INTERNAL}")
        wait_for(f"http://127.0.0.1:{IDENTITY}/-/ready")

    def gateway(self):
        self.identity()
        self.start("gateway", [self.parlour, "run", "gateway"], **self.settings(),
                   PARLOUR__GATEWAY__LISTEN=f"127.0.0.1:{GATEWAY}",
                   PARLOUR__GATEWAY__INTERNAL_LISTEN=f"127.0.0.1:{INTERNAL}",
                   PARLOUR__GATEWAY__UPSTREAMS__IDENTITY=f"http://127.0.0.1:{UPSTREAM}",
                   PARLOUR__AUTH__IDENTITY_URL=f"http://127.0.0.1:{IDENTITY}")
        wait_for(f"http://127.0.0.1:{GATEWAY}/health")

    def token(self):
        base, name = f"http://127.0.0.1:{IDENTITY}", f"bench{time.time_ns()}"
        account = {"username": name, "password": "correct horse battery"}
        post(f"{base}/api/auth/register", account)
        return post(f"{base}/api/auth/login", account)["data"]["access_token"]

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            process.wait()
        shutil.rmtree(self.folder)


def es256():
    """A key pair's public half and a token signed with it, for HAProxy, which cannot read EdDSA."""
    def run(*command, data=b""):
        return subprocess.run(command, input=data, check=True, capture_output=True).stdout

    def b64(data):
        import base64
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    with tempfile.NamedTemporaryFile() as key:
        key.write(run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"))
        key.flush()
        claims = json.dumps({"sub": "x", "exp": int(time.time()) + 3600, "roles": ["client"]}).encode()
        message = b64(b'{"alg":"ES256","typ":"JWT"}') + b"." + b64(claims)
        der = run("openssl", "dgst", "-sha256", "-sign", key.name, data=message)
        length = der[3]
        r, s = der[4:4 + length], der[4 + length + 2:]
        raw = b"".join(part.lstrip(b"\0").rjust(32, b"\0") for part in (r, s))
        public = run("openssl", "ec", "-in", key.name, "-pubout").decode()
    return public, (message + b"." + b64(raw)).decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parlour")
    parser.add_argument("config")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    arguments = parser.parse_args()
    contenders = Contenders(arguments.parlour, arguments.config)
    try:
        contenders.upstream()
        wait_for(f"http://127.0.0.1:{UPSTREAM}/")
        contenders.nginx("nginx", NGINX, "location / { proxy_pass http://u; proxy_http_version 1.1; "
                         "proxy_set_header Connection ''; proxy_set_header X-Forwarded-For $remote_addr; }")
        contenders.gateway()
        mine = contenders.token()
        ports = {"nginx": (NGINX, mine), "nginx again": (NGINX, mine), "gateway": (GATEWAY, mine)}
        if shutil.which("haproxy"):
            public, token = es256()
            contenders.haproxy(public)
            ports["haproxy jwt"] = (HAPROXY, token)
        for port, token in ports.values():
            wrk(port, 1, token)
        measure(contenders, ports, arguments)
    finally:
        contenders.stop()


def measure(contenders, ports, arguments):
    figures = {name: [] for name in ports}
    for _ in range(arguments.rounds):
        for name in random.sample(list(ports), len(ports)):
            pid = contenders.running[name.split()[0]].pid
            before = cpu(pid)
            port, token = ports[name]
            requests = wrk(port, arguments.seconds, token)
            figures[name].append((cpu(pid) - before) / requests * 1e6)
    pairs = {name: results.ratios(values, figures["nginx"]) for name, values in figures.items()}
    print(f"{'':14} {'µs CPU/request':>24} {'ratio to nginx, pair by pair':>30}")
    for name, values in figures.items():
        print(f"{name:14} {results.spread(values, 1):>24} {results.spread(pairs[name], 2):>30}")
    print("(each: least, median, most)")
    held = {name: resident(contenders.running[name].pid) for name in ("gateway", "identity")}
    for name, mebibytes in held.items():
        print(f"resident after the load, {name}: {mebibytes:.0f} MiB")
    keep(figures, pairs, held)


def keep(figures, pairs, held):
    rows = [("CPU of a request through the gateway", results.told(figures["gateway"], 1, " µs"), ""),
            ("the same to nginx's, in pairs", results.told(pairs["gateway"], 2), "1.35"),
            ("nginx to itself", results.told(pairs["nginx again"], 2), "")]
    if "haproxy jwt" in figures:
        ratios = results.ratios(figures["gateway"], figures["haproxy jwt"])
        rows.append(("the same to HAProxy's, which checks ES256 and limits", results.told(ratios, 2), "0.5"))
    rows += [(f"resident after the load, {name}", f"{mebibytes:.0f} MiB", "") for name, mebibytes in held.items()]
    bars = [(name, values, name == "gateway") for name, values in figures.items()]
    results.save("gateway", rows, {"CPU of a request, µs": bars}, figures)


if __name__ == "__main__":
    main()
