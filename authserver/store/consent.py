"""What a user has allowed a client: remembered per client, and per API which scopes (RFC 6819 section 5.2.4.1)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, bindparam, delete, select

from authserver.store.base import Database, Instant, ascii_text, binary, document, metadata, one, rows
from authserver.store.upserts import upsert

NO_API = ""
"""Where the scopes are remembered that concern no API; no API has an empty identifier."""

consents = Table(
    "consents",
    metadata,
    Column("user_id", binary(16), primary_key=True),
    Column("client_id", ascii_text(255), primary_key=True, index=True),
    Column("allowed", document(), nullable=False),
    Column("granted_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the user has allowed the client so far: the scopes at each API, and all of them under NO_API."""

    user_id: bytes
    client_id: str
    allowed: Mapping[str, list[str]]
    granted_at: datetime

    @property
    def scope(self) -> tuple[str, ...]:
        """All scopes, wherever they were allowed."""
        return tuple(self.allowed[NO_API])

    @property
    def resources(self) -> tuple[str, ...]:
        """All APIs."""
        return tuple(sorted(set(self.allowed) - {NO_API}))

    def covers(self, scope: Iterable[str], resources: Iterable[str]) -> bool:
        """Tell whether nothing new is asked: each scope was allowed before at each of these APIs, not only at another."""
        asked, places = set(scope), set(resources) or {NO_API}
        return all(place in self.allowed and asked <= set(self.allowed[place]) for place in places)


_BY_USER_AND_CLIENT = select(consents).where(consents.c.user_id == bindparam("user"), consents.c.client_id == bindparam("client"))


def find_consent(db: Database, user_id: bytes, client_id: str) -> Consent | None:
    """Look up what a user allowed a client."""
    return one(db, Consent, _BY_USER_AND_CLIENT, user=user_id, client=client_id)


def list_consents(db: Database, user_id: bytes) -> list[Consent]:
    """List what a user allowed, by client."""
    return rows(db, Consent, select(consents).where(consents.c.user_id == user_id).order_by(consents.c.client_id))


def remember_consent(db: Database, user_id: bytes, client_id: str, scope: Collection[str], resources: Iterable[str], now: datetime) -> None:
    """Add scopes at some APIs to what the user allows the client."""
    before = find_consent(db, user_id, client_id)
    allowed = dict(before.allowed) if before else {}
    for place in {NO_API, *resources}:
        allowed[place] = sorted({*allowed.get(place, ()), *scope})
    changes = {"allowed": allowed, "granted_at": now}
    upsert(db, consents, {"user_id": user_id, "client_id": client_id, **changes}, changes)


def forget_consent(db: Database, user_id: bytes, client_id: str) -> None:
    """Forget what a user allowed a client."""
    db.execute(delete(consents).where(consents.c.user_id == user_id, consents.c.client_id == client_id))


def forget_consents(db: Database, *, user_id: bytes | None = None, client_id: str | None = None) -> None:
    """Forget everything that a user allowed, or that a client was allowed."""
    match = consents.c.user_id == user_id if user_id is not None else consents.c.client_id == client_id
    db.execute(delete(consents).where(match))
