"""The authorization endpoint (RFC 6749 section 3.1): read → next_step → a page, or the answer to the client.

It is the only dispatcher: pages know nothing but the way back here.
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, url_for

from authserver.crypto.digest import new_token
from authserver.identity import session as sessions
from authserver.oauth.authorization.code import issue_code
from authserver.oauth.authorization.interaction import Decision, Fail, Finish, Situation, Step, is_remembered, next_step
from authserver.oauth.authorization.request import AuthorizationRequest, Refused, ReplyTo, Untrusted, read_request
from authserver.oauth.authorization.response_mode import LOCATIONS, in_query
from authserver.oauth.errors import OAuth2Error, because
from authserver.oauth.request import Message
from authserver.oauth.server import Answer, Server
from authserver.specs import authorization_server
from authserver.store.audit import Happening, log_happening
from authserver.store.authorization_request import PendingRequest, authorization_requests
from authserver.store.base import consume
from authserver.store.browser_session import BrowserSession
from authserver.store.consent import find_consent
from authserver.store.refusal import note_refusal
from authserver.web.context import db, runtime
from authserver.web.cookies import browser_token, session_token, session_token_in, set_browser
from authserver.web.errors import PageError
from authserver.web.headers import REDIRECT_HEADERS
from authserver.web.pages import form_post_page
from authserver.web.pending import store_pending, waiting

EXPECTED = frozenset({"login_required", "consent_required", "interaction_required", "account_selection_required"})
"""The errors by which prompt=none asks: nothing is wrong."""
PAGES = {"login": "login.login", "account": "login.account", "consent": "consent.consent"}

routes = Blueprint("authorize", __name__)


@routes.route("/oauth2/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Answer an authorization request, new or resumed."""
    server = authorization_server(runtime(), db())
    if request.method == "GET" and "resume" in request.args:
        return _resume(server, request.args["resume"])
    if request.method == "POST" and session_token() is None:
        return _again_by_get()
    source = request.form if request.method == "POST" else request.args
    try:
        return _begin(server, read_request(server, source.items(multi=True)))
    except Untrusted as fault:
        _note(server, source.get("client_id", ""), fault.code, fault.because, known=fault.code == "bad_redirect_uri")
        raise PageError(fault.code, because=fault.because) from fault
    except Refused as fault:
        return _refuse(server, fault.reply, fault.error, because(fault.error))


def answer_at_once(server: Server, message: Message) -> Answer | None:
    """Answer the request of somebody who is signed in, where no page is due; None where there is more to it."""
    session = sessions.find(server.db, server.runtime, session_token_in(server.settings, message.headers.get("Cookie")))
    if session is None:
        return None
    try:
        asked = read_request(server, message.form or ())
    except (Untrusted, Refused):
        return None
    if asked.reply.response_mode != "query" or not isinstance(_decide(server, asked, None, session), Finish):
        return None
    location = in_query(asked.redirect_uri, _members(server, asked.reply, {"code": issue_code(server, asked, session)}))
    return Answer(303, b"", (("Location", location), *REDIRECT_HEADERS), "text/html; charset=utf-8")


def _again_by_get() -> Response:
    """A cross-site POST brings no Lax cookies: come again by GET, which does."""
    return redirect(f"{url_for('authorize.authorize')}?{urlencode(list(request.form.items(multi=True)))}", 303)  # type: ignore[return-value]


def _begin(server: Server, asked: AuthorizationRequest) -> Response:
    """A request that needs no page is never stored."""
    session = sessions.find(db(), runtime(), session_token())
    decision = _decide(server, asked, None, session)
    if not isinstance(decision, Step):
        return _end(server, asked, session, decision)
    browser = browser_token() or new_token(runtime().new_secret)
    token, _ = store_pending(asked, session, browser)
    answer = _show(decision, token)
    set_browser(answer, browser)
    return answer


def _resume(server: Server, token: str) -> Response:
    found = waiting(token)
    session = sessions.find(db(), runtime(), session_token())
    decision = _decide(server, found.request, found.pending, session)
    if isinstance(decision, Step):
        return _show(decision, token)
    if not consume(db(), authorization_requests, authorization_requests.c.digest, found.pending.digest, server.now):
        raise PageError("expired_request", because="finished by another tab")
    return _end(server, found.request, session, decision)


def _decide(server: Server, asked: AuthorizationRequest, pending: PendingRequest | None, session: BrowserSession | None) -> Decision:
    consent = find_consent(server.db, session.user_id, asked.client.client_id) if session and is_remembered(asked.client) else None
    situation = Situation(request=asked, pending=pending, session=session, consent=consent, now=server.now)
    return next_step(situation, server.registry.steps)


def _show(step: Step, token: str) -> Response:
    return redirect(url_for(PAGES[step.page], resume=token), 303)  # type: ignore[return-value]


def _end(server: Server, asked: AuthorizationRequest, session: BrowserSession | None, decision: Decision) -> Response:
    match decision:
        case Fail():
            return _refuse(server, asked.reply, decision.error(), decision.because)
        case Finish() if session is not None:
            return _reply(server, asked.reply, {"code": issue_code(server, asked, session)})
    raise AssertionError("a request ends signed in, or refused")


def _refuse(server: Server, reply: ReplyTo, error: OAuth2Error, reason: str) -> Response:
    details = {"error": error.error}
    log_happening(Happening(action="authorize.refuse", outcome="refused", client_id=reply.client_id, because=reason, details=details))
    if error.error not in EXPECTED:
        _note(server, reply.client_id, error.error, reason, known=True)
    description = error.get_error_description()
    return _reply(server, reply, {"error": error.error, **({"error_description": description} if description else {})})


def _note(server: Server, client_id: str, error: str, reason: str, *, known: bool) -> None:
    """Keep a refused request for who has to find out why. `known`: the client was looked up, and is not an invented name."""
    asked = (request.form if request.method == "POST" else request.args).items(multi=True)
    note_refusal(server.runtime, endpoint="authorize", error=error, because=reason, client_id=client_id, known=known, asked=asked)


def _reply(server: Server, reply: ReplyTo, parameters: dict[str, str]) -> Response:
    """Send the answer to the client."""
    members = _members(server, reply, parameters)
    location = LOCATIONS[reply.response_mode](reply.redirect_uri, members)
    if location is None:
        return form_post_page(reply.redirect_uri, members)
    response = Response(status=303)
    response.autocorrect_location_header = False
    response.headers["Location"] = location
    return response


def _members(server: Server, reply: ReplyTo, parameters: dict[str, str]) -> dict[str, str]:
    """Complete the parameters of an answer with `state` and `iss` (RFC 9207)."""
    state = {"state": reply.state} if reply.state is not None else {}
    return {**parameters, **state, "iss": server.issuer}
