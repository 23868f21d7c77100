"""Random tokens, and the SHA-256 digest that alone is stored of them (RFC 6819 section 5.1.4.1.3)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import NewType

Digest = NewType("Digest", bytes)

TOKEN_BYTES = 32


def digest(token: str) -> Digest:
    """Digest a token for storage and look-up."""
    return Digest(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)


def encode(data: bytes) -> str:
    """Encode base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url without padding. ValueError for anything that `encode` does not write."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except UnicodeEncodeError as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not base64url")
    return data


def new_token(new_secret: Callable[[int], bytes]) -> str:
    """Make a token of 256 random bits, 43 characters."""
    return encode(new_secret(TOKEN_BYTES))
