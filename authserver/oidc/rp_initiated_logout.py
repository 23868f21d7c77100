"""Sign-out asked for by a client (OpenID Connect RP-Initiated Logout 1.0 section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.oidc.id_token import read_hint
from authserver.runtime.settings import Settings
from authserver.store.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """What was asked, as far as it can be believed. `return_to` is a registered URI of `client`, with its state."""

    client: Client | None
    return_to: str | None
    subject: str | None


def read_logout_request(server: Server, parameters: Mapping[str, str]) -> LogoutRequest:
    """Read a request; whatever is wrong with it only means that less is believed."""
    hint = _hint(server, parameters.get("id_token_hint"))
    client = _client(server, parameters.get("client_id"), hint)
    return LogoutRequest(
        client=client,
        return_to=_return_to(client, parameters),
        subject=hint["sub"] if hint and client else None,
    )


def _hint(server: Server, token: str | None) -> VerifiedClaims | None:
    try:
        return read_hint(server, token) if token else None
    except TokenRefused:
        return None


def _client(server: Server, named: str | None, hint: VerifiedClaims | None) -> Client | None:
    hinted: str | None = hint["aud"] if hint else None
    if named and hinted and named != hinted:
        return None
    client_id = named or hinted
    return server.query_client(client_id) if client_id else None


def _return_to(client: Client | None, parameters: Mapping[str, str]) -> str | None:
    uri = parameters.get("post_logout_redirect_uri")
    if client is None or uri is None or uri not in client.metadata.get("post_logout_redirect_uris", ()):
        return None
    state = parameters.get("state")
    if not state:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"


def metadata(settings: Settings) -> dict[str, Any]:
    """Return what the discovery document says of it."""
    return {"end_session_endpoint": f"{settings.issuer}/oidc/logout"}


SPEC = Spec(
    name="OpenID RP-Initiated Logout",
    title="OpenID Connect RP-Initiated Logout 1.0",
    url="https://openid.net/specs/openid-connect-rpinitiated-1_0.html",
    metadata=metadata,
)
