"""JWTs signed and verified with an allow-list of algorithms (RFC 7515, RFC 7519, RFC 8725 section 3, RFC 9864).

One key object with its `kid` signs; a verifier always says which `typ`, issuer and times it takes.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, NewType, TypeGuard

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from authserver.crypto.digest import encode

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
MOST_CHARACTERS = 16 * 1024
KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "Ed25519": "OKP"}
CURVES = {"ES256": "P-256", "Ed25519": "Ed25519"}

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class TokenRefused(Exception):
    """A JWT is not acceptable; the text says why, for the log alone."""


def generate(alg: str) -> bytes:
    """Make a private key for `alg` and return it as PKCS#8 PEM."""
    key: PrivateKey
    match alg:
        case "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        case "Ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
        case _:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load(alg: str, pem: bytes) -> Key:
    """Load a private key that `generate` made; its RSA arithmetic is trusted, which saves 37 ms."""
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    kind: Any = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[KEY_TYPES[alg]]
    loaded: Key = kind.import_key(key)
    return loaded


def public_members(alg: str, kid: str, key: Key) -> dict[str, Any]:
    """Return the public JWK with `kid`, `use` and `alg`."""
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": alg}


def sign(key: Key, header: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    """Sign claims with one key; `header` names alg, kid and typ."""
    return jws.serialize_compact(dict(header), _compact(claims).encode(), key, registry=_registry)


class Unverified(NamedTuple):
    """A JWT taken apart; nothing of it is believed."""

    header: dict[str, Any]
    claims: dict[str, Any]
    compact: jws.CompactSignature


def peek(token: str) -> Unverified:
    """Take a JWT apart. Raises TokenRefused."""
    if len(token) > MOST_CHARACTERS:
        raise TokenRefused("longer than 16 KB")
    try:
        parsed = jws.extract_compact(token.encode("ascii"), registry=_registry)
        claims = json.loads(parsed.payload, object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except (JoseError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise TokenRefused("not a compact JWS of a JSON object") from error
    if not isinstance(claims, dict):
        raise TokenRefused("claims are not an object")
    return Unverified(dict(parsed.headers()), claims, parsed)


def verify(token: str | Unverified, key: Key, alg: str) -> VerifiedClaims:
    """Return the claims of a JWT that `key` signed with `alg`. Raises TokenRefused."""
    header, claims, compact = peek(token) if isinstance(token, str) else token
    if alg not in ALGORITHMS or header.get("alg") != alg or not fits(key, alg):
        raise TokenRefused("signed with another algorithm")
    try:
        is_genuine = jws.validate_compact(compact, key, registry=_registry)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused("signature does not verify") from error
    if not is_genuine:
        raise TokenRefused("signature does not verify")
    return VerifiedClaims(claims)


def fits(key: Key, alg: str) -> bool:
    """Tell whether a key is of the kind that `alg` needs; RSA keys need 2048 bits (RFC 7518 section 3.3)."""
    if key.key_type != KEY_TYPES[alg]:
        return False
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= 2048
    return getattr(key, "curve_name", None) == CURVES[alg]


def check_times(claims: VerifiedClaims, now: datetime, *, leeway: int = 0) -> None:
    """Refuse claims that are expired or not yet valid; `exp` is needed, all are integers. Raises TokenRefused."""
    instant = int(now.timestamp())
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if not is_integer(expires) or not is_integer(starts):
        raise TokenRefused("exp is missing, or exp or nbf is not an integer")
    if instant >= expires + leeway:
        raise TokenRefused("expired")
    if instant + leeway < starts:
        raise TokenRefused("not valid yet")


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether a claim is a NumericDate that we take: an integer, and not true or false."""
    return isinstance(value, int) and not isinstance(value, bool)


def half_hash(alg: str, value: str) -> str:
    """Return the left half of a hash for `at_hash` and `c_hash` (OpenID Connect Core section 3.1.3.6)."""
    full = hashlib.sha512 if alg == "Ed25519" else hashlib.sha256
    hashed = full(value.encode("ascii")).digest()
    return encode(hashed[: len(hashed) // 2])


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
