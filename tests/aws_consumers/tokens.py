"""What the emulations share: a compact JWS read and verified by keys from a cache, and claims that are checked one by one.

A refusal carries one word for what was wrong. Where AWS publishes no rule, the emulations are strict: a token of ours that
they take is taken under any reading.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jwt

from tests.aws_consumers.internet import Internet, Unreachable

Claims = dict[str, Any]
Now = Callable[[], int]

RSA = ("RS256", "RS384", "RS512")
EC = ("ES256", "ES384", "ES512")
PSS = ("PS256", "PS384", "PS512")


class Refused(Exception):
    """A token, or a sign-in, is not taken: `reason` is form, size, algorithm, key, signature, issuer, audience, time, scope, claim …"""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class KeyCache:
    """Keys of issuers, kept for `lifetime` seconds; an unknown one is looked for again only where AWS says so."""

    def __init__(self, internet: Internet, now: Now, lifetime: int, *, looks_again: bool) -> None:
        self._internet, self._now, self._lifetime, self._looks_again = internet, now, lifetime, looks_again
        self._kept: dict[str, tuple[int, dict[str, Any]]] = {}

    def find(self, jwks_uri: str, kid: object) -> dict[str, Any]:
        """Return the JWK of that name. Raises Refused."""
        at, keys = self._kept.get(jwks_uri, (0, {}))
        if self._now() >= at + self._lifetime or (self._looks_again and kid not in keys):
            keys = self._fetch(jwks_uri)
        if not isinstance(kid, str) or kid not in keys:
            raise Refused("key")
        return keys[kid]

    def _fetch(self, jwks_uri: str) -> dict[str, Any]:
        try:
            found = {key["kid"]: key for key in self._internet.document(jwks_uri)["keys"]}
        except (Unreachable, LookupError, TypeError):
            raise Refused("key") from None
        self._kept[jwks_uri] = (self._now(), found)
        return found


def discover(internet: Internet, issuer: str) -> Any:
    """Return the discovery document of an issuer, which must name it to the byte. Raises Refused."""
    try:
        document = internet.document(f"{issuer}/.well-known/openid-configuration")
    except Unreachable:
        raise Refused("discovery") from None
    if document.get("issuer") != issuer:
        raise Refused("discovery")
    return document


def read(token: str) -> tuple[dict[str, Any], Claims]:
    """Return header and claims of a JWT as they stand there; nothing is verified. Raises Refused."""
    try:
        opened = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise Refused("form") from None
    return opened["header"], opened["payload"]


def verified(token: str, algorithms: tuple[str, ...], find: Callable[[object], dict[str, Any]]) -> Claims:
    """Return the claims of a JWT with a good signature. Raises Refused."""
    header, claims = read(token)
    if header.get("alg") not in algorithms:
        raise Refused("algorithm")
    key = find(header.get("kid"))
    if key.get("alg", header["alg"]) != header["alg"] or key.get("use", "sig") != "sig":
        raise Refused("key")
    try:
        jwt.PyJWS().decode(token, jwt.PyJWK(key, header["alg"]), algorithms=[header["alg"]])
    except jwt.InvalidKeyError:
        raise Refused("key") from None
    except jwt.PyJWTError:
        raise Refused("signature") from None
    return claims


def check_times(claims: Mapping[str, Any], now: int, *, grace: int = 0) -> None:
    """Check `exp`, `nbf` and `iat`, which must be integers; `grace` is granted after `exp` alone. Raises Refused."""
    expires, issued, starts = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if type(expires) is not int or type(issued) is not int or type(starts) is not int:
        raise Refused("time")
    if now >= expires + grace or now < issued or now < starts:
        raise Refused("time")


def audiences(claims: Mapping[str, Any], name: str = "aud") -> set[str]:
    """Return what a claim names, whether it is one text or a list."""
    value = claims.get(name)
    return {value} if isinstance(value, str) else {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def scopes(claims: Mapping[str, Any]) -> set[str]:
    """Return the scopes of `scope` or `scp`, text or list."""
    value = claims.get("scope", claims.get("scp", ""))
    return set(value.split() if isinstance(value, str) else value)
