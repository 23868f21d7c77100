"""Marks on what a browser carries back to us: HMAC-SHA256 under a key derived for one purpose (RFC 2104, RFC 5869 section 3.2).

A mark is `key id . MAC`, so that marks made before AUTHSERVER_SECRET_KEY was changed still hold while the old key is listed.
"""

import hmac

from authserver.crypto.digest import encode, same
from authserver.runtime.keys import KeyEncryptionKeys


def mark(keys: KeyEncryptionKeys, purpose: str, *parts: str) -> str:
    """Mark some texts under the current key."""
    identifier, key = keys.current()
    return f"{identifier}.{_mac(key, purpose, parts)}"


def is_marked(keys: KeyEncryptionKeys, presented: str, purpose: str, *parts: str) -> bool:
    """Tell whether `presented` is a mark of ours on these texts."""
    identifier, _, mac = presented.partition(".")
    key = keys.find(identifier)
    return key is not None and same(_mac(key, purpose, parts).encode(), mac.encode())


def _mac(key: bytes, purpose: str, parts: tuple[str, ...]) -> str:
    derived = hmac.digest(key, b"authserver mark\0" + purpose.encode(), "sha256")
    texts = [part.encode("utf-8", "surrogatepass") for part in parts]
    return encode(hmac.digest(derived, b"".join(len(text).to_bytes(4) + text for text in texts), "sha256"))
