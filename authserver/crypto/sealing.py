"""Secrets at rest: AES-256-GCM under a key encryption key that lives outside the database (NIST SP 800-38D).

A sealed secret is `key id (8 ASCII bytes) · nonce (12) · ciphertext and tag`, bound to a name as associated data.
"""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authserver.runtime.keys import KeyEncryptionKeys

ID_BYTES = 8
NONCE_BYTES = 12


class SealBroken(Exception):
    """The secret cannot be opened: its key is not in AUTHSERVER_SECRET_KEY, or the bytes were changed."""


def seal(keys: KeyEncryptionKeys, new_secret: Callable[[int], bytes], name: str, secret: bytes) -> bytes:
    """Seal `secret` under the current key, bound to `name`."""
    identifier, key = keys.current()
    nonce = new_secret(NONCE_BYTES)
    return identifier.encode() + nonce + AESGCM(key).encrypt(nonce, secret, name.encode())


def unseal(keys: KeyEncryptionKeys, name: str, sealed: bytes) -> bytes:
    """Open what `seal` made. Raises SealBroken."""
    key = keys.find(sealed[:ID_BYTES].decode("ascii", "replace"))
    if key is None:
        raise SealBroken(f"the key that sealed {name} is not in AUTHSERVER_SECRET_KEY")
    nonce, ciphertext = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, name.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"{name} was changed since it was sealed") from error


def is_current(keys: KeyEncryptionKeys, sealed: bytes) -> bool:
    """Tell whether the current key sealed it."""
    return sealed[:ID_BYTES].decode("ascii", "replace") == keys.current()[0]
