"""A token looked into: decoded, and where it is ours verified, with the reason where it is not good."""

from collections.abc import Mapping
from typing import Any

from authserver.admin.documents import grant_document
from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, Unverified
from authserver.oauth.access_token import OPAQUE_PREFIX, TYPE, verify_own
from authserver.oauth.refresh_token import RefreshToken, is_genuine, parse
from authserver.oauth.server import Server
from authserver.oauth.standing import live_token
from authserver.specs import authorization_server
from authserver.store.access_token import find_opaque_token
from authserver.store.grant import Standing, find_standing

GOOD = "good"


def inspect(operation: Operation, token: str) -> dict[str, Any]:
    """Describe a token: `kind`, `state` (`good`, or why it is not) and what it says. Raises Invalid for what is no token."""
    server = authorization_server(operation.runtime, operation.db)
    if token.startswith(OPAQUE_PREFIX):
        return _opaque(server, token)
    refresh = parse(token)
    if refresh is not None:
        return _refresh(server, refresh)
    try:
        jwt = jose.peek(token)
    except TokenRefused as refused:
        raise Invalid("token", f"is neither a JWT nor a token of this server: {refused}") from None
    return {"kind": _kind(jwt.header), "state": _jwt_state(server, token, jwt), "header": jwt.header, "claims": jwt.claims}


def _kind(header: Mapping[str, Any]) -> str:
    return "access token" if str(header.get("typ", "")).lower().removeprefix("application/") == TYPE else "JWT"


def _jwt_state(server: Server, token: str, jwt: Unverified) -> str:
    if jwt.claims.get("iss") != server.issuer:
        return "of another issuer, and so not verified"
    try:
        if _kind(jwt.header) == "access token":
            live_token(server, token)
        else:
            jose.check_times(verify_own(server, jwt), server.now)
    except TokenRefused as refused:
        return str(refused)
    return GOOD


def _opaque(server: Server, token: str) -> dict[str, Any]:
    row = find_opaque_token(server.db, token)
    try:
        live_token(server, token)
        state = GOOD
    except TokenRefused as refused:
        state = str(refused)
    return {"kind": "opaque access token", "state": state, "claims": dict(row.claims) if row else None}


def _refresh(server: Server, token: RefreshToken) -> dict[str, Any]:
    standing = find_standing(server.db, token.family, server.now)
    document = grant_document(standing.grant) if standing else None
    return {"kind": "refresh token", "state": _refresh_state(server, token, standing), "grant": document}


def _refresh_state(server: Server, token: RefreshToken, standing: Standing | None) -> str:
    if standing is None or not is_genuine(server, token, standing.grant):
        return "not a refresh token of this server, or from before a restore"
    grant = standing.grant
    if not standing.is_good:
        return f"revoked: {grant.revoked_because or 'its user or session is gone'}"
    if not grant.is_refreshable(server.now):
        return "expired"
    return GOOD if token.generation == grant.generation else "used before; the family goes on with a later one"
