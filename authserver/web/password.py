"""Choosing a password by a one-time link: an invitation, or a reset that an operator began (OWASP ASVS 5.0 section 6.4).

Opening the link spends nothing, since mail scanners open links too; setting the password does. The rules of passwords
are those of admin/passwords.py, said here in the person's language.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, url_for

from authserver.web.context import db, runtime
from authserver.web.errors import RETRY_SECONDS, PageError
from authserver.web.flow import see
from authserver.web.language import N_, gettext
from authserver.web.pages import page

if TYPE_CHECKING:
    from authserver.admin.operation import Operation
    from authserver.web.forms import NewPasswordForm

routes = Blueprint("password", __name__)


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link was made for, and whether they never had a password."""

    email: str
    is_new: bool


UNPROCESSABLE = 422
NOT_FOUND = 404

TOO_SHORT = N_("Choose a longer password: at least %d characters. Several words are easy to remember.")
TOO_LONG = N_("Choose a shorter password: at most %d bytes.")
DIFFERENT = N_("The two passwords are not the same. Type it again.")
REFUSED = N_("This password cannot be used. Choose another one.")


@routes.get("/password")
def open_page() -> Response:
    """Ask for the new password of the person whom the link was sent to."""
    from authserver.web.forms import NewPasswordForm

    token = request.args.get("token", "")
    invited = _find(token)
    return _over() if invited is None else _ask(invited, token, NewPasswordForm(), {})


@routes.post("/password")
def submit() -> Response:
    """Set the password, or show the form again with what is wrong."""
    from authserver.web.forms import NewPasswordForm, read_form

    token = request.form.get("token", "")
    invited = _find(token)
    if invited is None:
        return _over()
    form = read_form(NewPasswordForm, again=url_for("password.open_page", token=token))
    faults = form.messages or _faults(form.password.data, form.repeated.data) or _set(token, form.password.data)
    return _ask(invited, token, form, faults, UNPROCESSABLE) if faults else see(url_for("password.done"))


@routes.get("/password/done")
def done() -> Response:
    """Say that the password is set, and where to go on."""
    return page("password/done.html", {})


def _find(token: str) -> Invited | None:
    """Return whom the link of an invitation or a reset was made for, if it still opens."""
    from authserver.admin.errors import NotFound
    from authserver.admin.links import open_link
    from authserver.admin.users import get_user
    from authserver.store.base import show_id

    try:
        link = open_link(_operation(), token, "invite", "reset")
        return Invited(get_user(_operation(), show_id(link.user_id or b"")).email, link.purpose == "invite")
    except NotFound:
        return None


def _set(token: str, password: str) -> dict[str, str]:
    """Spend the link and set the password; return what is wrong with it. Raises PageError under load."""
    from authserver.admin.errors import Invalid, NotFound
    from authserver.admin.welcome import finish_password
    from authserver.crypto.password_hash import HashingBusy

    again = url_for("password.open_page", token=token)
    try:
        finish_password(_operation(), token, password)
    except Invalid:
        return {"password": gettext(REFUSED)}
    except NotFound as late:
        raise PageError("expired_request", because="link spent meanwhile", again=again) from late
    except HashingBusy as busy:
        raise PageError("unavailable", status=503, because="hashing is busy", retry_after=RETRY_SECONDS, again=again) from busy
    return {}


def _faults(password: str, repeated: str) -> dict[str, str]:
    from authserver.admin.passwords import LEAST_CHARACTERS
    from authserver.crypto.password_hash import MOST_BYTES

    if len(password) < LEAST_CHARACTERS:
        return {"password": gettext(TOO_SHORT) % LEAST_CHARACTERS}
    if len(password.encode("utf-8", "replace")) > MOST_BYTES:
        return {"password": gettext(TOO_LONG) % MOST_BYTES}
    return {} if password == repeated else {"repeated": gettext(DIFFERENT)}


def _ask(invited: Invited, token: str, form: "NewPasswordForm", faults: dict[str, str], status: int = 200) -> Response:
    from authserver.admin.passwords import LEAST_CHARACTERS

    values = {"token": token, "mark": form.mark, "email": invited.email, "is_new": invited.is_new}
    return page("password/choose.html", {**values, "faults": faults, "least": LEAST_CHARACTERS}, status)


def _over() -> Response:
    """Answer alike for a link that is spent, that is too old, and that never was."""
    return page("password/over.html", {}, NOT_FOUND)


def _operation() -> "Operation":
    """Act for whoever has the link."""
    from authserver.admin.operation import Operation
    from authserver.admin.welcome import OF_A_LINK

    return Operation(db(), runtime(), OF_A_LINK)
