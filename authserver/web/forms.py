"""Forms and their defence against forgery (RFC 6749 section 10.12, OWASP ASVS 5.0 section 3.5.1).

Every form carries a mark on this browser's cookie, which other sites can neither read nor make. It holds for as long
as the cookie, in every tab and after the back button. What browsers say about the origin of a request is checked
first. This module imports WTForms: pages import it when a form is shown or sent.
"""

from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Response, after_this_request, request
from werkzeug.datastructures import Headers
from wtforms import Form, PasswordField, StringField, ValidationError
from wtforms.csrf.core import CSRF
from wtforms.validators import AnyOf, InputRequired, Length

from authserver.crypto.digest import new_token
from authserver.crypto.mark import is_marked, mark
from authserver.web.context import runtime
from authserver.web.cookies import browser_token, set_browser
from authserver.web.errors import PageError
from authserver.web.language import N_, gettext

PURPOSE = "form"
NEW_BROWSER = "authserver.new_browser"


class BrowserMark(CSRF):
    """The hidden field: a random text and the mark on it and on the browser."""

    def generate_csrf_token(self, csrf_token_field: Any) -> str:
        """Make the field's value, different each time."""
        salt = new_token(runtime().new_secret)
        return f"{salt}.{mark(runtime().keys, PURPOSE, salt, _browser())}"

    def validate_csrf_token(self, form: Any, field: Any) -> None:
        """Refuse a value that was not made for this browser."""
        salt, _, presented = (field.data or "").partition(".")
        if not is_marked(runtime().keys, presented, PURPOSE, salt, browser_token() or ""):
            raise ValidationError("form_expired")


class PageForm(Form):
    """A form of a page; its messages are texts that `messages` translates."""

    class Meta:
        """How WTForms treats the form: marked, and without translations of its own."""

        csrf = True
        csrf_class = BrowserMark
        csrf_field_name = "csrf_token"
        locales = False

    @property
    def mark(self) -> str:
        """The value of the hidden field."""
        return str(self.csrf_token.current_token)

    @property
    def messages(self) -> dict[str, str]:
        """The translated fault of each field that has one."""
        return {name: gettext(faults[0]) for name, faults in self.errors.items() if faults}


class SignInForm(PageForm):
    """Email and password."""

    email = StringField(filters=[lambda value: (value or "").strip()], validators=[InputRequired(N_("Enter your email address."))])
    password = PasswordField(validators=[InputRequired(N_("Enter your password."))])


class NewPasswordForm(PageForm):
    """A password to be set, typed twice."""

    password = PasswordField(filters=[lambda value: value or ""])
    repeated = PasswordField(filters=[lambda value: value or ""])


class ChoiceForm(PageForm):
    """Two buttons."""

    choice = StringField(validators=[AnyOf(["continue", "other"])])


class ConsentForm(PageForm):
    """Allow or deny what was shown."""

    decision = StringField(validators=[AnyOf(["allow", "deny"])])
    shown = StringField(validators=[InputRequired(), Length(max=64)])


AnyForm = TypeVar("AnyForm", bound=PageForm)


def read_form(kind: type[AnyForm], *, again: str) -> AnyForm:
    """Read the form that this browser sent. Raises PageError where it was not this browser, or not from our page.

    Its other faults are in `messages`.
    """
    if not is_own_page(request.headers, runtime().settings.issuer):
        raise PageError("form_expired", status=403, because="form sent by another site", again=again)
    if browser_token() is None:
        raise PageError("cookies_off", because="form without the browser cookie")
    form = kind(request.form)
    form.validate()
    if "csrf_token" in form.errors:
        raise PageError("form_expired", because="form mark missing, wrong, or of another browser", again=again)
    return form


def is_own_page(headers: Headers, issuer: str) -> bool:
    """Tell whether a form can come from our own page, by Sec-Fetch-Site, else by Origin.

    Browsers write `Origin: null` for pages with our referrer policy, so that null says nothing.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    parts = urlsplit(issuer)
    return origin in (None, "null", f"{parts.scheme}://{parts.netloc}")


def _browser() -> str:
    """This browser's token; one that has none yet gets it with the answer."""
    known = browser_token() or request.environ.get(NEW_BROWSER)
    if known is None:
        known = request.environ[NEW_BROWSER] = new_token(runtime().new_secret)
        after_this_request(_name_browser)
    return str(known)


def _name_browser(response: Response) -> Response:
    set_browser(response, request.environ[NEW_BROWSER])
    return response
