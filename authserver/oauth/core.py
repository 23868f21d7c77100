"""The specifications that the grants, the client authentication and the two first endpoints come from (RFC 6749)."""

from typing import Any

from authserver.oauth.authorization.response_mode import LOCATIONS
from authserver.oauth.client_auth.assertion import PRIVATE_KEY_JWT
from authserver.oauth.client_auth.none import NONE
from authserver.oauth.client_auth.secret import CLIENT_SECRET_BASIC, CLIENT_SECRET_POST
from authserver.oauth.grants.authorization_code import AuthorizationCodeGrant
from authserver.oauth.grants.client_credentials import ClientCredentialsGrant
from authserver.oauth.grants.refresh_token import RefreshTokenGrant
from authserver.oauth.spec import Spec
from authserver.runtime.settings import Settings


def metadata(settings: Settings) -> dict[str, Any]:
    """Return the two endpoints of RFC 6749 section 3."""
    base = f"{settings.issuer}/oauth2"
    return {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}


FRAMEWORK = Spec(
    name="RFC 6749",
    title="The OAuth 2.0 Authorization Framework",
    url="https://www.rfc-editor.org/rfc/rfc6749",
    grants=(AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant),
    client_auth=(CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, NONE),
    response_modes={"query": LOCATIONS["query"]},
    metadata=metadata,
    required=True,
)

ASSERTIONS = Spec(
    name="RFC 7523",
    title="JSON Web Token Profile for OAuth 2.0 Client Authentication",
    url="https://www.rfc-editor.org/rfc/rfc7523",
    client_auth=(PRIVATE_KEY_JWT,),
)
