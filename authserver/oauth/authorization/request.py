"""The authorization request (RFC 6749 section 4.1.1): read once, checked by SPECS, in an order that never leaks.

Until client and redirect URI are trusted, a fault is `Untrusted` and shown as a page; after that it is an OAuth error
that travels to the client (section 4.1.2.1, RFC 9700 section 4.11.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authserver.oauth.authorization.draft import Draft
from authserver.oauth.authorization.response_mode import default_mode
from authserver.oauth.client_registration import redirect_matches
from authserver.oauth.errors import (
    InvalidRequestError,
    OAuth2Error,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
    refuse,
)
from authserver.oauth.request import LONGEST, Pairs, Payload
from authserver.oauth.scope import check_scope
from authserver.oauth.server import Server
from authserver.store.client import Client

RESPONSE_TYPE = "code"
MOST_CHARACTERS = 32 * 1024


class Untrusted(Exception):
    """Client or redirect URI cannot be trusted: nothing may be redirected. `code` names the page's text."""

    def __init__(self, code: str, because: str) -> None:
        """Keep the page's code and the private reason."""
        super().__init__(because)
        self.code = code
        self.because = because


class Refused(Exception):
    """A trusted client's request is refused: the error travels to its redirect URI."""

    def __init__(self, error: OAuth2Error, reply: "ReplyTo") -> None:
        """Keep the error and where it goes."""
        super().__init__(error.error)
        self.error = error
        self.reply = reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Whose request it is, and where and how its answer travels."""

    client_id: str
    redirect_uri: str
    state: str | None
    response_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that passed every check. `parameters` are as they came, for storage; `resource` may be a list."""

    client: Client
    reply: ReplyTo
    parameters: Mapping[str, Any]
    named_redirect_uri: str | None
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    code_challenge: str | None = None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None
    hinted_subject: str | None = None
    ui_locales: tuple[str, ...] = ()
    display: str | None = None
    acr_values: tuple[str, ...] = ()
    demanded_acr: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    claimed_scope: tuple[str, ...] = ()

    @property
    def disclosed_scope(self) -> tuple[str, ...]:
        """What the user must know of: the scope, and the scopes whose claims are asked for one by one."""
        return tuple(dict.fromkeys((*self.scope, *self.claimed_scope)))

    @property
    def redirect_uri(self) -> str:
        """Where the answer goes."""
        return self.reply.redirect_uri


def read_request(server: Server, pairs: Pairs) -> AuthorizationRequest:
    """Read and check a request. Raises Untrusted, then Refused."""
    payload = Payload(pairs)
    draft = _trust(server, payload)
    reply = _reply_to(server, draft)
    try:
        payload.check()
        _check_storable(payload)
        _check_response(server, draft)
        fields = _check_specs(server, draft)
    except OAuth2Error as error:
        raise Refused(error, reply) from error
    return AuthorizationRequest(
        client=draft.client, reply=reply, parameters=_stored(payload), named_redirect_uri=payload.redirect_uri, **fields
    )


def _trust(server: Server, payload: Payload) -> Draft:
    if any(len(payload.datalist.get(name, ())) > 1 for name in ("client_id", "redirect_uri")):
        raise Untrusted("invalid_request", "client_id or redirect_uri repeated")
    client = server.query_client(payload.client_id) if payload.client_id else None
    if client is None:
        raise Untrusted("unknown_client", f"unknown or disabled client {(payload.client_id or '')[:64]!r}")
    return Draft(client, _trusted_redirect(client, payload), payload)


def _trusted_redirect(client: Client, payload: Payload) -> str:
    registered = list(client.metadata.get("redirect_uris", ()))
    named = payload.redirect_uri
    if named is not None and redirect_matches(client, named):
        return str(named)
    if named is None and len(registered) == 1 and "openid" not in (payload.scope or "").split(" "):
        return str(registered[0])
    raise Untrusted("bad_redirect_uri", f"redirect_uri {(named or '')[:256]!r} is not registered for client {client.client_id}")


def _reply_to(server: Server, draft: Draft) -> ReplyTo:
    payload = draft.payload
    states = payload.datalist.get("state", [])
    state = states[0] if len(states) == 1 and len(states[0]) <= LONGEST["state"] else None
    default = default_mode(payload.data.get("response_type", ""))
    asked = payload.get("response_mode")
    mode = asked if asked is not None and _is_possible(server, draft, asked) else default
    return ReplyTo(client_id=draft.client.client_id, redirect_uri=draft.redirect_uri, state=state, response_mode=mode)


def _is_possible(server: Server, draft: Draft, mode: str) -> bool:
    chosen = draft.client.metadata.get("response_modes") or ("query", "form_post")
    is_web = draft.redirect_uri.startswith(("https:", "http:"))
    return mode in server.registry.response_modes and mode in chosen and (mode != "form_post" or is_web)


def _check_storable(payload: Payload) -> None:
    """Refuse what should not be stored: NUL, which not every database can hold, and more than anybody needs."""
    texts = [text for name, values in payload.datalist.items() for text in (name, *values)]
    if any("\0" in text for text in texts):
        refuse(InvalidRequestError("A parameter contains a NUL character."), because="NUL in a parameter")
    if sum(map(len, texts)) > MOST_CHARACTERS:
        refuse(InvalidRequestError("The parameters are too long."), because="more than 32 KB of parameters")


def _check_response(server: Server, draft: Draft) -> None:
    asked, mode = draft.payload.data.get("response_type"), draft.payload.get("response_mode")
    if asked is None:
        refuse(InvalidRequestError("The parameter response_type is missing."), because="no response_type")
    if asked != RESPONSE_TYPE:
        refuse(UnsupportedResponseTypeError(), because=f"response_type {asked[:64]!r}")
    if not draft.client.has_grant_type("authorization_code"):
        refuse(UnauthorizedClientError(), because="authorization_code is not one of the client's grant types")
    if mode is not None and not _is_possible(server, draft, mode):
        refuse(InvalidRequestError("This response_mode is not supported or not allowed here."), because=f"response_mode {mode[:64]!r}")


def _check_specs(server: Server, draft: Draft) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for check in server.registry.request_checks:
        fields.update(check(server, draft))
    fields["scope"] = check_scope(server, draft.client, draft.payload.scope, fields["resources"])
    return fields


def _stored(payload: Payload) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in payload.datalist.items()}


def stored_pairs(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Turn stored parameters back into the pairs that came."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        pairs += [(name, each) for each in (value if isinstance(value, list) else [value])]
    return pairs
