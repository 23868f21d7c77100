"""What has to reach the world outside: written with the change that it tells of, sent after the commit, until it succeeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, delete, select, update

from authserver.store.base import Database, Instant, ascii_text, binary, blob, changed, metadata, one, rows

outbox = Table(
    "outbox",
    metadata,
    Column("id", binary(16), primary_key=True),
    Column("kind", ascii_text(16), nullable=False),
    Column("sealed", blob(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Something to be sent. `sealed` is what, since it may hold a link that opens an account."""

    id: bytes
    kind: str
    sealed: bytes
    created_at: datetime
    due_at: datetime
    attempts: int
    expires_at: datetime


def insert_outgoing(db: Database, values: Mapping[str, object]) -> None:
    """Add something to be sent."""
    db.execute(outbox.insert().values(**values))


def find_outgoing(db: Database, identifier: bytes) -> Outgoing | None:
    """Look something up by its id."""
    return one(db, Outgoing, select(outbox).where(outbox.c.id == identifier))


def list_due(db: Database, now: datetime, limit: int) -> list[Outgoing]:
    """List what is due, the longest waiting first."""
    query = select(outbox).where(outbox.c.due_at <= now, outbox.c.expires_at > now)
    return rows(db, Outgoing, query.order_by(outbox.c.due_at).limit(limit))


def claim_outgoing(db: Database, row: Outgoing, due_at: datetime) -> bool:
    """Take something to send it now: True for the one caller that does. It is due again at `due_at` unless it is deleted."""
    unclaimed = (outbox.c.id == row.id) & (outbox.c.attempts == row.attempts)
    return changed(db, update(outbox).where(unclaimed).values(attempts=row.attempts + 1, due_at=due_at))


def delete_outgoing(db: Database, identifier: bytes) -> None:
    """Forget what was sent."""
    db.execute(delete(outbox).where(outbox.c.id == identifier))
