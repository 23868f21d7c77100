"""Browser sessions: a row each, found by the digest of the cookie, known to clients by `sid`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, Table, bindparam, delete, select, update

from authserver.crypto.digest import Digest
from authserver.store.base import (
    Database,
    Instant,
    ascii_text,
    behind,
    binary,
    changed,
    document,
    metadata,
    one,
    rows,
    show_id,
    text,
)
from authserver.store.user import users

RENEWED_EVERY = timedelta(minutes=5)

browser_sessions = Table(
    "browser_sessions",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("id", binary(16), nullable=False),
    Column("user_id", binary(16), nullable=False, index=True),
    Column("authenticated_at", Instant, nullable=False),
    Column("acr", ascii_text(255), nullable=False),
    Column("amr", document(), nullable=False),
    Column("address_prefix", ascii_text(64), nullable=False),
    Column("user_agent", text(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("idle_at", Instant, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("uq_browser_sessions_id", "id", unique=True),
    Index("ix_browser_sessions_created_at_id", "created_at", "id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """A signed-in browser. It ends at `idle_at` unless seen before, at `expires_at` in any case."""

    digest: Digest
    id: bytes
    user_id: bytes
    authenticated_at: datetime
    acr: str
    amr: list[str]
    address_prefix: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    idle_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def sid(self) -> str:
        """The session's name in ID tokens."""
        return show_id(self.id)

    def is_live(self, now: datetime) -> bool:
        """Tell whether the browser is still signed in."""
        return self.revoked_at is None and now < self.idle_at and now < self.expires_at

    def is_to_be_renewed(self, now: datetime) -> bool:
        """Tell whether it is worth a write to note that the session was seen."""
        return now - self.last_seen_at >= RENEWED_EVERY


_BY_ID = select(browser_sessions).where(browser_sessions.c.id == bindparam("identifier"))
_BY_DIGEST = (
    select(browser_sessions)
    .join_from(browser_sessions, users, users.c.id == browser_sessions.c.user_id)
    .where(browser_sessions.c.digest == bindparam("cookie"), users.c.disabled_at.is_(None))
)


def find_session(db: Database, cookie: Digest) -> BrowserSession | None:
    """Look an enabled user's session up by the digest of its cookie."""
    return one(db, BrowserSession, _BY_DIGEST, cookie=cookie)


def find_session_by_id(db: Database, identifier: bytes) -> BrowserSession | None:
    """Look a session up by its id."""
    return one(db, BrowserSession, _BY_ID, identifier=identifier)


def list_sessions(
    db: Database, user_id: bytes | None, now: datetime, limit: int = 1000, before: tuple[datetime, bytes] | None = None
) -> list[BrowserSession]:
    """List live sessions, newest first, of one user or of all; `before` is the creation and id of the last one seen."""
    live = (browser_sessions.c.revoked_at.is_(None)) & (browser_sessions.c.idle_at > now) & (browser_sessions.c.expires_at > now)
    query = select(browser_sessions).where(live)
    if user_id is not None:
        query = query.where(browser_sessions.c.user_id == user_id)
    if before is not None:
        query = query.where(behind((browser_sessions.c.created_at, browser_sessions.c.id), before, descending=True))
    newest_first = query.order_by(browser_sessions.c.created_at.desc(), browser_sessions.c.id.desc())
    return rows(db, BrowserSession, newest_first.limit(limit))


def insert_session(db: Database, values: Mapping[str, object]) -> None:
    """Add a session."""
    db.execute(browser_sessions.insert().values(**values))


def renew_session(db: Database, identifier: bytes, now: datetime, idle_at: datetime) -> None:
    """Note that a live session was seen."""
    live = (browser_sessions.c.id == identifier) & browser_sessions.c.revoked_at.is_(None)
    db.execute(update(browser_sessions).where(live).values(last_seen_at=now, idle_at=idle_at))


def revoke_session(db: Database, identifier: bytes, now: datetime) -> bool:
    """End a session; tell whether it was live."""
    live = (browser_sessions.c.id == identifier) & browser_sessions.c.revoked_at.is_(None)
    return changed(db, update(browser_sessions).where(live).values(revoked_at=now))


def revoke_user_sessions(db: Database, user_id: bytes, now: datetime) -> int:
    """End all sessions of a user; return how many."""
    live = (browser_sessions.c.user_id == user_id) & browser_sessions.c.revoked_at.is_(None)
    return db.execute(update(browser_sessions).where(live).values(revoked_at=now)).rowcount


def revoke_all_sessions(db: Database, now: datetime) -> int:
    """End every session; return how many."""
    return db.execute(update(browser_sessions).where(browser_sessions.c.revoked_at.is_(None)).values(revoked_at=now)).rowcount


def delete_user_sessions(db: Database, user_id: bytes) -> None:
    """Delete all sessions of a user."""
    db.execute(delete(browser_sessions).where(browser_sessions.c.user_id == user_id))
