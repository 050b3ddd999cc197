"""What the peers in `peers` need: a database of their own in our PostgreSQL, and tokens as their own sign-in would make them."""
import base64
import hashlib
import hmac
import json

from processes import sql

SECRET = "a secret of the peers, which keep nothing"


def database(url, name):
    """The address of the database of that name, made if it is not there."""
    if not sql(url, f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip():
        sql(url, f"CREATE DATABASE {name}")
    return f"{url.rsplit('/', 1)[0]}/{name}"


def signed(claims):
    """A token by HS256."""
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    message = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (message + b"." + part(hmac.new(SECRET.encode(), message, hashlib.sha256).digest())).decode()
