"""Discovery and JWKS (RFC 8414 section 3, OpenID Connect Discovery section 4, RFC 7517 section 5), served as bytes.

Both answer with the database down: the documents follow from the settings, the keys from the ring that was loaded.
"""

import hashlib
import json
from typing import Any

from authserver.crypto.key_ring import KeyRing
from authserver.oauth.access_token import DEFAULT_ALG
from authserver.oauth.request import Message
from authserver.oauth.server import Answer, Server
from authserver.runtime import Runtime

CACHE = "public, max-age=300, stale-if-error=86400"

Document = tuple[bytes, str]


def discovery(server: Server, message: Message) -> Answer:
    """Answer both discovery documents, which are the same."""
    memo = server.runtime.caches.memo
    if "discovery" not in memo:
        memo["discovery"] = _document(server.registry.metadata)
    return _answer(memo["discovery"], message)


def jwks(server: Server, message: Message) -> Answer:
    """Answer the public keys: announced, signing and retired."""
    ring = server.ring()
    if not ring.published(server.now):
        server.signing_key(DEFAULT_ALG)
        ring = server.ring()
    return _answer(_keys(server.runtime, ring), message)


def _keys(runtime: Runtime, ring: KeyRing) -> Document:
    keys = ring.published(runtime.now())
    name = ("jwks", tuple(key["kid"] for key in keys))
    memo = runtime.caches.memo
    if memo.get("jwks", (None,))[0] != name:
        memo["jwks"] = (name, _document({"keys": keys}))
    document: Document = memo["jwks"][1]
    return document


def _document(content: Any) -> Document:
    body = json.dumps(content, separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _answer(document: Document, message: Message) -> Answer:
    body, etag = document
    unchanged = message.headers.get("If-None-Match") == etag
    return Answer(304 if unchanged else 200, b"" if unchanged else body, (("Cache-Control", CACHE), ("ETag", etag)))
