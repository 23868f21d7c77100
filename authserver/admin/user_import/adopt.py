"""The person who has just signed in at Cognito becomes a user here (OpenID Connect Core section 5.7: the `sub` is who they are).

An address joins two accounts only where Cognito has verified it, to the letter: what merely looks like it is somebody else's.
"""

from collections.abc import Mapping
from typing import Any

from authserver.admin.authority import Authority
from authserver.admin.documents import user_document
from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.admin.user_claims import check_email, sort_values
from authserver.admin.user_import.attributes import values_of
from authserver.admin.user_import.check import check_subject
from authserver.admin.user_import.storing import user_row, words_of
from authserver.admin.users import change_user
from authserver.identity.cognito import Newcomer, NotMoved
from authserver.runtime import Runtime
from authserver.store.audit import find_deleted
from authserver.store.base import Database, show_id
from authserver.store.credential import find_password_hash
from authserver.store.search import USER, insert_terms
from authserver.store.user import User, find_user, find_user_by_email, insert_new_user

COGNITO = Authority("cognito")


def adopt(db: Database, runtime: Runtime, account: str, newcomer: Newcomer) -> User:
    """Return the user that a newcomer is: who has the address that was entered, or a new one. Raises NotMoved.

    `account` is that address, normalized. Who has it is looked up now: Cognito took its time, and they may be gone or disabled.
    """
    operation, attributes = Operation(db, runtime, COGNITO), newcomer.attributes
    try:
        subject, email = check_subject(attributes.get("sub")), check_email(attributes.get("email"))
    except Invalid as fault:
        raise NotMoved(f"Cognito's {fault.field} cannot be kept") from None
    if email != account or not _is_spelt_so(attributes["email"], email):
        raise NotMoved("Cognito knows another address")
    user = find_user_by_email(db, email) or _add(operation, subject, email, newcomer)
    return _check_same(user or _find_meanwhile(operation, subject, email, attributes), subject, attributes)


def _is_spelt_so(text: str, email: str) -> bool:
    """Tell whether a text is an address but for the case of its ASCII letters. What only normalization (UAX 15) makes the same
    is another mailbox at Cognito, which its owner may have verified there."""
    return (text.strip().lower() if text.isascii() else text) == email


def _add(operation: Operation, subject: bytes, email: str, newcomer: Newcomer) -> User | None:
    """Add the user with what can be kept of their attributes; None where somebody has the id or the address."""
    if find_deleted(operation.db, [show_id(subject)], email):
        raise NotMoved("this user was deleted here")
    columns, left_out = _columns(values_of(_flags_only(newcomer.attributes), newcomer.groups))
    row = user_row(subject, email, columns, operation.now())
    if not insert_new_user(operation.db, row):
        return None
    insert_terms(operation.db, USER, {show_id(subject): words_of(row)})
    user = User(**row)
    details = {"from": "cognito", **({"left_out": left_out} if left_out else {})}
    operation.note("user.import", subject=user.subject, details=details, after=user_document(user))
    return user


def _flags_only(attributes: Mapping[str, str]) -> dict[str, str]:
    """Whatever Cognito does not say to be verified is not."""
    flags = {name: str(text.lower() == "true").lower() for name, text in attributes.items() if name.endswith("_verified")}
    return {**attributes, **flags}


def _columns(values: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Sort the values into columns; an attribute that cannot be kept keeps nobody from signing in, and is named."""
    good, left_out = {}, []
    for name, value in values.items():
        try:
            sort_values({name: value})
            good[name] = value
        except Invalid:
            left_out.append(name[:100])
    return sort_values(good), left_out


def _find_meanwhile(operation: Operation, subject: bytes, email: str, attributes: Mapping[str, str]) -> User:
    """Return who has the id or the address: the same person in another tab, or one whose address changed at Cognito."""
    db = operation.db
    same = find_user(db, subject)
    if same is None or same.email == email:
        user = same or find_user_by_email(db, email)
        if user is None:
            raise NotMoved("the user was changed meanwhile")
        return user
    if not same.is_enabled or find_password_hash(db, subject) is not None:
        raise NotMoved("this user is here under another address")
    return change_user(operation, same.subject, {"email": email, "email_verified": _is_verified(attributes)})


def _check_same(user: User, subject: bytes, attributes: Mapping[str, str]) -> User:
    if not user.is_enabled:
        raise NotMoved("user disabled")
    if user.id != subject and not _is_verified(attributes):
        raise NotMoved("another sub at Cognito, whose address is not verified")
    return user


def _is_verified(attributes: Mapping[str, str]) -> bool:
    return attributes.get("email_verified", "").lower() == "true"
