"""Orders from request to delivered result. Environment: DATABASE_URL, JWT_SECRET."""
import os
from datetime import datetime
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, Field

import store

app = FastAPI()
SECRET = os.environ["JWT_SECRET"]


class Caller(BaseModel):
    id: UUID
    role: str


class NewOrder(BaseModel):
    service_id: UUID
    notes: str | None = Field(None, max_length=5000)


class Assignment(BaseModel):
    reader_id: UUID


class NewResult(BaseModel):
    text: str = Field(min_length=1, max_length=50_000)
    media_ids: list[UUID] = Field([], max_length=20)


class Person(BaseModel):
    id: UUID
    first_name: str
    last_name: str


class Service(BaseModel):
    id: UUID
    name: str
    kind: str


class Step(BaseModel):
    action: str
    from_status: str | None
    to_status: str
    at: datetime
    actor: Person | None


class Result(BaseModel):
    text: str
    media_ids: list[UUID]
    revision: int
    submitted_at: datetime


class Order(BaseModel):
    id: UUID
    status: str
    price: int
    currency: str
    notes: str | None
    service: Service
    client: Person
    reader: Person | None
    history: list[Step]
    result: Result | None
    created_at: datetime
    updated_at: datetime


class Data(BaseModel):
    order: Order


class Answer(BaseModel):
    success: bool = True
    data: Data


def caller(authorization: Annotated[str, Header()]) -> Caller:
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "invalid token") from error
    return Caller(id=claims["sub"], role=claims["role"])


def allow(*roles):
    def check(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if found.role not in roles:
            raise HTTPException(403, "not allowed")
        return found
    return check


def person(row, whose):
    if row[f"{whose}_id"] is None:
        return None
    return Person(id=row[f"{whose}_id"], first_name=row[f"{whose}_first_name"], last_name=row[f"{whose}_last_name"])


def step(row):
    known = row["first_name"] is not None
    actor = Person(id=row["actor_id"], first_name=row["first_name"], last_name=row["last_name"]) if known else None
    return Step(**{name: row[name] for name in ("action", "from_status", "to_status", "at")}, actor=actor)


def answer(cursor, order, seen_by):
    row = store.detail(cursor, order)
    hidden = seen_by.role == "client" and (row is None or row["client_id"] != seen_by.id)
    if row is None or hidden:
        raise HTTPException(404, "no such order")
    shown = row["result"] if seen_by.role != "client" or row["status"] == "delivered" else None
    fields = ("id", "status", "price", "currency", "notes", "created_at", "updated_at")
    whole = Order(
        **{name: row[name] for name in fields},
        service=Service(id=row["service_id"], name=row["service_name"], kind=row["service_kind"]),
        client=person(row, "client"), reader=person(row, "reader"),
        history=[step(line) for line in row["history"]], result=shown and Result(**shown))
    return Answer(data=Data(order=whole))


def moving(cursor, order, status):
    row = store.locked(cursor, order)
    if row is None:
        raise HTTPException(404, "no such order")
    if row["status"] != status:
        raise HTTPException(409, f"status: {row['status']}")
    return row


@app.post("/api/orders", status_code=201)
def create(body: NewOrder, request: Request, who: Annotated[Caller, Depends(allow("client"))]) -> Answer:
    with store.transaction() as cursor:
        service = store.one(cursor, "SELECT * FROM services WHERE id = %s AND active", (body.service_id,))
        if service is None:
            raise HTTPException(422, "service_id: unknown")
        order = store.create(cursor, service, who.id, body.notes)
        store.record(cursor, order, who.id, "created", None, request.client.host)
        return answer(cursor, order["id"], who)


@app.post("/api/orders/{order}/assign")
def assign(order: UUID, body: Assignment, request: Request, who: Annotated[Caller, Depends(allow("admin"))]) -> Answer:
    with store.transaction() as cursor:
        moving(cursor, order, "pending")
        reader = store.one(cursor, "SELECT id FROM users WHERE id = %s AND role = 'reader'", (body.reader_id,))
        if reader is None:
            raise HTTPException(422, "reader_id: not a reader")
        changed = store.one(cursor, """UPDATE orders SET status = 'assigned', reader_id = %s, updated_at = now()
            WHERE id = %s RETURNING *""", (body.reader_id, order))
        store.record(cursor, changed, who.id, "assigned", "pending", request.client.host)
        return answer(cursor, order, who)


@app.post("/api/orders/{order}/result")
def submit(order: UUID, body: NewResult, request: Request, who: Annotated[Caller, Depends(allow("reader"))]) -> Answer:
    with store.transaction() as cursor:
        row = moving(cursor, order, "assigned")
        if row["reader_id"] != who.id:
            raise HTTPException(404, "no such order")
        changed = store.one(cursor, """UPDATE orders SET status = 'submitted', revision = revision + 1,
            updated_at = now() WHERE id = %s RETURNING *""", (order,))
        cursor.execute("INSERT INTO results (order_id, revision, text, media_ids) VALUES (%s, %s, %s, %s::uuid[])",
                       (order, changed["revision"], body.text, body.media_ids))
        store.record(cursor, changed, who.id, "submitted", "assigned", request.client.host)
        return answer(cursor, order, who)


@app.post("/api/orders/{order}/approve")
def approve(order: UUID, request: Request, who: Annotated[Caller, Depends(allow("monitor"))]) -> Answer:
    with store.transaction() as cursor:
        row = moving(cursor, order, "submitted")
        if who.id in (row["reader_id"], row["client_id"]):
            raise HTTPException(403, "not allowed")
        changed = store.one(cursor, """UPDATE orders SET status = 'delivered', updated_at = now()
            WHERE id = %s RETURNING *""", (order,))
        store.record(cursor, changed, who.id, "delivered", "submitted", request.client.host)
        return answer(cursor, order, who)


@app.get("/api/orders/{order}")
def read(order: UUID, who: Annotated[Caller, Depends(caller)]) -> Answer:
    with store.transaction() as cursor:
        return answer(cursor, order, who)
