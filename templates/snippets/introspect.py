# pip install requests
import os

import requests

CREDENTIALS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])  # of a client that may introspect for this API


def verify(token: str, scope: str) -> dict:
    """Return what the server says of an access token for this API. Raises PermissionError."""
    answer = requests.post({{js introspection_endpoint}}, data={"token": token}, auth=CREDENTIALS, timeout=5)
    answer.raise_for_status()
    claims = answer.json()
    audience = claims.get("aud", [])
    if not claims["active"] or {{js identifier}} not in ([audience] if isinstance(audience, str) else audience):
        raise PermissionError("not a live token for this API")
    if scope not in claims.get("scope", "").split():
        raise PermissionError(f"the token lacks the scope {scope}")
    return claims
