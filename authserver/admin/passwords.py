"""Passwords that an operator sets: at least 15 characters, no rules of composition (NIST SP 800-63B-4 section 3.1.1.2)."""

import base64

from authserver.admin.errors import Invalid
from authserver.crypto.password_hash import MOST_BYTES
from authserver.identity.password import password_hash
from authserver.runtime import Runtime

LEAST_CHARACTERS = 15
RANDOM_BYTES = 15


def check_password(password: str) -> str:
    """Return a password that may be set. Raises Invalid."""
    if len(password) < LEAST_CHARACTERS:
        raise Invalid("password", f"must have at least {LEAST_CHARACTERS} characters; several words are easy to remember")
    if len(password.encode("utf-8", "replace")) > MOST_BYTES:
        raise Invalid("password", f"must have at most {MOST_BYTES} bytes")
    return password


def new_password(runtime: Runtime) -> str:
    """Make a password of 120 random bits that is easy to copy by hand."""
    text = base64.b32encode(runtime.new_secret(RANDOM_BYTES)).decode().lower()
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def hash_password(runtime: Runtime, password: str) -> str:
    """Hash a checked password; call it before the first write, since it takes time. Raises HashingBusy."""
    return password_hash(runtime).hash(password)
