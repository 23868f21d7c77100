"""People: added, changed, disabled and deleted by an operator (claims as in OpenID Connect Core section 5.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authserver.admin.documents import user_document
from authserver.admin.errors import Changed, Conflict, NotFound
from authserver.admin.links import invite_link, mail_reset, show_reset
from authserver.admin.operation import Operation
from authserver.admin.paging import USUAL, Page, every, page_of
from authserver.admin.passwords import check_password, hash_password, new_password
from authserver.admin.roles import give_role, holders, refuse_above
from authserver.admin.searching import read_status, search
from authserver.admin.user_claims import check_email, sort_values
from authserver.store.access_token import delete_subject_tokens
from authserver.store.admin_role import delete_role
from authserver.store.authorization_code import delete_user_codes
from authserver.store.authorization_request import delete_user_requests
from authserver.store.base import new_id, read_id
from authserver.store.browser_session import delete_user_sessions, revoke_user_sessions
from authserver.store.consent import forget_consents
from authserver.store.credential import delete_credentials, set_password_hash
from authserver.store.grant import delete_grants, revoke_user_grants
from authserver.store.link import delete_user_links
from authserver.store.search import USER, delete_terms, set_terms, terms_of
from authserver.store.user import User, find_user, find_user_by_email, find_users, insert_user, list_users, update_user
from authserver.store.user import delete_user as delete_row


@dataclass(frozen=True, slots=True)
class Added:
    """A user, and the password that was made for them just now, to be shown once."""

    user: User
    password: str | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A user, and the link by which they set their password, to be shown once; None where it was sent to them."""

    user: User
    link: str | None


def create_user(operation: Operation, email: str, values: Mapping[str, Any], *, password: str | None = None) -> Added:
    """Add a user; `values` are claims, roles, groups and attributes. Raises Invalid, Conflict."""
    address, columns = _free(operation, check_email(email)), sort_values(values)
    generated = None if password is not None else new_password(operation.runtime)
    hashed = hash_password(operation.runtime, check_password(password or generated or ""))
    return Added(_insert_with_password(operation, address, columns, hashed), generated)


def add_user(operation: Operation, email: str, hashed: str) -> User:
    """Add a user by a checked address and a hashed password. Raises Conflict."""
    return _insert_with_password(operation, _free(operation, email), sort_values({}), hashed)


def invite_user(operation: Operation, email: str, values: Mapping[str, Any]) -> Invitation:
    """Add a user who sets their own password by a link, sent to them where mail is set up. Raises Invalid, Conflict."""
    address, columns = _free(operation, check_email(email)), sort_values(values)
    user = _insert(operation, address, columns)
    operation.note("user.invite", subject=user.subject, after=user_document(user))
    return Invitation(user, invite_link(operation, user))


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


def page_of_users(
    operation: Operation, *, q: str = "", status: str = "", role: str = "", page_token: str = "", page_size: int = USUAL
) -> Page[User]:
    """List users by email; by id those that are found by `q`, the beginning of the email or of a word of the name, and those
    who have an admin `role`. `status` is enabled or disabled. Raises Invalid."""
    disabled, listing, db = read_status(status), f"users {q} {status} {role}", operation.db

    def wanted(ids: Iterable[str]) -> list[User]:
        found = find_users(db, [identifier for shown in ids if (identifier := read_id(shown)) is not None])
        return [user for user in found if disabled is None or user.is_enabled != disabled]

    def fetch(after: str | None, limit: int) -> list[User]:
        if role:
            return [user for user in wanted(holders(operation, role)) if user.subject > (after or "")][:limit]
        if q.strip():
            return search(operation, USER, q, after, limit, wanted)
        return list_users(db, after=after or "", disabled=disabled, limit=limit)

    is_by_id = bool(role or q.strip())
    return page_of(operation, listing, page_token, page_size, fetch, lambda user: user.subject if is_by_id else user.email)


def change_user(operation: Operation, named: str, values: Mapping[str, Any], *, version: int | None = None) -> User:
    """Change claims, roles, groups, attributes and `email`; None removes. `version` is the one that was seen.

    Raises NotFound, Invalid, Conflict, Changed, Forbidden.
    """
    user, values = _open(operation, named, version), dict(values)
    email = check_email(values.pop("email", user.email))
    if email != user.email:
        values = {"email_verified": False, **values}
        _free(operation, email)
        delete_user_links(operation.db, user.id)
    columns = sort_values(values)
    changes = {
        "email": email,
        "claims": _kept({**user.claims, **columns["claims"]}),
        "attributes": _kept({**user.attributes, **columns["attributes"]}),
        **columns["lists"],
    }
    _store(operation, user, changes)
    after = get_user(operation, user.subject)
    _let_be_found(operation, after)
    operation.note("user.update", subject=user.subject, before=user_document(user), after=user_document(after))
    return after


