"""The key encryption keys, which live outside the database: AUTHSERVER_SECRET_KEY, the current one first (NIST SP 800-57 part 1).

An item is a key in base64; `kms:ID:BLOB`, a data key that AWS KMS opens; or the ARN of a secret or parameter that
holds such items. What lies with AWS is fetched or opened at first need, once per process (AWS KMS: Decrypt).
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from threading import Lock

from authserver.runtime.aws import NO_AWS, Aws, AwsRefused, AwsUnreachable
from authserver.runtime.secret_text import SecretText, check_arn, is_arn

KEY_BYTES = 32
KMS_ITEM = re.compile(r"kms:([0-9a-f]{8}):([A-Za-z0-9+/]{16,8192}={0,2})")
CONTEXT = {"authserver": "secret key"}

Item = tuple[str, bytes | str]
"""A key's id, and the key itself or, as text, what KMS makes it from."""


class KeyUnavailable(LookupError):
    """A key lies with AWS and cannot be had now; the text says why, without a value."""


class KeyEncryptionKeys:
    """32-byte keys by their id (8 hex digits of their digest); the first one seals, all of them open."""

    def __init__(self, items: tuple[str, ...], aws: Aws = NO_AWS) -> None:
        """Take items as AUTHSERVER_SECRET_KEY has them; nothing is fetched. A garbled one is a ValueError that says what it must be."""
        self._aws = aws
        self._sources: list[list[Item] | SecretText] = [self._read(item) for item in items]
        self._opened: dict[str, bytes] = {}
        self._lock = Lock()

    def current(self) -> tuple[str, bytes]:
        """Return (id, key) of the one that seals; LookupError where none is set, KeyUnavailable where AWS keeps it to itself."""
        for item in self._items():
            return item[0], self._open(item)
        raise LookupError("no key encryption key is set: set AUTHSERVER_SECRET_KEY")

    def find(self, wanted: str) -> bytes | None:
        """Return the key with that id. Raises KeyUnavailable."""
        for item in self._items():
            if item[0] == wanted:
                return self._open(item)
        return None

    def _items(self) -> Iterator[Item]:
        """Yield all items; what lies behind an ARN is fetched when its turn comes."""
        for place in range(len(self._sources)):
            yield from self._items_of(place)

    def _items_of(self, place: int) -> list[Item]:
        with self._lock:
            source = self._sources[place]
            if isinstance(source, SecretText):
                source = self._sources[place] = self._fetch(source)
            return source

    def _read(self, item: str) -> list[Item] | SecretText:
        if is_arn(item):
            check_arn("AUTHSERVER_SECRET_KEY", item)
            return SecretText(item, self._aws)
        return [read_item(item)]

    def _fetch(self, secret: SecretText) -> list[Item]:
        try:
            return [read_item(item) for item in secret.read().split()]
        except (AwsRefused, AwsUnreachable) as error:
            raise KeyUnavailable(f"AUTHSERVER_SECRET_KEY: {error}") from None
        except ValueError as error:
            raise KeyUnavailable(f"AUTHSERVER_SECRET_KEY names a secret whose value is not as it must be: {error}") from None

    def _open(self, item: Item) -> bytes:
        identifier, key = item
        if isinstance(key, bytes):
            return key
        with self._lock:
            if identifier not in self._opened:
                self._opened[identifier] = self._decrypt(identifier, key)
            return self._opened[identifier]

    def _decrypt(self, identifier: str, blob: str) -> bytes:
        try:
            answer = self._aws.call("kms", "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": CONTEXT})
            key = decode_key(str(answer.get("Plaintext")))
        except (AwsRefused, AwsUnreachable) as error:
            raise KeyUnavailable(f"AUTHSERVER_SECRET_KEY: {error}") from None
        except ValueError:
            key = b""
        if key_id(key) != identifier:
            raise KeyUnavailable(f"AUTHSERVER_SECRET_KEY: what KMS opened is not the key {identifier}: the item is garbled, or another's")
        return key


def read_item(item: str) -> Item:
    """Read a plain key or a `kms:…` item. Raises ValueError."""
    if not item.startswith("kms:"):
        key = decode_key(item)
        return key_id(key), key
    match = KMS_ITEM.fullmatch(item)
    if match is None:
        raise ValueError("each secret key that begins with kms: must be as authserver keys data-key writes it")
    return match[1], match[2]


def make_data_key(aws: Aws, kms_key: str) -> str:
    """Have KMS make a data key under the key of that id, ARN or alias; return it as an item. Raises AwsRefused, AwsUnreachable."""
    region = kms_key.split(":")[3] if kms_key.startswith("arn:") and kms_key.count(":") >= 5 else ""
    answer = aws.call("kms", "GenerateDataKey", {"KeyId": kms_key, "KeySpec": "AES_256", "EncryptionContext": CONTEXT}, region=region)
    return f"kms:{key_id(decode_key(answer['Plaintext']))}:{answer['CiphertextBlob']}"


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
