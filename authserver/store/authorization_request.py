"""Pending authorization requests: stored so that pages never carry parameters, bound to one browser by a cookie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Table, case, delete, select, update

from authserver.crypto.digest import Digest
from authserver.store.base import (
    Database,
    Instant,
    ascii_text,
    binary,
    changed,
    document,
    metadata,
    one,
    rows,
)
from authserver.store.browser_session import browser_sessions

MOST_PER_BROWSER = 8

authorization_requests = Table(
    "authorization_requests",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("browser", binary(32), nullable=False),
    Column("client_id", ascii_text(255), nullable=False),
    Column("parameters", document(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("begun_with", binary(16)),
    Column("session_id", binary(16)),
    Column("account_selected_at", Instant),
    Column("consented_at", Instant),
    Column("denied_at", Instant),
    Column("consumed_at", Instant),
    Index("ix_authorization_requests_browser", "browser", "created_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequest:
    """A request that waits for its user. `begun_with` is the session that the browser had when the request came,
    `session_id` the one that consented, denied or chose the account."""

    digest: Digest
    browser: Digest
    client_id: str
    parameters: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime
    begun_with: bytes | None
    session_id: bytes | None
    account_selected_at: datetime | None
    consented_at: datetime | None
    denied_at: datetime | None
    consumed_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the user can still go on."""
        return self.consumed_at is None and now < self.expires_at


def find_pending(db: Database, identifier: Digest, browser: Digest) -> PendingRequest | None:
    """Look a request up; another browser's is not found."""
    table = authorization_requests
    return one(db, PendingRequest, select(table).where(table.c.digest == identifier, table.c.browser == browser))


def insert_pending(db: Database, values: Mapping[str, object]) -> None:
    """Store a request; the oldest ones of a browser that has more than eight are dropped."""
    table = authorization_requests
    query = select(table).where(table.c.browser == values["browser"]).order_by(table.c.created_at.desc())
    for surplus in rows(db, PendingRequest, query)[MOST_PER_BROWSER - 1 :]:
        db.execute(delete(table).where(table.c.digest == surplus.digest))
    db.execute(table.insert().values(**values))


def note_step(db: Database, identifier: Digest, session_id: bytes, step: str, now: datetime) -> bool:
    """Note that this session's user took a step: account_selected_at, consented_at or denied_at.

    What another session did before is forgotten: nobody goes on from another's consent.
    """
    table = authorization_requests
    live = (table.c.digest == identifier) & table.c.consumed_at.is_(None)
    steps = (table.c.account_selected_at, table.c.consented_at, table.c.denied_at)
    values = [(taken, now if taken.name == step else case((table.c.session_id == session_id, taken))) for taken in steps]
    last = (table.c.session_id, session_id)  # MySQL assigns one after the other
    return changed(db, update(table).where(live).ordered_values(*values, last))


def delete_client_requests(db: Database, client_id: str) -> None:
    """Delete the requests of a client."""
    db.execute(delete(authorization_requests).where(authorization_requests.c.client_id == client_id))


def delete_user_requests(db: Database, user_id: bytes) -> None:
    """Delete the requests in which a session of the user took a step."""
    theirs = select(browser_sessions.c.id).where(browser_sessions.c.user_id == user_id)
    db.execute(delete(authorization_requests).where(authorization_requests.c.session_id.in_(theirs)))
