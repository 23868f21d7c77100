"""Who may administer: one role per user, kept apart from the roles that applications see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, delete, select

from authserver.store.base import Database, Instant, ascii_text, binary, metadata, one, rows, text
from authserver.store.upserts import upsert
from authserver.store.user import users

admins = Table(
    "admins",
    metadata,
    Column("user_id", binary(16), primary_key=True),
    Column("role", ascii_text(16), nullable=False, index=True),
    Column("granted_at", Instant, nullable=False),
    Column("granted_by", text(255), nullable=False),
    Column("managed_by", text(200), nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRole:
    """The role of a user; `managed_by` names the file that owns it, empty for none."""

    user_id: bytes
    role: str
    granted_at: datetime
    granted_by: str
    managed_by: str


def find_role(db: Database, user_id: bytes) -> AdminRole | None:
    """Look a user's role up."""
    return one(db, AdminRole, select(admins).where(admins.c.user_id == user_id))


def find_roles(db: Database, user_ids: Iterable[bytes]) -> Mapping[bytes, str]:
    """Return the roles of those of some users who have one."""
    found = rows(db, AdminRole, select(admins).where(admins.c.user_id.in_(list(user_ids))))
    return {row.user_id: row.role for row in found}


def list_roles(db: Database) -> list[AdminRole]:
    """List everybody who has a role; they are few."""
    return rows(db, AdminRole, select(admins).order_by(admins.c.granted_at, admins.c.user_id))


def has_enabled_owner(db: Database) -> bool:
    """Tell whether somebody can sign in as owner."""
    joined = admins.join(users, users.c.id == admins.c.user_id)
    query = select(admins.c.user_id).select_from(joined).where(admins.c.role == "owner", users.c.disabled_at.is_(None)).limit(1)
    return db.execute(query).first() is not None


def set_role(db: Database, row: AdminRole) -> None:
    """Give a user a role in the place of the one before."""
    values = {name: getattr(row, name) for name in AdminRole.__dataclass_fields__}
    upsert(db, admins, values, {name: value for name, value in values.items() if name != "user_id"})


def delete_role(db: Database, user_id: bytes) -> None:
    """Take a user's role away."""
    db.execute(delete(admins).where(admins.c.user_id == user_id))
