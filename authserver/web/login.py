"""Signing in, and choosing the account (OpenID Connect Core section 3.1.2.3).

Each page ends at the dispatcher, /oauth2/authorize; without a request that waits, at the index page.
"""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, url_for

from authserver.identity import session as sessions
from authserver.identity.known_device import find_device, remember
from authserver.identity.sign_in import Adopt, SignedIn, SignInRefused, SignInStopped, arrive, complete, normalize_email, sign_in
from authserver.oauth.authorization.interaction import Situation
from authserver.store.authorization_request import note_step
from authserver.store.browser_session import BrowserSession
from authserver.store.user import find_user
from authserver.web.context import db, runtime
from authserver.web.cookies import device_token, session_token, set_device, set_session
from authserver.web.errors import RETRY_SECONDS, PageError
from authserver.web.flow import go_on, names, open_request, see
from authserver.web.language import N_, gettext
from authserver.web.pages import page
from authserver.web.pending import Waiting
from authserver.web.rate_limit import count_attempt, forget_failures, sign_in_buckets

if TYPE_CHECKING:
    from authserver.web.forms import SignInForm

routes = Blueprint("login", __name__)

REFUSED = N_("The email address or the password is not right. Check both, then try again.")
UNPROCESSABLE = 422


@routes.get("/login")
def login() -> Response:
    """Ask for email and password, unless this browser has signed in since the request came."""
    from authserver.web.forms import SignInForm

    found, session = _waiting(request.args.get("resume", "")), sessions.find(db(), runtime(), session_token())
    if session is not None and "other" not in request.args and _is_done(found, session):
        return _leave(request.args.get("resume", ""))
    return _ask(found, SignInForm(), _expected_email(found, session))


@routes.post("/login")
def submit() -> Response:
    """Sign the person in, or show the form again with what is wrong."""
    from authserver.web.forms import SignInForm, read_form

    resume = request.form.get("resume", "")
    found = _waiting(resume)
    form = read_form(SignInForm, again=_again(resume))
    if form.messages:
        return _ask(found, form, form.email.data, status=UNPROCESSABLE)
    try:
        proven = _attempt(form, found, _again(resume))
    except SignInRefused:
        return _ask(found, form, form.email.data, status=UNPROCESSABLE, refused=gettext(REFUSED))
    return _signed_in(found, resume, proven)


@routes.get("/login/account")
def account() -> Response:
    """Ask whether to go on as the person who is signed in, or as another."""
    from authserver.web.forms import ChoiceForm

    resume = request.args.get("resume", "")
    found, session = open_request(resume), sessions.find(db(), runtime(), session_token())
    user = find_user(db(), session.user_id) if session else None
    if user is None:
        return go_on(resume)
    name = str(user.claims.get("name") or "")
    values = {"resume": resume, "mark": ChoiceForm().mark, "email": user.email, "name": name}
    return page("login/account.html", {**values, **names(found.request)}, leads_back=True)


@routes.post("/login/account")
def choose() -> Response:
    """Note the choice and go on."""
    from authserver.web.forms import ChoiceForm, read_form

    resume = request.form.get("resume", "")
    found, session = open_request(resume), sessions.find(db(), runtime(), session_token())
    form = read_form(ChoiceForm, again=url_for("login.account", resume=resume))
    if session is None:
        return go_on(resume)
    if form.messages or form.choice.data == "other":
        return see(url_for("login.login", resume=resume, other=1))
    note_step(db(), found.pending.digest, session.id, "account_selected_at", runtime().now())
    return go_on(resume)


def _waiting(resume: str) -> Waiting | None:
    return open_request(resume) if resume else None


def _is_done(found: Waiting | None, session: BrowserSession) -> bool:
    if found is None:
        return True
    return Situation(request=found.request, pending=found.pending, session=session, consent=None, now=runtime().now()).has_just_signed_in


def _leave(resume: str) -> Response:
    return go_on(resume) if resume else see(url_for("index.index"))


def _again(resume: str) -> str:
    return url_for("login.login", resume=resume or None)


def _expected_email(found: Waiting | None, session: BrowserSession | None) -> str:
    """Whom the client expects, else who is signed in and must prove it again."""
    if found is not None and found.request.login_hint:
        return found.request.login_hint
    user = find_user(db(), session.user_id) if session and "other" not in request.args else None
    return user.email if user else ""


def _ask(found: Waiting | None, form: "SignInForm", email: str, *, status: int = 200, refused: str = "") -> Response:
    known = names(found.request) if found else {"client_name": "", "host": "", "on_device": False, "popup": False}
    values = {"resume": request.values.get("resume", ""), "mark": form.mark, "email": email, "faults": form.messages, "refused": refused}
    return page("login/sign_in.html", {**values, **known}, status, leads_back=True)


def _attempt(form: "SignInForm", found: Waiting | None, again: str) -> SignedIn:
    """Count the attempt, then hash. Raises SignInRefused, or PageError where there are too many."""
    from authserver.crypto.password_hash import HashingBusy

    entered, bound_for = form.email.data, found.request.client.client_id if found else ""
    account = normalize_email(entered)
    device = find_device(runtime(), device_token(), account)
    buckets = sign_in_buckets(runtime(), account, request.remote_addr or "", device)
    db().close()
    count_attempt(runtime(), buckets, again=again)
    try:
        proven = sign_in(db(), runtime(), entered, form.password.data, bound_for=bound_for, may_arrive=True)
    except HashingBusy as busy:
        raise PageError("unavailable", status=503, because="hashing is busy", retry_after=RETRY_SECONDS, again=again) from busy
    except SignInStopped as stop:
        raise _explained(stop, again) from stop
    if not isinstance(proven, SignedIn):  # may still be refused; and the counters have a transaction of their own, which comes first
        return arrive(db(), runtime(), proven, _adopting(account), bound_for=bound_for)
    forget_failures(runtime(), buckets)
    return proven


def _adopting(account: str) -> Adopt:
    """Return what makes a user of whom Cognito knows by this address."""
    from authserver.admin.user_import.adopt import adopt

    return lambda newcomer: adopt(db(), runtime(), account, newcomer)


def _explained(stop: SignInStopped, again: str) -> PageError:
    """Choose the page that says what to do."""
    if stop.page == "away":
        return PageError("unavailable", status=503, because=stop.because, retry_after=RETRY_SECONDS, again=again)
    return PageError(f"moving_{stop.page}", status=403, because=stop.because, again=again)


def _signed_in(found: Waiting | None, resume: str, proven: SignedIn) -> Response:
    bound_for = found.request.client.client_id if found else ""
    previous = sessions.find(db(), runtime(), session_token())
    token, _ = complete(db(), runtime(), proven, previous, bound_for=bound_for)
    response = _leave(resume)
    set_session(response, token)
    set_device(response, remember(runtime(), device_token(), proven.user.email))
    return response
