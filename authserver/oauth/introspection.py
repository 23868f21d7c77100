"""Token introspection (RFC 7662): for an API's own client about its tokens, and for a client about its own.

Any doubt is `active: false`; a database that cannot answer is 503, never that.
"""

from collections.abc import Iterable
from typing import Any

from authserver.crypto.jose import TokenRefused
from authserver.oauth.endpoint import Endpoint
from authserver.oauth.errors import UnauthorizedClientError, refuse
from authserver.oauth.refresh_token import is_genuine, parse
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.oauth.standing import LiveToken, live_token
from authserver.runtime.settings import Settings
from authserver.store.client import Client
from authserver.store.grant import Standing, find_standing

INACTIVE = {"active": False}


class IntrospectionEndpoint(Endpoint):
    """Says whether a token is good, to those whom it concerns."""

    ENDPOINT_NAME = "introspection"

    def create_endpoint_response(self, request: AsRequest) -> tuple[int, Any, Any]:
        """Authenticate the caller, then look at the token."""
        client = self.authenticate_endpoint_client(request)
        if client.is_public:
            refuse(UnauthorizedClientError("A public client cannot introspect."), because="public client")
        token = self.presented(request)
        return 200, self._access_token(client, token) or self._refresh_token(client, token) or INACTIVE, ()

    def _access_token(self, caller: Client, token: str) -> dict[str, Any] | None:
        try:
            live = live_token(self.server, token)
        except TokenRefused:
            return None
        if not concerns(self.server, live, caller):
            return None
        return {**live.claims, "active": True, "token_type": "Bearer", **_username(live.standing, live.scope)}

    def _refresh_token(self, caller: Client, presented: str) -> dict[str, Any] | None:
        token = parse(presented)
        standing = find_standing(self.server.db, token.family, self.server.now) if token else None
        if token is None or standing is None or not is_genuine(self.server, token, standing.grant):
            return None
        grant = standing.grant
        alive = standing.is_good and grant.is_refreshable(self.server.now) and token.generation == grant.generation
        if not alive or grant.client_id != caller.client_id:
            return None
        return {
            "active": True,
            "iss": self.server.issuer,
            "client_id": grant.client_id,
            "scope": " ".join(grant.scope),
            "iat": int(grant.created_at.timestamp()),
            "exp": int(min(grant.idle_at, grant.expires_at).timestamp()),
            "grant_id": grant.shown_id,
            **_username(standing, grant.scope),
        }


def concerns(server: Server, token: LiveToken, caller: Client) -> bool:
    """Tell whether a caller may know of a token: it is its own, or for an API that it speaks for."""
    if token.client.client_id == caller.client_id:
        return True
    apis = (server.query_resource_server(identifier) for identifier in token.audience)
    return any(api is not None and caller.client_id in api.introspected_by for api in apis)


def _username(standing: Standing | None, scope: Iterable[str]) -> dict[str, str]:
    """Name the user; their email address only where it was granted (RFC 7662 section 5)."""
    if standing is None or standing.user is None:
        return {}
    return {"sub": standing.user.subject, **({"username": standing.user.email} if "email" in scope else {})}


def metadata(settings: Settings) -> dict[str, Any]:
    """Return what the metadata says of introspection."""
    return {"introspection_endpoint": f"{settings.issuer}/oauth2/introspect"}


SPEC = Spec(
    name="RFC 7662",
    title="OAuth 2.0 Token Introspection",
    url="https://www.rfc-editor.org/rfc/rfc7662",
    endpoints={"introspect": IntrospectionEndpoint},
    metadata=metadata,
)
