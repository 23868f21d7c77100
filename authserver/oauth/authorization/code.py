"""The end of an authorization request (RFC 6749 section 4.1.2): a code of 256 random bits, bound to everything it was given for."""

from authserver.crypto.digest import digest, new_token
from authserver.oauth.authorization.request import AuthorizationRequest
from authserver.oauth.server import Server
from authserver.store.authorization_code import insert_code
from authserver.store.base import new_id
from authserver.store.browser_session import BrowserSession


def issue_code(server: Server, request: AuthorizationRequest, session: BrowserSession) -> str:
    """Store a code and return it."""
    code = new_token(server.runtime.new_secret)
    insert_code(
        server.db,
        {
            "digest": digest(code),
            "grant_id": new_id(server.runtime.new_secret(16)),
            "client_id": request.client.client_id,
            "user_id": session.user_id,
            "session_id": session.id,
            "redirect_uri": request.named_redirect_uri,
            "code_challenge": request.code_challenge,
            "nonce": request.nonce,
            "scope": request.scope,
            "resources": request.resources,
            "claims": request.claims,
            "authenticated_at": session.authenticated_at,
            "acr": session.acr,
            "amr": session.amr,
            "expires_at": server.now + server.settings.authorization_code_lifetime,
        },
    )
    return code
