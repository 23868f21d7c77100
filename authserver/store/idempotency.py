"""Answers kept for requests that a caller may repeat under an Idempotency-Key; what is secret is never in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Table, delete, select, update

from authserver.crypto.digest import Digest
from authserver.store.base import Database, Instant, binary, document, insert_once, metadata, one

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("request", binary(32), nullable=False),
    Column("status", Integer),
    Column("answer", document()),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The answer to a request; `digest` is of the caller and the key, `request` of what was asked."""

    digest: Digest
    request: Digest
    status: int | None
    answer: Mapping[str, Any] | None
    expires_at: datetime


def claim_key(db: Database, key: Digest, request: Digest, expires_at: datetime) -> bool:
    """Take a key for this request: True for the first one, which then answers; waits for one that is under way."""
    values = {"digest": key, "request": request, "status": None, "answer": None, "expires_at": expires_at}
    return insert_once(db, idempotency_keys, values)


def find_answer(db: Database, key: Digest) -> Kept | None:
    """Look up what was answered under a key."""
    return one(db, Kept, select(idempotency_keys).where(idempotency_keys.c.digest == key))


def keep_answer(db: Database, key: Digest, status: int, answer: Mapping[str, Any]) -> None:
    """Keep an answer for whoever asks again."""
    db.execute(update(idempotency_keys).where(idempotency_keys.c.digest == key).values(status=status, answer=dict(answer)))


def forget_key(db: Database, key: Digest, now: datetime) -> None:
    """Forget a key whose time is over."""
    db.execute(delete(idempotency_keys).where(idempotency_keys.c.digest == key, idempotency_keys.c.expires_at <= now))
