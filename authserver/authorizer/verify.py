"""Access tokens as RFC 9068 section 4 has them verified; ID tokens and sender-constrained tokens are refused."""

import binascii
import re
from typing import Any, NewType, Protocol

from authserver.authorizer.keys import PublicKey, decode
from authserver.authorizer.refusal import Unauthorized
from authserver.authorizer.settings import Settings
from authserver.authorizer.strict_json import read_object

MOST_CHARACTERS = 10 * 1024  # API Gateway takes no more in all headers together
JWT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
TYPES = ("at+jwt", "application/at+jwt")
NAMES = ("sub", "client_id", "jti")

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])


class Keys(Protocol):
    """What finds a key: jwks.KeySet."""

    def find(self, kid: str) -> PublicKey:
        """Return a key by its name. Raises Unauthorized or Undecided."""


def is_jwt(token: str) -> bool:
    """Tell whether a token is to be verified here; any other is opaque."""
    return token.count(".") == 2


def verify(token: str, settings: Settings, keys: Keys, now: int) -> VerifiedClaims:
    """Return the claims of a good access token. Raises Unauthorized, or Undecided where keys are missing."""
    parts = JWT.fullmatch(token) if len(token) <= MOST_CHARACTERS else None
    if parts is None:
        raise Unauthorized("not a compact JWS")
    header, payload, signature = parts.groups()
    try:
        claims = _signed(read_object(decode(header).decode()), payload, decode(signature), f"{header}.{payload}", settings, keys)
    except ValueError:
        raise Unauthorized("not a compact JWS of a JSON object") from None
    if _encode(decode(signature)) != signature:
        raise Unauthorized("the signature is written in another way")
    return check_claims(claims, settings, now)


def _signed(header: dict[str, Any], payload: str, signature: bytes, message: str, settings: Settings, keys: Keys) -> dict[str, Any]:
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(typ, str) or typ.lower() not in TYPES:
        raise Unauthorized("typ is not at+jwt: an ID token, or another JWT")
    if not isinstance(alg, str) or alg not in settings.algorithms:
        raise Unauthorized("alg is not allowed")
    if not isinstance(kid, str) or "crit" in header:
        raise Unauthorized("kid is missing, or an extension is critical")
    if not keys.find(kid).is_signed(alg, signature, message.encode()):
        raise Unauthorized("signature does not verify")
    return read_object(decode(payload).decode())


def check_claims(claims: dict[str, Any], settings: Settings, now: int) -> VerifiedClaims:
    """Return claims that name us, this API and a time that is now. Raises Unauthorized."""
    if claims.get("iss") != settings.issuer:
        raise Unauthorized("another issuer")
    if not _audience(claims.get("aud")) & settings.audience:
        raise Unauthorized("another audience")
    _check_times(claims, now, settings.leeway)
    if not all(isinstance(claims.get(name), str) and claims[name] for name in NAMES):
        raise Unauthorized("sub, client_id or jti is missing")
    if not isinstance(claims.get("scope", ""), str):
        raise Unauthorized("scope is not a text")
    if "cnf" in claims:
        raise Unauthorized("bound to a key, whose proof is not checked here")
    return VerifiedClaims(claims)


def scopes_of(claims: VerifiedClaims) -> frozenset[str]:
    """Return the granted scopes."""
    return frozenset(claims.get("scope", "").split(" ")) - {""}


def _audience(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset((value,))
    return frozenset(name for name in value if isinstance(name, str)) if isinstance(value, list) else frozenset()


def _check_times(claims: dict[str, Any], now: int, leeway: int) -> None:
    expires, issued, starts = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if type(expires) is not int or type(issued) is not int or type(starts) is not int:
        raise Unauthorized("exp or iat is missing, or a time is not an integer")
    if now >= expires + leeway:
        raise Unauthorized("expired")
    if now + leeway < max(starts, issued):
        raise Unauthorized("not valid yet")


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode().rstrip("=").replace("+", "-").replace("/", "_")
