"""Opaque access tokens, and the revocations of JWT ones. A JWT access token leaves no row behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, bindparam, delete, select, update

from authserver.crypto.digest import Digest, digest
from authserver.store.base import (
    Database,
    Instant,
    ascii_text,
    binary,
    changed,
    document,
    insert_once,
    metadata,
    one,
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("client_id", ascii_text(255), nullable=False),
    Column("claims", document(), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("revoked_at", Instant),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("jti", ascii_text(64), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueToken:
    """An opaque access token: the claims that a JWT would carry."""

    digest: Digest
    client_id: str
    claims: Mapping[str, Any]
    expires_at: datetime
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the token is neither expired nor revoked."""
        return self.revoked_at is None and now < self.expires_at


_BY_DIGEST = select(access_tokens).where(access_tokens.c.digest == bindparam("token"))
_INSERT = access_tokens.insert()


def find_opaque_token(db: Database, token: str) -> OpaqueToken | None:
    """Look an opaque token up."""
    return one(db, OpaqueToken, _BY_DIGEST, token=digest(token))


def insert_opaque_token(db: Database, token: str, client_id: str, claims: Mapping[str, Any], expires_at: datetime) -> None:
    """Store an opaque token."""
    db.execute(_INSERT, {"digest": digest(token), "client_id": client_id, "claims": claims, "expires_at": expires_at})


def revoke_opaque_token(db: Database, identifier: Digest, now: datetime) -> bool:
    """Revoke an opaque token; tell whether it was live."""
    live = (access_tokens.c.digest == identifier) & access_tokens.c.revoked_at.is_(None)
    return changed(db, update(access_tokens).where(live).values(revoked_at=now))


def revoke_jti(db: Database, jti: str, expires_at: datetime) -> bool:
    """Revoke a JWT access token until it expires; False where it already was."""
    return insert_once(db, revoked_tokens, {"jti": jti, "expires_at": expires_at})


_REVOKED_JTI = select(revoked_tokens.c.jti).where(revoked_tokens.c.jti == bindparam("token"))


def is_jti_revoked(db: Database, jti: str) -> bool:
    """Tell whether a JWT access token was revoked."""
    return db.execute(_REVOKED_JTI, {"token": jti}).first() is not None


def delete_opaque_tokens(db: Database) -> None:
    """Delete every opaque token."""
    db.execute(delete(access_tokens))


def delete_client_tokens(db: Database, client_id: str) -> None:
    """Delete the opaque tokens of a client."""
    db.execute(delete(access_tokens).where(access_tokens.c.client_id == client_id))


def delete_subject_tokens(db: Database, subject: str) -> None:
    """Delete the opaque tokens of a user or of a client acting for itself."""
    db.execute(delete(access_tokens).where(access_tokens.c.claims["sub"].as_string() == subject))
