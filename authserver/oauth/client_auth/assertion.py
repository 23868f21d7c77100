"""private_key_jwt: a JWT signed by the client's own key (RFC 7523 section 3, OpenID Connect Core section 9).

The audience is the issuer as one text (draft-ietf-oauth-rfc7523bis), or the token endpoint where the client's
registration allows that; every `jti` is spent once.
"""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.oauth.client_auth import ClientAuthMethod, Presented
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server
from authserver.runtime.fetch import FetchRefused
from authserver.store.client import Client
from authserver.store.replay import spend

log = logging.getLogger("authserver.oauth")

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = timedelta(minutes=5)
SKEW_SECONDS = 30
MOST_KEYS = 20
REFETCHED_EVERY = timedelta(seconds=10)
UNTRUSTED_MEMBERS = {"jwk", "jku", "x5u", "x5c", "crit", "b64"}


def _detect(request: AsRequest) -> Presented | None:
    assertion = request.payload.get("client_assertion")
    if assertion is None and request.payload.get("client_assertion_type") is None:
        return None
    return Presented(request.payload.client_id or _claimed_client(assertion or ""), _marked(request, assertion or ""))


def _claimed_client(assertion: str) -> str:
    try:
        claimed = jose.peek(assertion).claims.get("sub")
    except TokenRefused:
        return ""
    return claimed if isinstance(claimed, str) else ""


def _marked(request: AsRequest, assertion: str) -> str:
    return assertion if request.payload.get("client_assertion_type") == ASSERTION_TYPE else ""


def _verify(server: Server, client: Client | None, assertion: str) -> str | None:
    if client is None or client.auth_method != "private_key_jwt":
        return "no keys"
    try:
        claims = _verify_signature(server, client, assertion)
        _check_claims(server, client, claims)
    except TokenRefused as refused:
        return str(refused)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=SKEW_SECONDS)
    if not spend(server.db, "assertion", client.client_id, claims["jti"], expires_at):
        return "jti used before"
    return None


def _verify_signature(server: Server, client: Client, assertion: str) -> VerifiedClaims:
    presented = jose.peek(assertion)
    header, alg = presented.header, presented.header.get("alg")
    demanded = client.metadata.get("token_endpoint_auth_signing_alg")
    if alg not in jose.ALGORITHMS or (demanded and alg != demanded):
        raise TokenRefused("algorithm is not allowed")
    if UNTRUSTED_MEMBERS & set(header):
        raise TokenRefused("header brings its own key or is critical")
    return jose.verify(presented, _find_key(server, client, alg, header.get("kid")), alg)


def _check_claims(server: Server, client: Client, claims: VerifiedClaims) -> None:
    jose.check_times(claims, server.now, leeway=SKEW_SECONDS)
    latest = (server.now + LONGEST).timestamp() + SKEW_SECONDS
    issued = claims.get("iat", 0)
    if claims["exp"] > latest or not jose.is_integer(issued) or issued > server.now.timestamp() + SKEW_SECONDS:
        raise TokenRefused("exp is more than 5 minutes ahead, or iat is in the future")
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise TokenRefused("iss and sub are not the client")
    if claims.get("aud") not in _audiences(server, client):
        raise TokenRefused("aud is not the issuer as one text")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise TokenRefused("jti is missing")


def _audiences(server: Server, client: Client) -> tuple[str, ...]:
    if client.metadata.get("assertion_audience") == "token_endpoint":
        return server.issuer, f"{server.issuer}/oauth2/token"
    return (server.issuer,)


def _find_key(server: Server, client: Client, alg: str, kid: Any) -> Key:
    found = _choose(_registered_keys(server, client, refetch=False), alg, kid)
    if found is None and client.metadata.get("jwks_uri"):
        found = _choose(_registered_keys(server, client, refetch=True), alg, kid)
    if found is None:
        raise TokenRefused("no registered key fits")
    return found


def _choose(keys: list[Key], alg: str, kid: Any) -> Key | None:
    fitting = [key for key in keys if jose.fits(key, alg) and (kid is None or key.kid == kid)]
    return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None


def _registered_keys(server: Server, client: Client, *, refetch: bool) -> list[Key]:
    uri = client.metadata.get("jwks_uri")
    if not uri:
        known = f"{client.client_id}#{client.version}"
        keys: list[Key] = server.runtime.caches.client_keys.get(known, lambda: import_keys(client.metadata.get("jwks")))
        return keys
    fetched_at, keys = server.runtime.caches.client_keys.get(uri, lambda: _fetch(server, uri, []))
    if refetch and server.now - fetched_at >= REFETCHED_EVERY:
        fetched_at, keys = server.runtime.caches.client_keys.put(uri, _fetch(server, uri, keys))
    return keys


def _fetch(server: Server, uri: str, known: list[Key]) -> tuple[datetime, list[Key]]:
    """Fetch the keys; where that fails, the known ones stay, and nobody tries again before REFETCHED_EVERY."""
    server.db.release()
    try:
        return server.now, import_keys(json.loads(server.runtime.fetch(uri)))
    except (FetchRefused, TokenRefused, ValueError, RecursionError) as error:
        log.warning("jwks_uri not fetched", extra={"because": str(error)})
        return server.now, known


def import_keys(document: Any) -> list[Key]:
    """Import the public keys of a JWK Set, leaving out what is not a public key of a kind that we know.

    Raises TokenRefused where it is not a JWK Set at all.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise TokenRefused("keys are not a JWK Set")
    imported = (_import_key(member) for member in members[:MOST_KEYS])
    return [key for key in imported if key is not None and not key.is_private]


def _import_key(member: Any) -> Key | None:
    try:
        return import_key(member)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


PRIVATE_KEY_JWT = ClientAuthMethod("private_key_jwt", _detect, _verify)
