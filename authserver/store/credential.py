"""What people prove themselves with; one table per factor, so far passwords (NIST SP 800-63B-4 section 3.1.1)."""

from datetime import datetime

from sqlalchemy import Column, Table, delete, select

from authserver.store.base import Database, Instant, ascii_text, binary, metadata
from authserver.store.upserts import upsert

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", binary(16), primary_key=True),
    Column("hash", ascii_text(255), nullable=False),
    Column("changed_at", Instant, nullable=False),
)


def find_password_hash(db: Database, user_id: bytes) -> str | None:
    """Return the argon2id hash of a user's password, if they have one."""
    found: str | None = db.execute(select(passwords.c.hash).where(passwords.c.user_id == user_id)).scalar_one_or_none()
    return found


def set_password_hash(db: Database, user_id: bytes, hashed: str, now: datetime) -> None:
    """Set or replace a user's password."""
    changes = {"hash": hashed, "changed_at": now}
    upsert(db, passwords, {"user_id": user_id, **changes}, changes)


def delete_credentials(db: Database, user_id: bytes) -> None:
    """Delete everything that a user signs in with."""
    db.execute(delete(passwords).where(passwords.c.user_id == user_id))
