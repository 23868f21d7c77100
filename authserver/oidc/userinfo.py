"""The userinfo endpoint (OpenID Connect Core section 5.3): claims of granted scopes, as JSON or signed.

The access token comes in the Authorization header or, by POST, in the form body (RFC 6750 section 2).
"""

from typing import Any

from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused
from authserver.oauth.errors import OAuth2Error, because, refuse
from authserver.oauth.request import Message, Payload
from authserver.oauth.server import NO_STORE, Answer, Server
from authserver.oauth.spec import Spec
from authserver.oauth.standing import LiveToken, live_token
from authserver.oidc.claims import released
from authserver.runtime.settings import Settings
from authserver.store.audit import Happening, log_happening


class BearerError(OAuth2Error):
    """A refusal at a protected resource, with its challenge (RFC 6750 section 3)."""

    def get_headers(self) -> list[tuple[str, str]]:
        """Name the scheme, and the error where a token was presented."""
        details = f' error="{self.error}", error_description="{self.description}"' if self.error else ""
        return [("WWW-Authenticate", f"Bearer{details}")]


class NoToken(BearerError):
    """No token was presented: no error code (section 3.1)."""

    error = ""
    description = "An access token is needed."
    status_code = 401


class InvalidToken(BearerError):
    """The token is not good."""

    error = "invalid_token"
    description = "The access token is expired, revoked, malformed, or not for this endpoint."
    status_code = 401


class InsufficientScope(BearerError):
    """The token lacks `openid`."""

    error = "insufficient_scope"
    description = "The access token needs the scope openid."
    status_code = 403


class InvalidBearerRequest(BearerError):
    """The request presents no token properly."""

    error = "invalid_request"
    description = "The access token must come once, in the Authorization header or in a form body."
    status_code = 400


def answer_userinfo(server: Server, message: Message) -> Answer:
    """Answer a userinfo request."""
    try:
        token = _live(server, _presented(message))
        return _respond(server, token)
    except BearerError as error:
        log_happening(Happening(action="userinfo.refuse", outcome="refused", because=because(error)))
        body = {"error": error.error, "error_description": error.description} if error.error else {}
        return Answer(error.status_code, body, (*NO_STORE, *error.get_headers()))


def _presented(message: Message) -> str:
    found = []
    header = message.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            refuse(NoToken(), because="Authorization is not Bearer")
        found.append(token.strip())
    posted = message.form if message.method == "POST" else None
    found += Payload(posted or ()).datalist.get("access_token", [])
    if len(found) > 1:
        refuse(InvalidBearerRequest(), because="more than one token")
    if not found:
        refuse(NoToken(), because="no token")
    return found[0]


def _live(server: Server, presented: str) -> LiveToken:
    try:
        token = live_token(server, presented)
    except TokenRefused as refused:
        refuse(InvalidToken(), because=str(refused))
    if server.issuer not in token.audience:
        refuse(InvalidToken(), because="token is not for this endpoint")
    if "openid" not in token.scope:
        refuse(InsufficientScope(), because="token without openid")
    return token


def _respond(server: Server, token: LiveToken) -> Answer:
    claims = released(token.user, token.scope, token.grant.claims.get("userinfo", {}))
    alg = token.client.metadata.get("userinfo_signed_response_alg")
    if not alg:
        return Answer(200, claims, NO_STORE)
    return Answer(200, _signed(server, token, alg, claims), NO_STORE, "application/jwt")


def _signed(server: Server, token: LiveToken, alg: str, claims: dict[str, Any]) -> str:
    key = server.signing_key(alg)
    assert not isinstance(key.secret, bytes)
    addressed = {**claims, "iss": server.issuer, "aud": token.client.client_id}
    return jose.sign(key.secret, {"typ": "JWT", **key.header}, addressed)


def metadata(settings: Settings) -> dict[str, Any]:
    """Return what the discovery document says of userinfo."""
    return {
        "userinfo_endpoint": f"{settings.issuer}/oidc/userinfo",
        "userinfo_signing_alg_values_supported": list(jose.ALGORITHMS),
    }


SPEC = Spec(
    name="OpenID Connect UserInfo",
    title="OpenID Connect Core 1.0, section 5.3: UserInfo; RFC 6750: Bearer Token Usage",
    url="https://openid.net/specs/openid-connect-core-1_0.html#UserInfo",
    metadata=metadata,
    required=True,
)
