"""Signing out: asked for by a client (OpenID Connect RP-Initiated Logout 1.0 sections 2 and 3), or on the index page.

A hint that names the person who is signed in here signs them out at once; anything else asks first.
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from authserver.identity import session as sessions
from authserver.oidc import rp_initiated_logout
from authserver.oidc.rp_initiated_logout import LogoutRequest, read_logout_request
from authserver.specs import authorization_server, registry
from authserver.store.audit import Happening, record
from authserver.store.base import show_id
from authserver.store.browser_session import BrowserSession
from authserver.store.user import find_user
from authserver.web.context import db, runtime
from authserver.web.cookies import clear_session, session_token
from authserver.web.errors import PageError
from authserver.web.flow import see
from authserver.web.language import prefer
from authserver.web.pages import page

routes = Blueprint("logout", __name__)

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@routes.route("/oidc/logout", methods=["GET", "POST"])
def end_session() -> Response:
    """Answer a client's request. A POST comes again by GET, because another site's brings no Lax cookies."""
    if rp_initiated_logout.SPEC not in registry(runtime()).specs:
        raise PageError("not_found", status=404, because="RP-initiated logout is turned off")
    if request.method == "POST":
        return see(f"{url_for('logout.end_session')}?{urlencode(_parameters())}")
    asked = _asked()
    session = sessions.find(db(), runtime(), session_token())
    if session is not None and asked.subject != show_id(session.user_id):
        return _confirm(session)
    return _sign_out(session, asked)


@routes.get("/logout")
def logout() -> Response:
    """Ask whether to sign out."""
    session = sessions.find(db(), runtime(), session_token())
    return _confirm(session) if session else _done(_asked())


@routes.post("/logout")
def confirm() -> Response:
    """Sign the person out."""
    from authserver.web.forms import PageForm, read_form

    read_form(PageForm, again=url_for("logout.logout"))
    return _sign_out(sessions.find(db(), runtime(), session_token()), _asked())


def _parameters() -> dict[str, str]:
    return {name: request.values[name] for name in PARAMETERS if request.values.get(name)}


def _asked() -> LogoutRequest:
    prefer(request.values.get("ui_locales", "").split())
    return read_logout_request(authorization_server(runtime(), db()), _parameters())


def _confirm(session: BrowserSession) -> Response:
    from authserver.web.forms import PageForm

    asked, user = _asked(), find_user(db(), session.user_id)
    client_name = asked.client.client_name if asked.client else ""
    values = {"mark": PageForm().mark, "email": user.email if user else "", "client_name": client_name, "parameters": _parameters()}
    return page("logout/confirm.html", values, leads_back=True)


def _sign_out(session: BrowserSession | None, asked: LogoutRequest) -> Response:
    if session is not None:
        sessions.end(db(), runtime(), session)
        subject, client_id = show_id(session.user_id), asked.client.client_id if asked.client else ""
        record(db(), runtime(), Happening(action="sign_out", actor=subject, subject=subject, client_id=client_id))
    response = see(asked.return_to) if asked.return_to else _done(asked)
    clear_session(response)
    return response


def _done(asked: LogoutRequest) -> Response:
    client = asked.client
    home = str(client.metadata.get("client_uri", "")) if client else ""
    return page("logout/done.html", {"client_name": client.client_name if client else "", "home": home})
