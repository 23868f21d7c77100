"""Counters for `limits`, in the database, each counted and committed on its own before the work that it bounds."""

from datetime import datetime

from sqlalchemy import Column, Integer, Table, case, delete, literal, select

from authserver.store.base import Database, Instant, ascii_text, metadata
from authserver.store.upserts import upsert

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("name", ascii_text(255), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


def count_hits(db: Database, name: str, amount: int, now: datetime, expires_at: datetime) -> int:
    """Add to a counter, which begins anew once it has expired; return where it stands. Never loses a hit."""
    over = rate_limits.c.expires_at <= now
    changes = {
        "hits": case((over, amount), else_=rate_limits.c.hits + amount),
        "expires_at": case((over, literal(expires_at, Instant)), else_=rate_limits.c.expires_at),
    }
    upsert(db, rate_limits, {"name": name, "hits": amount, "expires_at": expires_at}, changes)
    return int(db.execute(select(rate_limits.c.hits).where(rate_limits.c.name == name)).scalar_one())


def find_hits(db: Database, name: str, now: datetime) -> tuple[int, datetime] | None:
    """Return a live counter, and when it begins anew."""
    query = select(rate_limits.c.hits, rate_limits.c.expires_at).where(rate_limits.c.name == name, rate_limits.c.expires_at > now)
    found = db.execute(query).mappings().one_or_none()
    return None if found is None else (int(found["hits"]), found["expires_at"])


def forget_hits(db: Database, name: str) -> None:
    """Begin a counter anew."""
    db.execute(delete(rate_limits).where(rate_limits.c.name == name))
