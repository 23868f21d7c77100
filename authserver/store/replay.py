"""What may be used once and was: digests of issuer and `jti`, kept until they expire (RFC 7523 section 3)."""

from datetime import datetime

from sqlalchemy import Column, Table

from authserver.crypto.digest import digest
from authserver.store.base import Database, Instant, binary, insert_once, metadata

spent = Table(
    "spent",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)


def spend(db: Database, kind: str, owner: str, identifier: str, expires_at: datetime) -> bool:
    """Spend an identifier of `owner`: True for the one caller that is first."""
    name = digest(f"{len(kind)}:{kind}{len(owner)}:{owner}{identifier}")
    return insert_once(db, spent, {"digest": name, "expires_at": expires_at})
