"""What API Gateway's own JWT authorizers check, as far as AWS documents it: of HTTP APIs, and since 2026 of REST APIs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

RSA = ("RS256", "RS384", "RS512")
EC = ("ES256", "ES384", "ES512")


@dataclass(frozen=True)
class JwtAuthorizer:
    """An authorizer as configured; `fetch` gets JSON from a URL."""

    issuer: str
    audience: tuple[str, ...]
    algorithms: tuple[str, ...]
    falls_back_to_client_id: bool
    fetch: Callable[[str], Any]

    def authorize(self, identity: str, scopes: tuple[str, ...] = ()) -> int | dict[str, str]:
        """Return the claims that the route's integration gets, as texts; or 401, or 403."""
        try:
            claims = self._verified(identity.removeprefix("Bearer ").strip())
        except (jwt.PyJWTError, LookupError):
            return 401
        granted = str(claims.get("scope", claims.get("scp", ""))).split()
        if scopes and not set(scopes) & set(granted):
            return 403
        return {name: str(value) for name, value in claims.items()}

    def _verified(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        if header["alg"] not in self.algorithms:
            raise jwt.InvalidAlgorithmError
        required = {"require": ["exp", "iat", "iss"], "verify_aud": False}
        claims = jwt.decode(token, self._key(header["kid"]), algorithms=[header["alg"]], issuer=self.issuer, options=required)
        named = claims.get("aud", claims.get("client_id") if self.falls_back_to_client_id else None)
        if not set([named] if isinstance(named, str) else named or ()) & set(self.audience):
            raise jwt.InvalidAudienceError
        if not all(isinstance(claims[name], int) for name in ("exp", "iat")):
            raise jwt.DecodeError
        return claims

    def _key(self, kid: str) -> jwt.PyJWK:
        discovery = self.fetch(f"{self.issuer}/.well-known/openid-configuration")
        if discovery["issuer"] != self.issuer:
            raise LookupError("discovery names another issuer")
        keys = {key["kid"]: key for key in self.fetch(discovery["jwks_uri"])["keys"]}
        return jwt.PyJWK(keys[kid])


def http_api(issuer: str, audience: str, fetch: Callable[[str], Any]) -> JwtAuthorizer:
    """The authorizer of an HTTP API: RSA alone; without `aud`, the client id is taken for it."""
    return JwtAuthorizer(issuer, (audience,), RSA, True, fetch)


def rest_api(issuer: str, audience: str, fetch: Callable[[str], Any]) -> JwtAuthorizer:
    """The JWT authorizer of a REST API: EC too, and `aud` must match."""
    return JwtAuthorizer(issuer, (audience,), RSA + EC, False, fetch)
