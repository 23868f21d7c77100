# pip install "pyjwt[crypto]"
import jwt

ISSUER = {{js issuer}}
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


def verify(token: str, scope: str) -> dict:
    """Return the claims of an access token for this API. Raises jwt.InvalidTokenError or PermissionError."""
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise PermissionError("not an access token")
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms={{js algs}}, issuer=ISSUER, audience={{js identifier}})
    if scope not in claims.get("scope", "").split():
        raise PermissionError(f"the token lacks the scope {scope}")
    return claims
