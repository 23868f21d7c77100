"""The key encryption keys, which live outside the database: AUTHSERVER_SECRET_KEY, the current one first."""

import base64
import hashlib

KEY_BYTES = 32


class KeyEncryptionKeys:
    """32-byte keys by their id (8 hex digits of their digest); the first one seals, all of them open."""

    def __init__(self, encoded: tuple[str, ...]) -> None:
        """Take base64 texts of 32 bytes each; a shorter, longer or garbled one is a ValueError that says so."""
        self._by_id = {key_id(key): key for key in map(decode_key, encoded)}

    def current(self) -> tuple[str, bytes]:
        """Return (id, key) of the one that seals; LookupError where none is set."""
        for item in self._by_id.items():
            return item
        raise LookupError("no key encryption key is set: set AUTHSERVER_SECRET_KEY")

    def find(self, wanted: str) -> bytes | None:
        """Return the key with that id."""
        return self._by_id.get(wanted)


def key_id(key: bytes) -> str:
    """Name a key without telling anything about it."""
    return hashlib.sha256(b"authserver key id\0" + key).hexdigest()[:8]


def decode_key(encoded: str) -> bytes:
    """Decode base64 (either alphabet, padding optional, `dev_` in front ignored); ValueError unless 32 bytes."""
    text = encoded.removeprefix("dev_").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("each secret key must be 32 bytes in base64; make one with: openssl rand -base64 32")
    return key


def encode_dev_key(key: bytes) -> str:
    """Encode a key so that `authserver serve` can tell that it was made by `authserver dev`."""
    return "dev_" + base64.urlsafe_b64encode(key).decode().rstrip("=")
