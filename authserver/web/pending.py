"""Pending authorization requests and the browser that they are bound to (OAuth 2.0, RFC 6749 section 10.12)."""

from dataclasses import dataclass

from authserver.crypto.digest import Digest, digest, new_token
from authserver.oauth.authorization.request import AuthorizationRequest, Refused, Untrusted, read_request, stored_pairs
from authserver.specs import authorization_server
from authserver.store.authorization_request import PendingRequest, find_pending, insert_pending
from authserver.store.browser_session import BrowserSession
from authserver.web.context import db, runtime
from authserver.web.cookies import browser_token
from authserver.web.errors import PageError


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored request, and the same read and checked again."""

    pending: PendingRequest
    request: AuthorizationRequest


def find_waiting(token: str) -> PendingRequest:
    """Return the live pending request of this browser. Raises PageError."""
    browser = browser_token()
    if browser is None:
        raise PageError("cookies_off", because="no browser cookie")
    pending = find_pending(db(), digest(token), digest(browser))
    if pending is None or not pending.is_live(runtime().now()):
        raise PageError("expired_request", because="pending request unknown, of another browser, used or expired")
    return pending


def waiting(token: str) -> Waiting:
    """Return the live pending request of this browser with its parameters checked anew. Raises PageError."""
    pending = find_waiting(token)
    try:
        request = read_request(authorization_server(runtime(), db()), stored_pairs(pending.parameters))
    except Untrusted as fault:
        raise PageError(fault.code, because=fault.because) from fault
    except Refused as fault:
        raise PageError("expired_request", because=f"no longer acceptable: {fault.error.error}") from fault
    return Waiting(pending, request)


def store_pending(request: AuthorizationRequest, session: BrowserSession | None, browser: str) -> tuple[str, PendingRequest]:
    """Store a request for this browser; return its token and row."""
    now, token = runtime().now(), new_token(runtime().new_secret)
    pending = PendingRequest(
        digest=digest(token),
        browser=Digest(digest(browser)),
        client_id=request.client.client_id,
        parameters=request.parameters,
        created_at=now,
        expires_at=now + runtime().settings.authorization_request_lifetime,
        begun_with=session.id if session else None,
        session_id=None,
        account_selected_at=None,
        consented_at=None,
        denied_at=None,
        consumed_at=None,
    )
    insert_pending(db(), {name: getattr(pending, name) for name in PendingRequest.__slots__})
    return token, pending
