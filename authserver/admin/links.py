"""One-time links: the first owner's, an invitation's, a new password's. Who has the link sets the password, nobody else.

A link that is mailed proves the address; one that is shown instead does not.
"""

from datetime import timedelta

from authserver.admin.errors import Conflict, NotFound
from authserver.admin.operation import Operation
from authserver.admin.outbox import send_letter
from authserver.crypto.digest import Digest, digest, new_token
from authserver.store.link import Link, delete_links_of, delete_user_links, find_link, insert_link
from authserver.store.user import User

SETUP_LIFETIME = timedelta(minutes=15)
RESET_LIFETIME = timedelta(minutes=30)
INVITE_LIFETIME = timedelta(days=7)


def setup_link(operation: Operation, stored: Digest | None = None) -> str:
    """Return the address at which the first owner, or another one, sets up their account; the one before opens no more.

    Of a token that somebody else has made, its digest is `stored`; the address then ends where they put the token.
    """
    delete_links_of(operation.db, "setup")
    address = _make(operation, "setup", "/admin/setup", None, "", SETUP_LIFETIME, stored)
    operation.note("setup.link")
    return address


def invite_link(operation: Operation, user: User) -> str | None:
    """Send a new user the address at which they set their password; return it where there is no mail."""
    is_mailed = bool(operation.runtime.settings.smtp_url)
    address = _make(operation, "invite", "/password", user, user.email if is_mailed else "", INVITE_LIFETIME)
    if not is_mailed:
        return address
    _mail(operation, "invite", user, address, INVITE_LIFETIME)
    return None


def mail_reset(operation: Operation, user: User) -> None:
    """Send a user the address at which they set a new password. Raises Conflict where there is no mail."""
    if not operation.runtime.settings.smtp_url:
        raise Conflict("no mail is set up: set AUTHSERVER_SMTP_URL, or make a link by authserver users reset-link")
    address = _make(operation, "reset", "/password", user, user.email, RESET_LIFETIME)
    _mail(operation, "reset", user, address, RESET_LIFETIME)
    operation.note("user.start_password_reset", subject=user.subject)


def show_reset(operation: Operation, user: User) -> str:
    """Return the address at which a user sets a new password: for the command line alone."""
    operation.note("user.reset_link", subject=user.subject)
    return _make(operation, "reset", "/password", user, "", RESET_LIFETIME)


def open_link(operation: Operation, token: str, *purposes: str) -> Link:
    """Return a link that can still be used, for one of these purposes. Raises NotFound."""
    link = find_link(operation.db, token)
    if link is None or link.purpose not in purposes or not link.is_live(operation.now()):
        raise NotFound("this link has been used, is too old, or is not complete")
    return link


def _mail(operation: Operation, letter: str, user: User, address: str, lifetime: timedelta) -> None:
    locale, ends = str(user.claims.get("locale") or ""), operation.now() + lifetime
    send_letter(operation, letter, user.email, {"link": address}, expires_at=ends, locale=locale, subject=user.subject)


def _make(
    operation: Operation, purpose: str, path: str, user: User | None, email: str, lifetime: timedelta, stored: Digest | None = None
) -> str:
    token, now = "" if stored else new_token(operation.runtime.new_secret), operation.now()
    if user is not None:
        delete_user_links(operation.db, user.id)
    link = Link(
        digest=stored or digest(token),
        purpose=purpose,
        user_id=user.id if user else None,
        email=email,
        created_at=now,
        expires_at=now + lifetime,
        consumed_at=None,
    )
    insert_link(operation.db, link)
    return f"{operation.runtime.settings.issuer}{path}?token={token}"
