"""What people do with their one-time link: the first owner sets up an account, others set their password."""

from dataclasses import replace

from authserver.admin.authority import Authority
from authserver.admin.errors import Invalid, NotFound
from authserver.admin.links import open_link
from authserver.admin.operation import Operation
from authserver.admin.passwords import check_password, hash_password
from authserver.admin.roles import give_role
from authserver.admin.user_claims import check_email
from authserver.admin.users import add_user, change_user, end_access, get_user
from authserver.store.base import show_id
from authserver.store.credential import set_password_hash
from authserver.store.link import Link, spend_link
from authserver.store.user import User, find_user_by_email

OF_A_LINK = Authority("one-time link")


def finish_setup(operation: Operation, token: str, email: str, password: str) -> User:
    """Make the owner that a setup link was made for. Raises NotFound for a link that is no good, Invalid."""
    operation = replace(operation, authority=OF_A_LINK)
    link, address = open_link(operation, token, "setup"), check_email(email)
    if find_user_by_email(operation.db, address) is not None:
        raise Invalid("email", f"belongs to an account that is here already: use another, or run authserver admins grant {address} owner")
    operation.db.release()
    hashed = hash_password(operation.runtime, check_password(password))
    _spend(operation, link)
    user = add_user(operation, address, hashed)
    give_role(operation, user, "owner")
    return user


def finish_password(operation: Operation, token: str, password: str) -> User:
    """Set the password of the user that a link was made for; their sessions and grants end.

    Raises NotFound for a link that is no good, Invalid.
    """
    operation = replace(operation, authority=OF_A_LINK)
    link = open_link(operation, token, "invite", "reset")
    user = get_user(operation, show_id(link.user_id or b""))
    operation.db.release()
    hashed = hash_password(operation.runtime, check_password(password))
    _spend(operation, link)
    set_password_hash(operation.db, user.id, hashed, operation.now())
    ended = end_access(operation, user, "password set")
    operation.note("user.set_own_password", subject=user.subject, details={"link": link.purpose, **ended})
    if link.email == user.email and not user.claims.get("email_verified"):
        change_user(operation, user.subject, {"email_verified": True})
    return user


def _spend(operation: Operation, link: Link) -> None:
    """Use the link up. Raises NotFound where somebody else just has."""
    if not spend_link(operation.db, link, operation.now()):
        raise NotFound("this link has been used")
