"""One public key of a JWK Set and the signatures that it verifies (RFC 7517 section 4, RFC 7518 section 3, RFC 9864)."""

import binascii
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})
RSA_BITS = range(2048, 8193)

_sha256 = hashes.SHA256()
_pkcs1 = padding.PKCS1v15()
_pss = padding.PSS(padding.MGF1(_sha256), 32)
_to_standard = bytes.maketrans(b"-_", b"+/")

Verify = Callable[[bytes, bytes], object]


class PublicKey(NamedTuple):
    """A key and, for each algorithm that may use it, what verifies a signature over a message."""

    kid: str
    algorithms: Mapping[str, Verify]

    def is_signed(self, alg: str, signature: bytes, message: bytes) -> bool:
        """Tell whether this key made the signature with that algorithm."""
        verify = self.algorithms.get(alg)
        if verify is None:
            return False
        try:
            verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def decode(text: str) -> bytes:
    """Decode base64url without padding, of an alphabet that was checked. Raises ValueError."""
    return binascii.a2b_base64(text.encode("ascii").translate(_to_standard) + b"=" * (-len(text) % 4))


def read_key(jwk: object) -> PublicKey | None:
    """Return the key of a JWK; None where it is not one that we verify with."""
    if not isinstance(jwk, dict) or not _is_for_signatures(jwk):
        return None
    read = READERS.get(jwk.get("kty", ""))
    try:
        algorithms = read(jwk) if read else {}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    named = jwk.get("alg")
    if named is not None:
        same = ("EdDSA", "Ed25519") if named in ("EdDSA", "Ed25519") else (named,)
        algorithms = {alg: verify for alg, verify in algorithms.items() if alg in same}
    return PublicKey(jwk["kid"], algorithms) if algorithms else None


def _is_for_signatures(jwk: dict[str, Any]) -> bool:
    kid, kind, uses = jwk.get("kid"), jwk.get("kty"), jwk.get("key_ops")
    if not isinstance(kid, str) or not kid or not isinstance(kind, str) or "d" in jwk:
        return False
    return jwk.get("use", "sig") == "sig" and (uses is None or (isinstance(uses, list) and "verify" in uses))


def _rsa(jwk: dict[str, Any]) -> dict[str, Verify]:
    modulus, exponent = (int.from_bytes(decode(jwk[name]), "big") for name in ("n", "e"))
    if modulus.bit_length() not in RSA_BITS:
        return {}
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return {
        "RS256": lambda signature, message: key.verify(signature, message, _pkcs1, _sha256),
        "PS256": lambda signature, message: key.verify(signature, message, _pss, _sha256),
    }


def _ec(jwk: dict[str, Any]) -> dict[str, Verify]:
    if jwk["crv"] != "P-256":
        return {}
    x, y = (int.from_bytes(decode(jwk[name]), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    scheme = ec.ECDSA(_sha256)  # made here, since the first one imports cryptography's backend, which takes 4 ms
    return {"ES256": lambda signature, message: key.verify(_der(signature), message, scheme)}


def _der(signature: bytes) -> bytes:
    if len(signature) != 64:
        raise ValueError("an ES256 signature has 64 bytes")
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def _okp(jwk: dict[str, Any]) -> dict[str, Verify]:
    if jwk["crv"] != "Ed25519":
        return {}
    key = ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    return {"Ed25519": key.verify, "EdDSA": key.verify}


READERS: Mapping[str, Callable[[dict[str, Any]], dict[str, Verify]]] = {"RSA": _rsa, "EC": _ec, "OKP": _okp}
