"""Authorization codes (RFC 6749 section 4.1.2): a digest, and all that the code is bound to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, bindparam, delete, select

from authserver.crypto.digest import Digest, digest
from authserver.store.base import (
    Database,
    Instant,
    Words,
    ascii_text,
    binary,
    document,
    long_text,
    metadata,
    one,
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("grant_id", binary(16), nullable=False),
    Column("client_id", ascii_text(255), nullable=False),
    Column("user_id", binary(16), nullable=False),
    Column("session_id", binary(16), nullable=False),
    Column("redirect_uri", long_text()),
    Column("code_challenge", ascii_text(128)),
    Column("nonce", long_text()),
    Column("scope", Words, nullable=False),
    Column("resources", Words, nullable=False),
    Column("claims", document(), nullable=False),
    Column("authenticated_at", Instant, nullable=False),
    Column("acr", ascii_text(255), nullable=False),
    Column("amr", document(), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("consumed_at", Instant),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code. `redirect_uri` is None where the request named none; `grant_id` is the grant that it will begin."""

    digest: Digest
    grant_id: bytes
    client_id: str
    user_id: bytes
    session_id: bytes
    redirect_uri: str | None
    code_challenge: str | None
    nonce: str | None
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    claims: Mapping[str, Any]
    authenticated_at: datetime
    acr: str
    amr: list[str]
    expires_at: datetime
    consumed_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the code can still be redeemed."""
        return self.consumed_at is None and now < self.expires_at


_BY_DIGEST = select(authorization_codes).where(authorization_codes.c.digest == bindparam("code"))
_INSERT = authorization_codes.insert()


def find_code(db: Database, code: str) -> AuthorizationCode | None:
    """Look a code up."""
    return one(db, AuthorizationCode, _BY_DIGEST, code=digest(code))


def insert_code(db: Database, values: Mapping[str, object]) -> None:
    """Store a code."""
    db.execute(_INSERT, values)


def delete_codes(db: Database) -> None:
    """Delete every code."""
    db.execute(delete(authorization_codes))


def delete_client_codes(db: Database, client_id: str) -> None:
    """Delete the codes of a client."""
    db.execute(delete(authorization_codes).where(authorization_codes.c.client_id == client_id))


def delete_user_codes(db: Database, user_id: bytes, client_id: str | None = None) -> None:
    """Delete the codes of a user (for one client where it is named).

    Before grants are ended this waits for a code that is being redeemed, so that its grant is ended with them.
    """
    match = authorization_codes.c.user_id == user_id
    db.execute(delete(authorization_codes).where(match if client_id is None else match & (authorization_codes.c.client_id == client_id)))
