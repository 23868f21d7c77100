"""People: added, changed, disabled and deleted by an operator (claims as in OpenID Connect Core section 5.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authserver.admin.errors import Conflict, NotFound
from authserver.admin.operation import Operation
from authserver.admin.paging import every
from authserver.admin.passwords import check_password, hash_password, new_password
from authserver.admin.user_claims import check_email, sort_values
from authserver.store.access_token import delete_subject_tokens
from authserver.store.authorization_code import delete_user_codes
from authserver.store.authorization_request import delete_user_requests
from authserver.store.base import new_id, read_id
from authserver.store.browser_session import delete_user_sessions, revoke_user_sessions
from authserver.store.consent import forget_consents
from authserver.store.credential import delete_credentials, set_password_hash
from authserver.store.grant import delete_grants, revoke_user_grants
from authserver.store.user import User, find_user, find_user_by_email, insert_user, list_users, update_user
from authserver.store.user import delete_user as delete_row


@dataclass(frozen=True, slots=True)
class Added:
    """A user, and the password that was made for them just now, to be shown once."""

    user: User
    password: str | None


def create_user(operation: Operation, email: str, values: Mapping[str, Any], *, password: str | None = None) -> Added:
    """Add a user; `values` are claims, roles, groups and attributes. Raises Invalid, Conflict."""
    address, columns = _free(operation, check_email(email)), sort_values(values)
    generated = None if password is not None else new_password(operation.runtime)
    hashed = hash_password(operation.runtime, check_password(password or generated or ""))
    identifier, now = new_id(operation.runtime.new_secret(16)), operation.now()
    claims = {"email_verified": False, **_kept(columns["claims"])}
    row = {"id": identifier, "email": address, "claims": claims, "attributes": _kept(columns["attributes"])}
    times = {"version": 1, "created_at": now, "updated_at": now, "disabled_at": None}
    insert_user(operation.db, {"roles": [], "groups": [], **columns["lists"], **row, **times})
    set_password_hash(operation.db, identifier, hashed, now)
    user = get_user(operation, address)
    operation.note("user.create", subject=user.subject)
    return Added(user, generated)


def get_user(operation: Operation, named: str) -> User:
    """Return a user by id or email. Raises NotFound."""
    identifier = read_id(named)
    user = find_user_by_email(operation.db, check_email(named)) if "@" in named else None
    if identifier is not None:
        user = find_user(operation.db, identifier)
    if user is None:
        raise NotFound(f"there is no user {named!r}")
    return user


def every_user(operation: Operation) -> Iterable[User]:
    """Return all users by email."""
    return every(lambda after: list_users(operation.db, after=after, limit=100), lambda user: user.email)


def change_user(operation: Operation, named: str, values: Mapping[str, Any]) -> User:
    """Change claims, roles, groups, attributes and `email`; None removes. Raises NotFound, Invalid, Conflict."""
    user, values = get_user(operation, named), dict(values)
    email = check_email(values.pop("email", user.email))
    if email != user.email:
        values = {"email_verified": False, **values}
        _free(operation, email)
    columns = sort_values(values)
    changes = {
        "email": email,
        "claims": _kept({**user.claims, **columns["claims"]}),
        "attributes": _kept({**user.attributes, **columns["attributes"]}),
        **columns["lists"],
    }
    _store(operation, user, changes)
    operation.note("user.update", subject=user.subject, details={"changed": sorted(values)})
    return get_user(operation, user.subject)


def disable_user(operation: Operation, named: str) -> User:
    """Refuse the user from now on; their sessions and grants end. Raises NotFound, Conflict."""
    user = get_user(operation, named)
    _store(operation, user, {"disabled_at": user.disabled_at or operation.now()})
    operation.note("user.disable", subject=user.subject, details=_end_access(operation, user, "user disabled"))
    return get_user(operation, user.subject)


def enable_user(operation: Operation, named: str) -> User:
    """Let the user sign in again. Raises NotFound, Conflict."""
    user = get_user(operation, named)
    _store(operation, user, {"disabled_at": None})
    operation.note("user.enable", subject=user.subject)
    return get_user(operation, user.subject)


def set_password(operation: Operation, named: str, password: str | None = None) -> Added:
    """Set a password, a random one where none is given; all sessions and grants end. Raises NotFound, Invalid."""
    user = get_user(operation, named)
    generated = None if password is not None else new_password(operation.runtime)
    hashed = hash_password(operation.runtime, check_password(password or generated or ""))
    set_password_hash(operation.db, user.id, hashed, operation.now())
    operation.note("user.set_password", subject=user.subject, details=_end_access(operation, user, "password set"))
    return Added(user, generated)


def delete_user(operation: Operation, named: str) -> None:
    """Delete a user with everything that belongs to them; their id is never used again. Raises NotFound."""
    user = get_user(operation, named)
    db = operation.db
    delete_subject_tokens(db, user.subject)
    delete_user_codes(db, user.id)
    delete_user_requests(db, user.id)
    delete_user_sessions(db, user.id)
    delete_grants(db, user_id=user.id)
    forget_consents(db, user_id=user.id)
    delete_credentials(db, user.id)
    delete_row(db, user.id)
    operation.note("user.delete", subject=user.subject)


def _free(operation: Operation, email: str) -> str:
    if find_user_by_email(operation.db, email) is not None:
        raise Conflict(f"there is a user {email!r} already")
    return email


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _store(operation: Operation, user: User, values: Mapping[str, Any]) -> None:
    if not update_user(operation.db, user.id, user.version, {**values, "updated_at": operation.now()}):
        raise Conflict(f"user {user.email} was changed by somebody else meanwhile: try again")


def _end_access(operation: Operation, user: User, because: str) -> dict[str, int]:
    now = operation.now()
    delete_user_codes(operation.db, user.id)
    sessions = revoke_user_sessions(operation.db, user.id, now)
    return {"sessions": sessions, "grants": revoke_user_grants(operation.db, user.id, now, because)}
