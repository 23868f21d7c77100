"""Signing in to the console: as a client of our own, with code and PKCE (OpenID Connect Core section 3.1, RFC 7636).

The ID token says who it is, in which browser session, and since when. A cookie with a mark of ours keeps that; session,
user and role are looked up at every request, so that ending one takes effect at once.
"""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, request, url_for

from authserver.admin.authority import CONSOLE_CLIENT, of_role
from authserver.admin.errors import Forbidden
from authserver.admin.operation import Operation
from authserver.admin.own import CALLBACK, ensure_own
from authserver.admin.roles import role_of
from authserver.crypto import jose
from authserver.crypto.digest import encode, new_token
from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.crypto.mark import is_marked, mark
from authserver.identity import session as sessions
from authserver.oauth.access_token import verify_own
from authserver.oauth.redirect_uri import has_dot_segment
from authserver.oauth.request import Message
from authserver.specs import authorization_server
from authserver.store.admin_role import has_enabled_owner
from authserver.store.base import read_id
from authserver.store.browser_session import find_session_by_id
from authserver.store.user import find_user
from authserver.web.console import notes
from authserver.web.console.frame import show_anonymous
from authserver.web.context import db, runtime
from authserver.web.cookies import clear_console, clear_session, console_token, session_token, set_console
from authserver.web.flow import see
from authserver.web.operators import FRESH, Operator, let_in, operator, permit

routes = Blueprint("sign_in", __name__)

LIFETIME = timedelta(hours=12)
NOTE = "sign-in"
HOME = "/admin"
LONGEST_WAY = 2000
"""So that the note that keeps the way back fits into a cookie."""


class SignInNeeded(Exception):
    """Nobody is signed in, or too long ago for this."""

    def __init__(self, *, fresh: bool) -> None:
        """Keep which."""
        super().__init__("sign-in needed")
        self.fresh = fresh


def admit(permission: str | None, *, fresh: bool) -> None:
    """Let the administrator in who is signed in here. Raises SignInNeeded, Forbidden."""
    who = identify()
    if who is not None:
        let_in(who)
    if permission is None:
        return
    if who is None:
        raise SignInNeeded(fresh=False)
    if not who.authority.may(permission):
        role = f"your role is {who.role}, which does not permit this" if who.role else "you have no role here"
        raise Forbidden(f"{role}: {permission} is needed")
    if fresh:
        insist_on_fresh_sign_in()


def insist_on_fresh_sign_in() -> None:
    """Let nobody go on who signed in more than five minutes ago. Raises SignInNeeded."""
    who = operator()
    if who is None or not who.is_fresh(runtime().now()):
        raise SignInNeeded(fresh=True)


def identify() -> Operator | None:
    """Return who is signed in to the console in this browser; their role may be none."""
    session_id, _, rest = (console_token() or "").partition(".")
    since, _, presented = rest.partition(".")
    if not is_marked(runtime().keys, presented, "console", session_id, since):
        return None
    now, signed_in_at = runtime().now(), datetime.fromtimestamp(int(since), UTC)
    session = find_session_by_id(db(), read_id(session_id) or b"")
    user = find_user(db(), session.user_id) if session and session.is_live(now) and now - signed_in_at < LIFETIME else None
    if user is None or not user.is_enabled:
        return None
    role = role_of(Operation(db(), runtime()), user.id)
    return Operator(of_role(user.email, role), user.email, role, session_id, signed_in_at)


@routes.get("/admin/sign-in")
@permit(None)
def begin() -> Response:
    """Send the browser to our own authorization endpoint."""
    if not has_enabled_owner(db()):
        return show_anonymous("console/no_owner.html", {}, title="No administrator yet")
    ensure_own(db(), runtime())
    secrets = {name: new_token(runtime().new_secret) for name in ("state", "nonce", "verifier")}
    parameters = {
        "client_id": CONSOLE_CLIENT,
        "response_type": "code",
        "redirect_uri": runtime().settings.issuer + CALLBACK,
        "scope": "openid email",
        "state": secrets["state"],
        "nonce": secrets["nonce"],
        "code_challenge": _challenge(secrets["verifier"]),
        "code_challenge_method": "S256",
    }
    if "fresh" in request.args:
        parameters["max_age"] = str(int(FRESH.total_seconds()) - 10)
    if "other" in request.args:
        parameters["prompt"] = "login"
    response = see(f"{runtime().settings.issuer}/oauth2/authorize?{urlencode(parameters)}")
    notes.leave(response, NOTE, {**secrets, "next": _below_admin(request.args.get("next", ""))})
    return response


@routes.get("/admin/callback")
@permit(None)
def callback() -> Response:
    """Take the answer: redeem the code, check the ID token, and let its person in."""
    kept = notes.take(NOTE)
    if not kept or not hmac.compare_digest(request.args.get("state", "").encode(), str(kept["state"]).encode()):
        return _failed("This sign-in was finished in another tab, or took too long.")
    if request.args.get("iss") != runtime().settings.issuer or "code" not in request.args:
        return _failed("The sign-in was not finished.")
    try:
        claims = _redeem(request.args["code"], kept)
    except TokenRefused:
        return _failed("The sign-in could not be checked.")
    response = see(kept["next"])
    since = str(claims["auth_time"])
    set_console(response, f"{claims['sid']}.{since}.{mark(runtime().keys, 'console', claims['sid'], since)}")
    return response


@routes.post("/admin/sign-out")
@permit(None)
def end() -> Response:
    """Sign out of the console and of this browser's session, which may be another one by now."""
    from authserver.web.forms import PageForm, read_form

    read_form(PageForm, again=HOME)
    who = operator()
    own = find_session_by_id(db(), read_id(who.session_id) or b"") if who else None
    for session in filter(None, (own, sessions.find(db(), runtime(), session_token()))):
        sessions.end(db(), runtime(), session)
    response = show_anonymous("console/signed_out.html", {}, title="Signed out")
    for clear in (clear_console, clear_session):
        clear(response)
    return response


def _redeem(code: str, kept: dict[str, Any]) -> VerifiedClaims:
    """Redeem the code at our own token endpoint, in this process. Raises TokenRefused."""
    server = authorization_server(runtime(), db())
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": CONSOLE_CLIENT,
        "redirect_uri": runtime().settings.issuer + CALLBACK,
        "code_verifier": str(kept["verifier"]),
    }
    answer = server.create_token_response(Message("POST", tuple(form.items()), {}))
    if answer.status != 200:
        raise TokenRefused("the code was refused")
    claims = verify_own(server, jose.peek(answer.body["id_token"]))
    jose.check_times(claims, server.now)
    if claims["aud"] != CONSOLE_CLIENT or not hmac.compare_digest(str(claims.get("nonce", "")), str(kept["nonce"])):
        raise TokenRefused("the ID token is for another sign-in")
    return claims


def _failed(why: str) -> Response:
    return show_anonymous("console/sign_in_failed.html", {"why": why}, title="Not signed in", status=400)


def _challenge(verifier: str) -> str:
    import hashlib

    return encode(hashlib.sha256(verifier.encode()).digest())


def _below_admin(path: str) -> str:
    """Return a path of the console to go to afterwards, whatever was asked for; never another site's."""
    root = url_for("overview.index")
    try:
        parts = urlsplit(path)
    except ValueError:
        return root
    is_plain = path.isprintable() and "\\" not in path and not has_dot_segment(parts.path) and len(json.dumps(path)) <= LONGEST_WAY
    is_ours = not parts.scheme and not parts.netloc and (parts.path + "/").startswith(root + "/")
    return path if is_plain and is_ours else root
