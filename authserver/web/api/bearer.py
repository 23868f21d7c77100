"""Who calls: the bearer of an access token of ours for this API, alive and with the scope that is needed (RFC 6750).

A client may do what its token's scopes say. A person may do that as far as their role goes, as it is now; and must have
signed in a short while ago for keys, secrets and roles (RFC 9470).
"""

from dataclasses import replace
from typing import NoReturn

from flask import request

from authserver.admin.authority import Authority, admin_api, of_role, of_scopes
from authserver.admin.operation import Operation
from authserver.admin.roles import role_of
from authserver.crypto.jose import TokenRefused
from authserver.oauth.server import Server
from authserver.oauth.standing import LiveToken, live_token
from authserver.specs import authorization_server
from authserver.store.audit import Happening, log_happening
from authserver.web.api.problems import Refused
from authserver.web.context import db, runtime
from authserver.web.operators import FRESH, Operator, let_in, operator

REALM = 'Bearer realm="admin API"'
INVALID = 'error="invalid_token", error_description="Expired, revoked, malformed, or not for this API"'
SECONDS = int(FRESH.total_seconds())


def admit(permission: str | None, *, fresh: bool) -> None:
    """Let the caller operate for the rest of this request; None lets anybody in. Raises Refused."""
    if permission is None or request.method == "OPTIONS":
        return
    server = authorization_server(runtime(), db())
    token = _live(server, _presented())
    scopes = _scopes(server, token)
    caller = _person(token, scopes) if token.standing is not None else _client(token, scopes)
    if permission not in scopes:
        _refuse("insufficient-scope", "token without the scope", f'error="insufficient_scope", scope="{permission}"')
    if not caller.authority.may(permission):
        _refuse("forbidden", "role does not permit it")
    let_in(caller)
    if fresh:
        need_fresh()


def need_fresh() -> None:
    """Insist on a recent sign-in of a person; a client proves who it is at every token. Raises Refused."""
    caller = operator()
    if caller is None or not caller.is_fresh(runtime().now()):
        challenge = f'error="insufficient_user_authentication", error_description="A more recent sign-in is needed", max_age="{SECONDS}"'
        _refuse("sign-in-too-old", "signed in too long ago", challenge)


def _presented() -> str:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        _refuse("no-token", "no bearer token", "")
    return token.strip()


def _live(server: Server, presented: str) -> LiveToken:
    try:
        token = live_token(server, presented)
    except TokenRefused as refused:
        _refuse("invalid-token", str(refused), INVALID)
    if admin_api(server.issuer) not in token.audience:
        _refuse("invalid-token", "token is for another API", INVALID)
    return token


def _scopes(server: Server, token: LiveToken) -> frozenset[str]:
    """Return the scopes of a token as far as its client may still have them."""
    if admin_api(server.issuer) not in token.client.apis:
        return frozenset()
    return frozenset(token.scope).intersection(token.client.scope or token.scope)


def _client(token: LiveToken, scopes: frozenset[str]) -> Operator:
    return Operator(of_scopes(f"client:{token.client.client_id}", scopes))


def _person(token: LiveToken, scopes: frozenset[str]) -> Operator:
    user = token.user
    role = role_of(Operation(db(), runtime()), user.id)
    own = of_role(user.email, role)
    authority: Authority = replace(own, permissions=own.permissions & scopes)
    return Operator(authority, user.email, role, signed_in_at=token.grant.authenticated_at)


def _refuse(code: str, because: str, challenge: str | None = None) -> NoReturn:
    """Refuse the caller; which of the reasons it is, only the log says."""
    log_happening(Happening(action="api.refuse", outcome="refused", because=because, details={"error": code}))
    headers = [] if challenge is None else [("WWW-Authenticate", f"{REALM}, {challenge}" if challenge else REALM)]
    raise Refused(code, headers=headers)
