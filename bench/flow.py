"""The parameters of the code flow, the same for every contestant (RFC 6749 section 4.1, RFC 7636, OpenID Connect Core section 3.1)."""

import base64
import hashlib
from urllib.parse import urlencode

from bench.contestant import APP, REDIRECT_URI

NONCE, STATE = "n-0S6_WzA2Mj-0S6_WzA2Mj", "af0ifjsldkj-af0ifjsldkj"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "openid profile email read"


def authorization_query(resource: str | None, **more: str) -> str:
    """Write the query of an authorization request."""
    parameters = {
        "client_id": APP,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE if resource else SCOPE.removesuffix(" read"),
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }
    return urlencode(parameters | ({"resource": resource} if resource else {}))


def redemption(code: str) -> dict[str, str]:
    """Return the parameters that redeem a code."""
    return {
        "grant_type": "authorization_code",
        "client_id": APP,
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
