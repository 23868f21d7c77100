"""People: email, name, the standard claims of OpenID Connect Core section 5.1, roles, groups and own attributes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, bindparam, delete, select, update

from authserver.store.base import (
    Database,
    Instant,
    binary,
    changed,
    document,
    insert_once,
    metadata,
    one,
    rows,
    show_id,
    text,
)

users = Table(
    "users",
    metadata,
    Column("id", binary(16), primary_key=True),
    Column("email", text(254), nullable=False),
    Column("claims", document(), nullable=False),
    Column("roles", document(), nullable=False),
    Column("groups", document(), nullable=False),
    Column("attributes", document(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Index("uq_users_email", "email", unique=True),
    Index("ix_users_disabled_at", "disabled_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `email` is normalized (NFKC, case-folded); `claims` has the standard claims beside it."""

    id: bytes
    email: str
    claims: Mapping[str, Any]
    roles: list[str]
    groups: list[str]
    attributes: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None

    @property
    def subject(self) -> str:
        """The `sub` that every client sees; never used again after deletion."""
        return show_id(self.id)

    @property
    def is_enabled(self) -> bool:
        """Tell whether the person may sign in and keep access."""
        return self.disabled_at is None


_BY_ID = select(users).where(users.c.id == bindparam("identifier"))


def find_user(db: Database, identifier: bytes) -> User | None:
    """Look a user up by id."""
    return one(db, User, _BY_ID, identifier=identifier)


def find_user_by_email(db: Database, email: str) -> User | None:
    """Look a user up by normalized email."""
    return one(db, User, select(users).where(users.c.email == email))


def list_users(db: Database, *, after: str = "", disabled: bool | None = None, limit: int = 100) -> list[User]:
    """List users by email."""
    query = select(users).where(users.c.email > after)
    if disabled is not None:
        query = query.where(users.c.disabled_at.is_not(None) if disabled else users.c.disabled_at.is_(None))
    return rows(db, User, query.order_by(users.c.email).limit(limit))


def find_users(db: Database, identifiers: Iterable[bytes]) -> list[User]:
    """Look some users up, by id."""
    return rows(db, User, select(users).where(users.c.id.in_(list(identifiers))).order_by(users.c.id))


def find_users_by_email(db: Database, emails: Iterable[str]) -> list[User]:
    """Look some users up, by normalized email."""
    return rows(db, User, select(users).where(users.c.email.in_(list(emails))).order_by(users.c.email))


def insert_new_user(db: Database, values: Mapping[str, object]) -> bool:
    """Add a user unless somebody has their id or email; tell whether they were added."""
    return insert_once(db, users, values)


def insert_user(db: Database, values: Mapping[str, object]) -> None:
    """Add a user."""
    db.execute(users.insert().values(**values))


def update_user(db: Database, identifier: bytes, version: int, values: Mapping[str, object]) -> bool:
    """Change a user if they still are at `version`; tell whether they were."""
    match = (users.c.id == identifier) & (users.c.version == version)
    return changed(db, update(users).where(match).values(**values, version=version + 1))


def delete_user(db: Database, identifier: bytes) -> bool:
    """Delete a user's row; tell whether there was one."""
    return changed(db, delete(users).where(users.c.id == identifier))
