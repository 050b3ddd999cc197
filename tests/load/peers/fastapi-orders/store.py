"""What orders ask of their database."""
import os
import uuid
from contextlib import contextmanager

import psycopg2.extras
from psycopg2.pool import ThreadedConnectionPool

psycopg2.extras.register_uuid()
pool = ThreadedConnectionPool(4, 16, os.environ["DATABASE_URL"], cursor_factory=psycopg2.extras.RealDictCursor)


@contextmanager
def transaction():
    """A cursor whose work is committed, or undone when something is raised."""
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        pool.putconn(connection)


def one(cursor, text, values):
    cursor.execute(text, values)
    return cursor.fetchone()


def record(cursor, order, actor, action, before, address):
    """The line of history, the event and the line of the audit log of a move."""
    cursor.execute(
        "INSERT INTO order_history (order_id, actor_id, action, from_status, to_status) VALUES (%s, %s, %s, %s, %s)",
        (order["id"], actor, action, before, order["status"]))
    payload = {"order_id": str(order["id"]), "client_id": str(order["client_id"]), "status": order["status"]}
    cursor.execute("INSERT INTO events (type, payload) VALUES (%s, %s)",
                   (f"order.{action}", psycopg2.extras.Json(payload)))
    cursor.execute("INSERT INTO audit_log (actor_id, action, target, address) VALUES (%s, %s, %s, %s)",
                   (actor, f"order.{action}", order["id"], address))


def create(cursor, service, client, notes):
    return one(cursor, """INSERT INTO orders (id, service_id, client_id, status, price, currency, notes)
        VALUES (%s, %s, %s, 'pending', %s, %s, %s) RETURNING *""",
               (uuid.uuid4(), service["id"], client, service["price"], service["currency"], notes))


def locked(cursor, order):
    return one(cursor, "SELECT * FROM orders WHERE id = %s FOR UPDATE", (order,))


def detail(cursor, order):
    """An order with its service, people, history and result."""
    found = one(cursor, """SELECT o.*, s.name AS service_name, s.kind AS service_kind,
          c.first_name AS client_first_name, c.last_name AS client_last_name,
          r.first_name AS reader_first_name, r.last_name AS reader_last_name
        FROM orders o JOIN services s ON s.id = o.service_id JOIN users c ON c.id = o.client_id
        LEFT JOIN users r ON r.id = o.reader_id WHERE o.id = %s""", (order,))
    if found is None:
        return None
    cursor.execute("""SELECT h.action, h.from_status, h.to_status, h.at, h.actor_id, u.first_name, u.last_name
        FROM order_history h LEFT JOIN users u ON u.id = h.actor_id WHERE h.order_id = %s ORDER BY h.id""", (order,))
    found["history"] = cursor.fetchall()
    found["result"] = one(cursor, """SELECT text, media_ids, revision, submitted_at FROM results
        WHERE order_id = %s ORDER BY revision DESC LIMIT 1""", (order,))
    return found
