"""The single mint: an Authorization becomes a token response (RFC 6749 section 5.1)."""

from dataclasses import dataclass
from typing import Any

from authserver.oauth.access_token import mint_access_token
from authserver.oauth.server import Server
from authserver.runtime.metrics import tokens_issued
from authserver.store.audit import Happening, log_happening
from authserver.store.client import Client
from authserver.store.grant import Grant
from authserver.store.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a grant proved: for whom a token may be minted, for which scope and APIs.

    `user` and `grant` are None for a client on its own behalf; `nonce` is there at the first ID token alone.
    """

    client: Client
    grant_type: str
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    user: User | None = None
    grant: Grant | None = None
    refresh_token: str | None = None
    nonce: str | None = None


def issue(server: Server, authorization: Authorization) -> dict[str, Any]:
    """Mint the tokens and return the response's members."""
    token, lifetime = mint_access_token(server, authorization)
    response = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}
    if authorization.scope:
        response["scope"] = " ".join(authorization.scope)
    if authorization.refresh_token is not None:
        response["refresh_token"] = authorization.refresh_token
    for extra in server.registry.token_extras:
        response.update(extra(server, authorization, token))
    tokens_issued(authorization.grant_type)
    log_happening(_issued(authorization))
    return response


def _issued(authorization: Authorization) -> Happening:
    return Happening(
        action="token.issue",
        client_id=authorization.client.client_id,
        subject=authorization.user.subject if authorization.user else authorization.client.client_id,
        details={"grant_type": authorization.grant_type, "scope": " ".join(authorization.scope)},
    )
