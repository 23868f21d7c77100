"""Signs whatever a test wants to have signed, right or wrong, with keys of its own."""

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.factories import make_key

ISSUER = "https://login.example.com"
API = "https://api.example.com"
NOW = 1_790_000_000
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_json(value: object) -> str:
    return encode(value if isinstance(value, bytes) else json.dumps(value).encode())


@cache
def key_of(alg: str, kid: str = "") -> Any:
    return make_key("Ed25519" if alg == "EdDSA" else alg, kid or f"key-{alg}")


def jwk(of: str, kid: str = "", /, **changes: Any) -> dict[str, Any]:
    """The public JWK of a key, with changed members; one of None is left out."""
    members = {**key_of(of, kid).as_dict(private=False), "alg": of, **changes}
    return {name: value for name, value in members.items() if value is not None}


def jwks(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": list(keys or map(jwk, ALGORITHMS))})


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good access token; one of None is left out."""
    good = {
        "iss": ISSUER,
        "aud": API,
        "sub": "248289761001",
        "client_id": "app-1",
        "jti": "a-jti",
        "iat": NOW,
        "exp": NOW + 600,
        "scope": "read write",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def header(alg: str = "RS256", **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {"alg": alg, "typ": "at+jwt", "kid": f"key-{alg}", **changes}.items() if value is not None}


def sign(heading: Any, payload: Any, alg: str = "RS256", kid: str = "") -> str:
    """Sign with the key of `alg`, whatever the header says."""
    message = f"{encode_json(heading)}.{encode_json(payload)}"
    return f"{message}.{encode(signature(alg, message.encode(), kid))}"


def signature(alg: str, message: bytes, kid: str = "") -> bytes:
    private: Any = key_of(alg, kid).private_key
    match alg:
        case "RS256":
            return bytes(private.sign(message, padding.PKCS1v15(), hashes.SHA256()))
        case "PS256":
            return bytes(private.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))
        case "ES256":
            r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return bytes(private.sign(message))


def token(alg: str = "RS256", **changes: Any) -> str:
    """A good access token, with changed claims."""
    return sign(header(alg), claims(**changes), alg)
