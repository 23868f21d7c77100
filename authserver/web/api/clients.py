"""Clients: applications and services that use this server (RFC 7591 section 2 names their members)."""

from typing import Any

from authserver.admin import clients as admin
from authserver.admin.clients import Issued
from authserver.admin.documents import client_document
from authserver.store.client import Client
from authserver.web.api import merge_patch
from authserver.web.api.answers import Answer, created, done, found, listed
from authserver.web.api.bearer import need_fresh
from authserver.web.api.client_models import (
    ClientChanges,
    ClientDocument,
    ClientQuery,
    IssuedClientDocument,
    NewClient,
)
from authserver.web.api.models import ListOf, PageQuery
from authserver.web.api.preconditions import Expected
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

clients = Resource("clients", "Applications and services that use this server.")

NEVER = 0
CREDENTIALS = frozenset({"token_endpoint_auth_method", "jwks", "jwks_uri"})
"""The members whose change gives a client other credentials."""


class ClientList(ListOf[ClientDocument]):
    """A page of clients, by name; those that are searched by `q`, by id."""


class ClientListQuery(ClientQuery, PageQuery):
    """Which clients to list, and which page of them."""


@clients.get("/clients", "clients:read", query=ClientListQuery, answer=ClientList)
def list_clients(query: ClientListQuery) -> Answer:
    """List clients."""
    return listed(admin.page_of_clients(operation(), **query.given()), client_document)


@clients.post("/clients", "clients:write", body=NewClient, answer=IssuedClientDocument, status=201)
def create_client(body: NewClient) -> Answer:
    """Register a client. What is not given is by its kind; its secret, if it has one, is in this answer alone."""
    metadata = body.given()
    issued = admin.create_client(operation(), metadata.pop("kind"), metadata.pop("client_name"), metadata)
    client = issued.client
    return created(client_document(client), ("clients", client.client_id), client.version, shown_once(issued.secret))


@clients.get("/clients/<path:client_id>", "clients:read", answer=ClientDocument)
def get_client(client_id: str) -> Answer:
    """Get a client."""
    return _found(Issued(admin.get_client(operation(), client_id)))


@clients.patch(
    "/clients/<path:client_id>",
    "clients:write",
    body=ClientChanges,
    answer=IssuedClientDocument,
    conditional=True,
    fails=("sign-in-too-old",),
)
def change_client(client_id: str, body: ClientChanges, expected: Expected) -> Answer:
    """Change a client by a JSON Merge Patch (RFC 7396); null takes a member back to its default.

    A change of how it authenticates or of its keys needs a recent sign-in, and is answered with the new secret if there
    is one.
    """
    changes = body.given()
    if CREDENTIALS & changes.keys():
        need_fresh()
    client = admin.get_client(operation(), client_id)
    expected.check(client)
    enabled = changes.pop("enabled", client.disabled_at is None)
    issued = _change(client, changes)
    return _found(Issued(_enable(issued.client, enabled), issued.secret))


@clients.delete("/clients/<path:client_id>", "clients:write", status=204, conditional=True)
def delete_client(client_id: str, expected: Expected) -> Answer:
    """Delete a client with its grants and consents. Nothing brings it back: to try first, disable it."""
    version = expected.check(admin.get_client(operation(), client_id))
    admin.delete_client(operation(), client_id, version=version)
    return done()


def shown_once(secret: str | None) -> dict[str, Any]:
    """Return the members of a new secret (RFC 7591 section 3.2.1)."""
    return {} if secret is None else {"client_secret": secret, "client_secret_expires_at": NEVER}


def _change(client: Client, patch: dict[str, Any]) -> Issued:
    if not patch:
        return Issued(client)
    changes = merge_patch.changes(client_document(client), patch)
    return admin.update_client_metadata(operation(), client.client_id, changes, version=client.version)


def _enable(client: Client, enabled: bool) -> Client:
    if enabled == (client.disabled_at is None):
        return client
    switch = admin.enable_client if enabled else admin.disable_client
    return switch(operation(), client.client_id, version=client.version)


def _found(issued: Issued) -> Answer:
    return found(client_document(issued.client), issued.client.version, shown_once(issued.secret))
