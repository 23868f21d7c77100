"""Who administers: roles given and taken away, and nobody acting on somebody of an equal or higher one."""

from collections.abc import Iterable, Mapping

from authserver.admin.authority import ROLES, rank_of
from authserver.admin.errors import Conflict, Forbidden, Invalid
from authserver.admin.operation import Operation
from authserver.store.admin_role import AdminRole, delete_role, find_role, find_roles, list_roles
from authserver.store.admin_role import set_role as store_role
from authserver.store.base import show_id
from authserver.store.link import delete_shown_links
from authserver.store.user import User


def role_of(operation: Operation, user_id: bytes) -> str:
    """Return a user's role; empty for none."""
    found = find_role(operation.db, user_id)
    return found.role if found else ""


def roles_of(operation: Operation, users: Iterable[User]) -> Mapping[bytes, str]:
    """Return the roles of those of some users who have one, by the id of their row."""
    return find_roles(operation.db, [user.id for user in users])


def holders(operation: Operation, role: str) -> list[str]:
    """Return the ids of those who have a role, in their order. Raises Invalid."""
    _check(role)
    return sorted(show_id(row.user_id) for row in list_roles(operation.db) if row.role == role)


def refuse_above(operation: Operation, user_id: bytes) -> None:
    """Refuse to act on somebody of an equal or higher role. Raises Forbidden."""
    role = role_of(operation, user_id)
    if role and rank_of(role) >= operation.authority.rank:
        raise Forbidden(f"this user is {role}: only somebody of a higher role, or the command line, may do this")


def give_role(operation: Operation, user: User, role: str | None) -> None:
    """Give a user a role, or take it away. Raises Invalid, Forbidden, Conflict."""
    if role is not None:
        _check(role)
    refuse_above(operation, user.id)
    if role is not None and rank_of(role) > operation.authority.rank:
        raise Forbidden("nobody gives a role above their own")
    before = find_role(operation.db, user.id)
    operation.refuse_if_managed(f"the role of {user.email}", before.managed_by if before else "")
    if (before.role if before else None) == role and (before is None or before.managed_by == operation.owner):
        return
    if before is not None and before.role == "owner" and not operation.owner and _is_last_owner(operation, user):
        raise Conflict(f"{user.email} is the only owner: make somebody else owner first")
    _store(operation, user, role)
    operation.note("user.set_role", subject=user.subject, before={"role": before.role if before else None}, after={"role": role})


def _store(operation: Operation, user: User, role: str | None) -> None:
    if role is None:
        delete_role(operation.db, user.id)
        return
    row = AdminRole(user_id=user.id, role=role, granted_at=operation.now(), granted_by=operation.actor, managed_by=operation.owner)
    store_role(operation.db, row)
    delete_shown_links(operation.db, user.id)  # who saw it may not give roles, and would have this one


def _is_last_owner(operation: Operation, user: User) -> bool:
    return not [row for row in list_roles(operation.db) if row.role == "owner" and row.user_id != user.id]


def _check(role: str) -> None:
    if role not in ROLES:
        raise Invalid("role", f"must be one of {', '.join(ROLES)}")
