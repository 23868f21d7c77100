"""Scope (RFC 6749 section 3.3): which scopes exist for a client, and what an API's token may carry."""

import re
from collections.abc import Iterable

from authserver.oauth.errors import InvalidScopeError, refuse
from authserver.oauth.server import Server
from authserver.store.client import Client

SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
OPENID_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")


def parse_scope(text: str | None) -> tuple[str, ...]:
    """Split a scope into its tokens, each once, in order. Raises InvalidScopeError for other characters."""
    words = [word for word in (text or "").split(" ") if word]
    if not all(map(SCOPE_TOKEN.fullmatch, words)):
        refuse(InvalidScopeError(), because="scope has a character that is not allowed")
    return tuple(dict.fromkeys(words))


def api_scopes(server: Server, identifiers: Iterable[str]) -> set[str]:
    """Return the scopes that some APIs define."""
    found = (server.query_resource_server(identifier) for identifier in identifiers)
    return {scope for api in found if api is not None for scope in api.scopes}


def known_scopes(server: Server, client: Client, resources: Iterable[str]) -> set[str]:
    """Return every scope that means something to a client at some APIs: theirs, and OpenID Connect's for people."""
    people = () if client.kind == "service" else OPENID_SCOPES
    return api_scopes(server, resources) | set(people)


def allowed_scopes(server: Server, client: Client, resources: Iterable[str]) -> set[str]:
    """Return the scopes that a client may ask for: its registered ones, or all known ones where none are."""
    known = known_scopes(server, client, resources)
    return known & set(client.scope) if client.scope else known


def check_scope(server: Server, client: Client, asked: str | None, resources: Iterable[str]) -> tuple[str, ...]:
    """Return the asked scope. Raises InvalidScopeError for what the client may not ask.

    In an OpenID Connect request, unknown scopes are ignored (Core section 3.1.2.1).
    """
    scope = parse_scope(asked)
    if "openid" in scope:
        known = known_scopes(server, client, resources)
        scope = tuple(word for word in scope if word in known)
    if not set(scope) <= allowed_scopes(server, client, resources):
        refuse(InvalidScopeError(), because=f"client {client.client_id} may not ask for this scope")
    return scope


def scope_at(server: Server, client: Client, scope: tuple[str, ...], resources: Iterable[str]) -> tuple[str, ...]:
    """Return the part of a granted scope that concerns some APIs, and OpenID Connect's, as far as the client may still have it."""
    kept = allowed_scopes(server, client, resources)
    return tuple(word for word in scope if word in kept)


def narrow(asked: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the asked part of what was granted, or all of it. Raises InvalidScopeError for more."""
    scope = parse_scope(asked)
    if not set(scope) <= set(granted):
        refuse(InvalidScopeError(), because="scope is wider than what was granted")
    return scope or granted
