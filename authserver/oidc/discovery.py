"""OpenID Connect Discovery (1.0 section 3): the same document as RFC 8414's, at its own address."""

from authserver.oauth.scope import OPENID_SCOPES
from authserver.oauth.spec import Spec

SPEC = Spec(
    name="OpenID Connect Discovery",
    title="OpenID Connect Discovery 1.0",
    url="https://openid.net/specs/openid-connect-discovery-1_0.html",
    metadata=lambda _settings: {"scopes_supported": list(OPENID_SCOPES)},
    required=True,
)