def disable_user(operation: Operation, named: str, *, version: int | None = None) -> User:
    """Refuse the user from now on; their sessions and grants end. Raises NotFound, Changed, Forbidden."""
    user = _open(operation, named, version)
    _store(operation, user, {"disabled_at": user.disabled_at or operation.now()})
    operation.note("user.disable", subject=user.subject, details=end_access(operation, user, "user disabled"))
    return get_user(operation, user.subject)


def enable_user(operation: Operation, named: str, *, version: int | None = None) -> User:
    """Let the user sign in again. Raises NotFound, Changed, Forbidden."""
    user = _open(operation, named, version)
    _store(operation, user, {"disabled_at": None})
    operation.note("user.enable", subject=user.subject)
    return get_user(operation, user.subject)


def set_password(operation: Operation, named: str, password: str | None = None) -> Added:
    """Set a password, a random one where none is given; all sessions and grants end. Raises NotFound, Invalid, Forbidden.

    For the command line alone: an administrator starts a reset, and neither sets nor sees a password.
    """
    user = _open(operation, named)
    generated = None if password is not None else new_password(operation.runtime)
    hashed = hash_password(operation.runtime, check_password(password or generated or ""))
    set_password_hash(operation.db, user.id, hashed, operation.now())
    operation.note("user.set_password", subject=user.subject, details=end_access(operation, user, "password set"))
    return Added(user, generated)


def delete_user(operation: Operation, named: str, *, version: int | None = None) -> None:
    """Delete a user with everything that belongs to them; their id is never used again. Raises NotFound, Changed, Forbidden."""
    user = _open(operation, named, version)
    db = operation.db
    delete_subject_tokens(db, user.subject)
    delete_user_codes(db, user.id)
    delete_user_requests(db, user.id)
    delete_user_sessions(db, user.id)
    delete_grants(db, user_id=user.id)
    forget_consents(db, user_id=user.id)
    delete_credentials(db, user.id)
    delete_user_links(db, user.id)
    delete_role(db, user.id)
    delete_terms(db, USER, user.subject)
    delete_row(db, user.id)
    operation.note("user.delete", subject=user.subject, before={"email": user.email})


def set_role(operation: Operation, named: str, role: str | None) -> User:
    """Give a user an admin role, or take it away. Raises NotFound, Invalid, Forbidden, Conflict."""
    user = get_user(operation, named)
    give_role(operation, user, role)
    return user


def start_password_reset(operation: Operation, named: str) -> None:
    """Send a user a link to set a new password. Raises NotFound, Forbidden, and Conflict where there is no mail."""
    mail_reset(operation, _open(operation, named))


def reset_link(operation: Operation, named: str) -> str:
    """Return a link to set a new password, for the command line alone. Raises NotFound."""
    return show_reset(operation, _open(operation, named))


def _insert_with_password(operation: Operation, email: str, columns: Mapping[str, Any], hashed: str) -> User:
    user = _insert(operation, email, columns)
    set_password_hash(operation.db, user.id, hashed, operation.now())
    operation.note("user.create", subject=user.subject, after=user_document(user))
    return user


def _insert(operation: Operation, email: str, columns: Mapping[str, Any]) -> User:
    identifier, now = new_id(operation.runtime.new_secret(16)), operation.now()
    claims = {"email_verified": False, **_kept(columns["claims"])}
    row = {"id": identifier, "email": email, "claims": claims, "attributes": _kept(columns["attributes"])}
    times = {"version": 1, "created_at": now, "updated_at": now, "disabled_at": None}
    insert_user(operation.db, {"roles": [], "groups": [], **columns["lists"], **row, **times})
    user = get_user(operation, email)
    _let_be_found(operation, user)
    return user


def _open(operation: Operation, named: str, version: int | None = None) -> User:
    """Return a user who is to be changed. Raises NotFound, Forbidden, Changed where they are not at that version."""
    user = get_user(operation, named)
    refuse_above(operation, user.id)
    if version is not None and version != user.version:
        raise Changed(f"user {user.email} was changed by somebody else meanwhile", user)
    return user


def _let_be_found(operation: Operation, user: User) -> None:
    set_terms(operation.db, USER, user.subject, terms_of(user.email, str(user.claims.get("name") or "")))


def _free(operation: Operation, email: str) -> str:
    if find_user_by_email(operation.db, email) is not None:
        raise Conflict(f"there is a user {email!r} already")
    return email


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _store(operation: Operation, user: User, values: Mapping[str, Any]) -> None:
    if not update_user(operation.db, user.id, user.version, {**values, "updated_at": operation.now()}):
        raise Changed(f"user {user.email} was changed by somebody else meanwhile: try again", find_user(operation.db, user.id))


def end_access(operation: Operation, user: User, because: str) -> dict[str, int]:
    """End everything by which a user has access now, or could get it; return how many sessions and grants."""
    now = operation.now()
    delete_user_links(operation.db, user.id)
    delete_user_codes(operation.db, user.id)
    sessions = revoke_user_sessions(operation.db, user.id, now)
    return {"sessions": sessions, "grants": revoke_user_grants(operation.db, user.id, now, because)}
