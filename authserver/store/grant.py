"""Grants: what one authorization gave a client. A grant and its refresh family are one row; no token is stored.

`generation` counts the rotations of the family's refresh token; rotation is one guarded UPDATE of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Integer, Table, bindparam, delete, select, update

from authserver.store.access_token import revoked_tokens
from authserver.store.base import (
    Database,
    Instant,
    Words,
    ascii_text,
    behind,
    binary,
    changed,
    document,
    metadata,
    one,
    rows,
    show_id,
)
from authserver.store.browser_session import browser_sessions
from authserver.store.user import User, users

grants = Table(
    "grants",
    metadata,
    Column("id", binary(16), primary_key=True),
    Column("client_id", ascii_text(255), nullable=False),
    Column("user_id", binary(16), nullable=False),
    Column("session_id", binary(16), nullable=False, index=True),
    Column("scope", Words, nullable=False),
    Column("resources", Words, nullable=False),
    Column("claims", document(), nullable=False),
    Column("authenticated_at", Instant, nullable=False),
    Column("acr", ascii_text(255), nullable=False),
    Column("amr", document(), nullable=False),
    Column("offline", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("seed", binary(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("idle_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("retained_until", Instant, nullable=False, index=True),
    Column("revoked_at", Instant),
    Column("revoked_because", ascii_text(64)),
    Index("ix_grants_user_id_client_id", "user_id", "client_id"),
    Index("ix_grants_client_id_created_at_id", "client_id", "created_at", "id"),
    Index("ix_grants_created_at_id", "created_at", "id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a user gave a client. `expires_at` is absolute; `retained_until` outlives the last access token."""

    id: bytes
    client_id: str
    user_id: bytes
    session_id: bytes
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    claims: Mapping[str, Any]
    authenticated_at: datetime
    acr: str
    amr: list[str]
    offline: int
    generation: int
    seed: bytes
    created_at: datetime
    rotated_at: datetime | None
    idle_at: datetime
    expires_at: datetime
    retained_until: datetime
    revoked_at: datetime | None
    revoked_because: str | None

    @property
    def shown_id(self) -> str:
        """The grant's id in tokens and lists."""
        return show_id(self.id)

    def is_refreshable(self, now: datetime) -> bool:
        """Tell whether the refresh family lives."""
        return self.revoked_at is None and now < self.idle_at and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant with its user, whether the browser session that it may be tied to still lives, and the token asked about."""

    grant: Grant
    user: User | None
    session_is_live: bool
    token_is_revoked: bool

    @property
    def is_good(self) -> bool:
        """Tell whether tokens of the grant are good: not revoked, user enabled, session alive unless offline."""
        tied = not self.grant.offline
        alive = self.user is not None and self.user.is_enabled
        return alive and self.grant.revoked_at is None and (self.session_is_live or not tied)


def find_grant(db: Database, identifier: bytes) -> Grant | None:
    """Look a grant up."""
    return one(db, Grant, select(grants).where(grants.c.id == identifier))


_GRANT, _USER = tuple(grants.c.keys()), tuple(users.c.keys())
_SESSION = (browser_sessions.c.revoked_at, browser_sessions.c.idle_at, browser_sessions.c.expires_at)
_REVOKED = select(revoked_tokens.c.jti).where(revoked_tokens.c.jti == bindparam("token")).scalar_subquery()
_STANDING = (
    select(*grants.c, *users.c, *_SESSION, _REVOKED)
    .select_from(
        grants.outerjoin(users, users.c.id == grants.c.user_id).outerjoin(browser_sessions, browser_sessions.c.id == grants.c.session_id)
    )
    .where(grants.c.id == bindparam("grant"))
)


def find_standing(db: Database, identifier: bytes, now: datetime, jti: str = "") -> Standing | None:
    """Look a grant up with its user and session, and whether its access token of that `jti` was revoked, in one query."""
    found = db.execute(_STANDING, {"grant": identifier, "token": jti}).first()
    if found is None:
        return None
    values = tuple(found)
    middle, end = len(_GRANT), len(_GRANT) + len(_USER)
    grant = Grant(**dict(zip(_GRANT, values[:middle], strict=True)))
    columns = dict(zip(_USER, values[middle:end], strict=True))
    user = None if columns["id"] is None else User(**columns)
    revoked_at, idle_at, expires_at, revoked_jti = values[end:]
    live = expires_at is not None and revoked_at is None and now < min(idle_at, expires_at)
    return Standing(grant, user, live, revoked_jti is not None)


def list_grants(
    db: Database,
    *,
    user_id: bytes | None = None,
    client_id: str | None = None,
    before: tuple[datetime, bytes] | None = None,
    limit: int = 1000,
) -> list[Grant]:
    """List grants that are not revoked, newest first, of a user, a client, or all; `before` is the last one seen."""
    query = select(grants).where(grants.c.revoked_at.is_(None))
    if user_id is not None:
        query = query.where(grants.c.user_id == user_id)
    if client_id is not None:
        query = query.where(grants.c.client_id == client_id)
    if before is not None:
        query = query.where(behind((grants.c.created_at, grants.c.id), before, descending=True))
    return rows(db, Grant, query.order_by(grants.c.created_at.desc(), grants.c.id.desc()).limit(limit))


def insert_grant(db: Database, values: Mapping[str, object]) -> None:
    """Begin a grant."""
    db.execute(_INSERT, values)


_INSERT = grants.insert()
_ADVANCE = update(grants).where(
    grants.c.id == bindparam("grant"), grants.c.generation == bindparam("current"), grants.c.revoked_at.is_(None)
)


def advance(db: Database, grant: Grant, now: datetime, changes: Mapping[str, object], *, rotate: bool) -> bool:
    """Use the grant's current refresh token: True for the one caller that finds it at its generation, unrevoked."""
    step = {"generation": grant.generation + 1, "rotated_at": now} if rotate else {}
    return changed(db, _ADVANCE, grant=grant.id, current=grant.generation, **changes, **step)


