"""Clients: registered, changed, disabled and deleted by an operator (metadata as in RFC 7591 section 2)."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authserver.admin.authority import CONSOLE_CLIENT
from authserver.admin.client_secrets import Given, drop_all_secrets, new_secret
from authserver.admin.documents import client_document
from authserver.admin.errors import Changed, Conflict, Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.admin.paging import MOST, USUAL, Page, every, page_of
from authserver.admin.reach import refuse_beyond_reach
from authserver.admin.searching import is_an_id, read_status, search
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.oauth.client_registration import check_client, check_kind, check_name, origins_of
from authserver.oauth.redirect_uri import has_dot_segment
from authserver.oauth.scope import OPENID_SCOPES
from authserver.store.access_token import delete_client_tokens
from authserver.store.authorization_code import delete_client_codes
from authserver.store.authorization_request import delete_client_requests
from authserver.store.base import read_id
from authserver.store.client import (
    Client,
    find_client,
    find_clients,
    insert_client,
    list_clients,
    list_clients_by_name,
    set_origins,
    update_client,
)
from authserver.store.client import delete_client as delete_client_row
from authserver.store.consent import forget_consents
from authserver.store.grant import delete_grants, revoke_client_grants
from authserver.store.resource_server import find_resource_server, list_resource_servers, update_resource_server
from authserver.store.search import CLIENT, CLIENT_OF_API, delete_terms, list_ids, set_terms, terms_of
from authserver.store.user import find_user

CLIENT_ID_BYTES = 10
LONGEST_ID = 255
ID_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {'"', "\\"}


@dataclass(frozen=True, slots=True)
class Issued:
    """A client, and the secret that was made for it just now, to be shown once."""

    client: Client
    secret: str | None = None


def create_client(
    operation: Operation, kind: str, name: str, values: Mapping[str, Any], *, client_id: str | None = None, secret: Given = None
) -> Issued:
    """Register a client; `values` is metadata, the rest is by kind. Raises Invalid, Conflict, Forbidden."""
    check_kind(kind)
    metadata = check_client(kind, values)
    _check_references(operation, metadata)
    refuse_beyond_reach(operation, metadata)
    identifier = _new_id(operation, kind) if client_id is None else _check_id(operation, client_id)
    now = operation.now()
    row = {"client_id": identifier, "kind": kind, "client_name": check_name("name", name), "metadata": metadata}
    fixed = {"version": 1, "created_at": now, "updated_at": now, "disabled_at": None, "managed_by": operation.owner}
    insert_client(operation.db, row | fixed, origins_of(kind, metadata))
    issued = _secret_if_needed(operation, identifier, metadata["token_endpoint_auth_method"], secret)
    client = get_client(operation, identifier)
    _let_be_found(operation, client)
    operation.note("client.create", client_id=identifier, after=client_document(client))
    return Issued(client, issued)


def get_client(operation: Operation, client_id: str) -> Client:
    """Return a client. Raises NotFound."""
    client = find_client(operation.db, client_id) if is_an_id(client_id) else None
    if client is None:
        raise NotFound(f"there is no client {client_id!r}")
    return client


def every_client(operation: Operation) -> Iterable[Client]:
    """Return all clients by id, without their secrets."""
    return every(lambda after: list_clients(operation.db, after=after, limit=100), lambda client: client.client_id)


def page_of_clients(
    operation: Operation, *, q: str = "", kind: str = "", status: str = "", page_token: str = "", page_size: int = USUAL
) -> Page[Client]:
    """List clients without their secrets, by name; by id those that are found by `q`, the beginning of a word of the name,
    of the id or of a redirect host. `status` is enabled or disabled. Raises Invalid."""
    if kind:
        check_kind(kind)
    disabled = read_status(status)
    listing = f"clients {q} {kind} {status}"
    if not q.strip():
        return page_of(
            operation,
            listing,
            page_token,
            page_size,
            lambda after, limit: list_clients_by_name(operation.db, kind=kind, disabled=disabled, after=after, limit=limit),
            lambda client: (client.client_name, client.client_id),
        )

    def is_wanted(client: Client) -> bool:
        return (not kind or client.kind == kind) and (disabled is None or (client.disabled_at is not None) == disabled)

    return page_of(
        operation,
        listing,
        page_token,
        page_size,
        lambda after, limit: search(operation, CLIENT, q, after, limit, lambda ids: filter(is_wanted, find_clients(operation.db, ids))),
        lambda client: client.client_id,
    )


def clients_of_api(operation: Operation, identifier: str) -> Iterator[Client]:
    """Yield the clients that may ask for an API, by id."""
    after = ""
    while ids := list_ids(operation.db, CLIENT_OF_API, identifier, after, MOST):
        yield from (client for client in find_clients(operation.db, ids) if identifier in client.apis)
        after = ids[-1]


def update_client_metadata(operation: Operation, client_id: str, changes: Mapping[str, Any], *, version: int | None = None) -> Issued:
    """Change metadata and `client_name`; None takes a value back to its default. `version` is the one that was seen.

    Raises NotFound, Invalid, Conflict, Changed, Forbidden.
    """
    client = _open(operation, client_id, version)
    operation.refuse_if_managed(f"client {client_id}", client.managed_by)
    changed = dict(changes)
    name = check_name("client_name", changed.pop("client_name", client.client_name))
    metadata = check_client(client.kind, {**client.metadata, **changed})
    _check_references(operation, metadata)
    refuse_beyond_reach(operation, metadata)
    _store(operation, client, {"client_name": name, "metadata": metadata, "managed_by": operation.owner})
    set_origins(operation.db, client_id, origins_of(client.kind, metadata))
    issued = _secret_if_needed(operation, client_id, metadata["token_endpoint_auth_method"], None)
    after = get_client(operation, client_id)
    _let_be_found(operation, after)
    operation.note("client.update", client_id=client_id, before=client_document(client), after=client_document(after))
    return Issued(after, issued)


def disable_client(operation: Operation, client_id: str, *, version: int | None = None) -> Client:
    """Refuse the client from now on and end all its grants. Raises NotFound, Changed, Forbidden."""
    client = _open(operation, client_id, version)
    if client_id == CONSOLE_CLIENT:
        raise Conflict("this is the console itself")
    now = operation.now()
    _store(operation, client, {"disabled_at": client.disabled_at or now})
    delete_client_codes(operation.db, client_id)
    ended = revoke_client_grants(operation.db, client_id, now, "client disabled")
    operation.note("client.disable", client_id=client_id, details={"grants": ended})
    return get_client(operation, client_id)


def enable_client(operation: Operation, client_id: str, *, version: int | None = None) -> Client:
    """Serve the client again; its users sign in anew. Raises NotFound, Changed, Forbidden."""
    _store(operation, _open(operation, client_id, version), {"disabled_at": None})
    operation.note("client.enable", client_id=client_id)
    return get_client(operation, client_id)


def delete_client(operation: Operation, client_id: str, *, version: int | None = None) -> None:
    """Delete a client with everything that belongs to it. Raises NotFound, Conflict, Changed, Forbidden."""
    client = _open(operation, client_id, version)
    operation.refuse_if_managed(f"client {client_id}", client.managed_by)
    db = operation.db
    for forget in (delete_client_tokens, delete_client_codes, delete_client_requests):
        forget(db, client_id)
    forget_consents(db, client_id=client_id)
    delete_grants(db, client_id=client_id)
    for api in list_resource_servers(db):
        if client_id in api.introspected_by:
            remaining = [other for other in api.introspected_by if other != client_id]
            update_resource_server(db, api.identifier, api.version, {"introspected_by": remaining})
    delete_client_row(db, client_id)
    for index in (CLIENT, CLIENT_OF_API):
        delete_terms(db, index, client_id)
    operation.note("client.delete", client_id=client_id, before=client_document(client))


def _open(operation: Operation, client_id: str, version: int | None) -> Client:
    """Return a client that is to be changed. Raises NotFound, Changed where it is not at that version, Forbidden."""
    client = get_client(operation, client_id)
    if version is not None and version != client.version:
        raise Changed(f"client {client_id} was changed by somebody else meanwhile", client)
    refuse_beyond_reach(operation, client.metadata)
    return client


def _store(operation: Operation, client: Client, values: Mapping[str, Any]) -> None:
    if not update_client(operation.db, client.client_id, client.version, {**values, "updated_at": operation.now()}):
        current = find_client(operation.db, client.client_id)
        raise Changed(f"client {client.client_id} was changed by somebody else meanwhile: try again", current)


def _let_be_found(operation: Operation, client: Client) -> None:
    hosts = [urlsplit(uri).hostname or "" for uri in client.metadata["redirect_uris"]]
    set_terms(operation.db, CLIENT, client.client_id, terms_of(client.client_id, client.client_name, *hosts))
    set_terms(operation.db, CLIENT_OF_API, client.client_id, client.apis)


def _new_id(operation: Operation, kind: str) -> str:
    return f"{kind}-{base64.b32encode(operation.runtime.new_secret(CLIENT_ID_BYTES)).decode().lower()}"


def _check_id(operation: Operation, client_id: str) -> str:
    if not 1 <= len(client_id) <= LONGEST_ID or client_id.startswith("/") or not set(client_id) <= ID_CHARACTERS:
        characters = "ASCII characters without spaces, quotes and backslashes, the first of them not a slash"
        raise Invalid("client_id", f"must be 1 to {LONGEST_ID} {characters}")
    if has_dot_segment(client_id):  # the console's own forms would be sent elsewhere
        raise Invalid("client_id", "must not contain the path segments . and ..")
    if find_client(operation.db, client_id) is not None:
        raise Conflict(f"there is a client {client_id!r} already")
    if client_id == operation.runtime.settings.issuer or find_resource_server(operation.db, client_id) is not None:
        raise Conflict("this client_id is the identifier of an API, which would take the client's ID tokens for its own")
    identifier = read_id(client_id)
    if identifier is not None and find_user(operation.db, identifier) is not None:
        raise Conflict("this client_id is the id of a user")
    return client_id


def _secret_if_needed(operation: Operation, client_id: str, method: str, given: Given) -> str | None:
    if method not in SECRET_METHODS:
        if given is not None:
            raise Invalid("secret", f"is of no use to a client that authenticates by {method}")
        drop_all_secrets(operation, client_id)
        return None
    has_one = bool(get_client(operation, client_id).secrets)
    return None if has_one else new_secret(operation, client_id, given)


def _check_references(operation: Operation, metadata: Mapping[str, Any]) -> None:
    for identifier in metadata["apis"]:
        if find_resource_server(operation.db, identifier) is None:
            raise Invalid("apis", f"must name APIs that exist; there is no {identifier}")
    known = {*OPENID_SCOPES, *_api_scopes(operation, metadata["apis"])}
    for scope in metadata["scope"].split():
        if scope not in known:
            raise Invalid("scope", f"must name scopes of OpenID Connect or of the client's APIs; {scope} is neither")


def _api_scopes(operation: Operation, apis: Iterable[str]) -> list[str]:
    found = (find_resource_server(operation.db, identifier) for identifier in apis)
    return [scope for api in found if api is not None for scope in api.scopes]
