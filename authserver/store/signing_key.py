"""Sealed keys by algorithm and number, and the epoch that a restore raises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Table, select, update

from authserver.store.base import (
    Database,
    Instant,
    ascii_text,
    blob,
    document,
    insert_once,
    metadata,
    rows,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", ascii_text(64), primary_key=True),
    Column("alg", ascii_text(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("public", document(), nullable=False),
    Column("sealed", blob(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signs_at", Instant, nullable=False),
    Column("removed_at", Instant, index=True),
    Index("uq_signing_keys_alg_number", "alg", "number", unique=True),
)

numbers = Table(
    "numbers",
    metadata,
    Column("name", ascii_text(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key as stored. It signs from `signs_at` until a later one of its algorithm does."""

    kid: str
    alg: str
    number: int
    public: Mapping[str, Any]
    sealed: bytes
    created_at: datetime
    signs_at: datetime
    removed_at: datetime | None


def list_keys(db: Database) -> list[SigningKey]:
    """List all keys, oldest first within an algorithm."""
    return rows(db, SigningKey, select(signing_keys).order_by(signing_keys.c.alg, signing_keys.c.number))


def insert_key(db: Database, values: Mapping[str, object]) -> bool:
    """Add a key; False where another process already added the one of that algorithm and number."""
    return insert_once(db, signing_keys, values)


def retire_key(db: Database, kid: str, removed_at: datetime) -> None:
    """Set when a key is removed."""
    db.execute(update(signing_keys).where(signing_keys.c.kid == kid).values(removed_at=removed_at))


def reseal_key(db: Database, kid: str, sealed: bytes) -> None:
    """Replace a key's sealed bytes."""
    db.execute(update(signing_keys).where(signing_keys.c.kid == kid).values(sealed=sealed))


def start_signing(db: Database, kid: str, now: datetime) -> None:
    """Let an announced key sign from now on."""
    db.execute(update(signing_keys).where(signing_keys.c.kid == kid, signing_keys.c.signs_at > now).values(signs_at=now))


def find_epoch(db: Database) -> int:
    """Return the epoch that all refresh tokens are bound to."""
    found = db.execute(select(numbers.c.value).where(numbers.c.name == "epoch")).scalar_one_or_none()
    return int(found or 0)


def raise_epoch(db: Database) -> None:
    """End every refresh token that was issued before."""
    insert_once(db, numbers, {"name": "epoch", "value": 0})
    db.execute(update(numbers).where(numbers.c.name == "epoch").values(value=numbers.c.value + 1))
