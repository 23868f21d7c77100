"""What people prove themselves with; one table per factor, so far passwords (NIST SP 800-63B-4 section 3.1.1).

A hash that another server made may stand where ours will stand once its person has signed in. While there are such,
nobody's row has a decoy, which costs as much to compare with.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Column, Table, case, delete, func, select, update

from authserver.store.base import Database, Instant, ascii_text, binary, changed, insert_once, metadata
from authserver.store.upserts import upsert
from authserver.store.user import users

NOBODY = bytes(16)
"""Whom no user is: their row has the decoy."""

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", binary(16), primary_key=True),
    Column("hash", ascii_text(255), nullable=False),
    Column("changed_at", Instant, nullable=False),
)
_IS_FOREIGN = passwords.c.hash.not_like("$argon2id$%")


class Hashes(NamedTuple):
    """A user's password as it was hashed, if they have one, and the decoy, if there is one."""

    own: str | None
    decoy: str | None


class Waiting(NamedTuple):
    """How many enabled users have no password, and how many have one that another server hashed."""

    without_password: int
    foreign_hash: int


def find_password_hash(db: Database, user_id: bytes) -> str | None:
    """Return the hash of a user's password, if they have one."""
    return find_password_hashes(db, user_id).own


def find_password_hashes(db: Database, user_id: bytes | None) -> Hashes:
    """Return the hash of a user's password, and the decoy; of nobody's, where there is no such user."""
    query = select(passwords.c.user_id, passwords.c.hash).where(passwords.c.user_id.in_([user_id or NOBODY, NOBODY]))
    found = {bytes(row.user_id): row.hash for row in db.execute(query)}
    return Hashes(found.get(user_id) if user_id else None, found.get(NOBODY))


def set_password_hash(db: Database, user_id: bytes, hashed: str, now: datetime) -> None:
    """Set or replace a user's password."""
    changes = {"hash": hashed, "changed_at": now}
    upsert(db, passwords, {"user_id": user_id, **changes}, changes)


def swap_password_hash(db: Database, user_id: bytes, before: str | None, hashed: str, now: datetime) -> bool:
    """Replace a hash by another, or set the first one; False where somebody else was faster, whose password stays."""
    if before is None:
        return insert_once(db, passwords, {"user_id": user_id, "hash": hashed, "changed_at": now})
    match = (passwords.c.user_id == user_id) & (passwords.c.hash == before)
    return changed(db, update(passwords).where(match).values(hash=hashed, changed_at=now))


def insert_password_hashes(db: Database, rows: Sequence[Mapping[str, object]]) -> None:
    """Add the passwords of new users."""
    if rows:
        db.execute(passwords.insert(), rows)


def count_waiting(db: Database) -> Waiting:
    """Count who has no password of ours yet."""
    of = users.outerjoin(passwords, passwords.c.user_id == users.c.id)
    sums = [func.coalesce(func.sum(case((kind, 1), else_=0)), 0) for kind in (passwords.c.hash.is_(None), _IS_FOREIGN)]
    return Waiting(*map(int, db.execute(select(*sums).select_from(of).where(users.c.disabled_at.is_(None))).one()))


def drop_idle_decoy(db: Database) -> None:
    """Take the decoy away once everybody who came from another server has a hash of ours."""
    if find_password_hashes(db, None).decoy is None:
        return
    is_in_use = db.execute(select(passwords.c.user_id).where(_IS_FOREIGN, passwords.c.user_id != NOBODY).limit(1)).first()
    if is_in_use is None:
        delete_credentials(db, NOBODY)


def delete_credentials(db: Database, user_id: bytes) -> None:
    """Delete everything that a user signs in with."""
    db.execute(delete(passwords).where(passwords.c.user_id == user_id))