def revoke_grant(db: Database, identifier: bytes, now: datetime, because: str) -> bool:
    """End a grant and all tokens of it; tell whether it lived."""
    return _revoke(db, grants.c.id == identifier, now, because) == 1


def revoke_session_grants(db: Database, session_id: bytes, now: datetime) -> int:
    """End the grants that are tied to a browser session; return how many."""
    return _revoke(db, (grants.c.session_id == session_id) & (grants.c.offline == 0), now, "session ended")


def move_session_grants(db: Database, session_id: bytes, successor: bytes) -> None:
    """Tie the grants of a browser session to the one that follows it when its user signs in again."""
    db.execute(update(grants).where(grants.c.session_id == session_id, grants.c.revoked_at.is_(None)).values(session_id=successor))


def revoke_user_grants(db: Database, user_id: bytes, now: datetime, because: str, client_id: str | None = None) -> int:
    """End the grants of a user (to one client where it is named); return how many."""
    match = grants.c.user_id == user_id
    return _revoke(db, match if client_id is None else match & (grants.c.client_id == client_id), now, because)


def revoke_client_grants(db: Database, client_id: str, now: datetime, because: str) -> int:
    """End all grants of a client; return how many."""
    return _revoke(db, grants.c.client_id == client_id, now, because)


def delete_grants(db: Database, *, user_id: bytes | None = None, client_id: str | None = None) -> None:
    """Delete the grants of a user or of a client."""
    db.execute(delete(grants).where(grants.c.user_id == user_id if user_id is not None else grants.c.client_id == client_id))


_FAMILIES = (
    select(grants.c.id)
    .where(grants.c.user_id == bindparam("user"), grants.c.client_id == bindparam("client"))
    .where(grants.c.revoked_at.is_(None), grants.c.idle_at > bindparam("at"), grants.c.expires_at > bindparam("at"))
    .order_by(grants.c.created_at.desc())
    .offset(bindparam("kept", type_=Integer))
)


def surplus_families(db: Database, user_id: bytes, client_id: str, now: datetime, kept: int) -> list[bytes]:
    """List the ids of a user's live refresh families with a client, without the newest `kept`."""
    found = db.execute(_FAMILIES, {"user": user_id, "client": client_id, "at": now, "kept": kept})
    return [row[0] for row in found]


def _revoke(db: Database, match: ColumnElement[bool], now: datetime, because: str) -> int:
    statement = update(grants).where(match, grants.c.revoked_at.is_(None)).values(revoked_at=now, revoked_because=because)
    return db.execute(statement).rowcount
