"""Token revocation (RFC 7009): a client takes back its own token; an unknown one is no error."""

from typing import Any, NoReturn

from authserver.crypto.digest import digest
from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.oauth.access_token import OPAQUE_PREFIX, expiry, verify_access_token
from authserver.oauth.endpoint import Endpoint
from authserver.oauth.errors import InvalidGrantError, refuse
from authserver.oauth.refresh_token import is_genuine, parse
from authserver.oauth.request import AsRequest
from authserver.oauth.spec import Spec
from authserver.runtime.settings import Settings
from authserver.store.access_token import revoke_jti, revoke_opaque_token
from authserver.store.audit import Happening, record
from authserver.store.client import Client
from authserver.store.grant import find_grant, revoke_grant


class RevocationEndpoint(Endpoint):
    """Ends an access token, or a whole grant by its refresh token."""

    ENDPOINT_NAME = "revocation"

    def create_endpoint_response(self, request: AsRequest) -> tuple[int, Any, Any]:
        """Authenticate the client, then end the token that it presents."""
        client = self.authenticate_endpoint_client(request)
        token = self.presented(request)
        if not self._refresh_token(client, token):
            self._access_token(client, token)
        return 200, {}, ()

    def _refresh_token(self, client: Client, presented: str) -> bool:
        token = parse(presented)
        grant = find_grant(self.server.db, token.family) if token else None
        if token is None or grant is None or not is_genuine(self.server, token, grant):
            return False
        if grant.client_id != client.client_id:
            _foreign()
        if revoke_grant(self.server.db, grant.id, self.server.now, "revoked by client"):
            self._record(client, grant.shown_id, "refresh token")
        return True

    def _access_token(self, client: Client, presented: str) -> None:
        try:
            claims = verify_access_token(self.server, presented)
        except TokenRefused:
            return
        if claims["client_id"] != client.client_id:
            _foreign()
        if self._end(presented, claims):
            self._record(client, claims["jti"], "access token")

    def _end(self, presented: str, claims: VerifiedClaims) -> bool:
        if presented.startswith(OPAQUE_PREFIX):
            return revoke_opaque_token(self.server.db, digest(presented), self.server.now)
        return revoke_jti(self.server.db, claims["jti"], expiry(claims))

    def _record(self, client: Client, subject: str, kind: str) -> None:
        event = Happening(action="token.revoke", client_id=client.client_id, subject=subject, details={"kind": kind})
        record(self.server.db, self.server.runtime, event)


def _foreign() -> NoReturn:
    refuse(InvalidGrantError("The token was not issued to this client."), because="token of another client")


def metadata(settings: Settings) -> dict[str, Any]:
    """Return what the metadata says of revocation."""
    return {"revocation_endpoint": f"{settings.issuer}/oauth2/revoke"}


SPEC = Spec(
    name="RFC 7009",
    title="OAuth 2.0 Token Revocation",
    url="https://www.rfc-editor.org/rfc/rfc7009",
    endpoints={"revoke": RevocationEndpoint},
    metadata=metadata,
)
