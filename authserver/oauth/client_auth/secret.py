"""Client secrets by HTTP Basic or in the body (RFC 6749 section 2.3.1), compared as digests."""

import base64
from urllib.parse import unquote_plus

from authserver.crypto.digest import digest
from authserver.oauth.client_auth import ClientAuthMethod, Presented, fail
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server
from authserver.store.client import Client


def _detect_basic(request: AsRequest) -> Presented | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        fail("Authorization header is not Basic")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        name, colon, secret = decoded.partition(":")
        client_id, proof = unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        fail("Basic credentials are not base64 of UTF-8")
    if not colon or not client_id:
        fail("Basic credentials without a colon or a client")
    return Presented(client_id, proof)


def _detect_post(request: AsRequest) -> Presented | None:
    secret = request.payload.get("client_secret")
    if secret is None:
        return None
    return Presented(request.payload.client_id or "", secret)


def _verify(server: Server, client: Client | None, proof: str) -> str | None:
    presented = digest(proof)
    secret = client.find_secret(presented, server.now) if client else None
    if secret is None:
        return "wrong or expired secret"
    used: dict[bytes, object] = server.runtime.caches.memo.setdefault("secrets used", {})
    used[secret.digest] = server.now
    return None


CLIENT_SECRET_BASIC = ClientAuthMethod("client_secret_basic", _detect_basic, _verify)
CLIENT_SECRET_POST = ClientAuthMethod("client_secret_post", _detect_post, _verify)
