"""ID tokens (OpenID Connect Core sections 2, 3.1.3.6 and 12.2): who signed in, when and how; for the client alone."""

from collections.abc import Mapping
from typing import Any

from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.oauth.access_token import DEFAULT_ALG, verify_own
from authserver.oauth.issuance import Authorization
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.oidc.claims import released
from authserver.runtime.settings import Settings
from authserver.store.base import show_id

TYPE = "JWT"


def id_token(server: Server, authorization: Authorization, access_token: str) -> Mapping[str, str]:
    """Return the `id_token` member of a token response where `openid` was granted to a user's client."""
    grant, user, client = authorization.grant, authorization.user, authorization.client
    if grant is None or user is None or "openid" not in authorization.scope:
        return {}
    alg = client.metadata.get("id_token_signed_response_alg", DEFAULT_ALG)
    issued = int(server.now.timestamp())
    claims = released(user, (), grant.claims.get("id_token", {})) | {
        "iss": server.issuer,
        "aud": client.client_id,
        "azp": client.client_id,
        "exp": issued + int(server.settings.id_token_lifetime.total_seconds()),
        "iat": issued,
        "auth_time": int(grant.authenticated_at.timestamp()),
        "acr": grant.acr,
        "amr": grant.amr,
        "sid": show_id(grant.session_id),
        "at_hash": jose.half_hash(alg, access_token),
    }
    if authorization.nonce is not None:
        claims["nonce"] = authorization.nonce
    key = server.signing_key(alg)
    assert not isinstance(key.secret, bytes)
    return {"id_token": jose.sign(key.secret, {"typ": TYPE, **key.header}, claims)}


def read_hint(server: Server, token: str) -> VerifiedClaims:
    """Return the claims of an ID token of ours, expired ones included (section 3.1.2.1). Raises TokenRefused."""
    presented = jose.peek(token)
    if presented.header.get("typ") != TYPE:
        raise TokenRefused("not an ID token")
    claims = verify_own(server, presented)
    if not isinstance(claims.get("sub"), str) or not isinstance(claims.get("aud"), str) or "sid" not in claims:
        raise TokenRefused("not an ID token")
    return claims


def metadata(_settings: Settings) -> dict[str, Any]:
    """Return what the discovery document says of ID tokens."""
    return {"id_token_signing_alg_values_supported": list(jose.ALGORITHMS), "subject_types_supported": ["public"]}


SPEC = Spec(
    name="OpenID Connect ID Token",
    title="OpenID Connect Core 1.0, section 2: ID Token",
    url="https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    token_extras=(id_token,),
    metadata=metadata,
    required=True,
)
