"""APIs (resource servers, RFC 6749 section 1.1) that accept this server's tokens: scopes, and what their tokens look like."""

from typing import Any, Literal

from pydantic import Field

from authserver.admin import resource_servers as admin
from authserver.admin.documents import resource_server_document
from authserver.store.resource_server import ResourceServer
from authserver.web.api import merge_patch
from authserver.web.api.answers import Answer, created, done, found, listed
from authserver.web.api.client_models import Algorithm
from authserver.web.api.faults import placing
from authserver.web.api.models import Body, Document, Id, Instant, ListOf, Name, PageQuery, Patch, Shape, Uri
from authserver.web.api.preconditions import Expected
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

resource_servers = Resource("apis", "APIs that accept this server's tokens, with their scopes.")

COLUMNS = {"format": "token_format", "alg": "signing_alg", "lifetime": "token_lifetime_seconds"}
"""The columns that the document names otherwise."""
MEMBERS = {column: (member,) for member, column in COLUMNS.items()}


class ApiMembers(Shape):
    """What can be said of an API."""

    scopes: dict[str, str | None] = Field({}, description="What users read of each scope, by scope.")
    format: Literal["jwt", "opaque"] = Field("jwt", description="Whether its tokens are JWTs (RFC 9068) or are introspected (RFC 7662).")
    alg: Algorithm = Field("RS256", description="What signs its tokens.")
    lifetime: int | None = Field(
        None, ge=admin.SHORTEST, le=admin.LONGEST, description="Life of its tokens in seconds; null for the usual one."
    )
    claims: dict[str, str | None] = Field({}, description="Claims in its tokens: the user's or client's attribute, by claim.")
    introspected_by: list[Id] = Field([], description="The clients that may introspect its tokens.")


class NewApi(ApiMembers, Body):
    """An API to register."""

    identifier: Uri = Field(description="The audience of its tokens: an absolute URI, not necessarily an address.")
    name: Name = Field(description="What users read when they are asked to consent.")


class ApiChanges(ApiMembers, Patch):
    """A JSON Merge Patch of an API."""

    name: Name = Field("", description="What users read when they are asked to consent.")


class ApiDocument(Document):
    """An API."""

    identifier: str
    name: str
    scopes: dict[str, str]
    format: Literal["jwt", "opaque"]
    alg: Algorithm
    lifetime: int | None
    claims: dict[str, str]
    introspected_by: list[str]
    managed_by: str = Field(description="The file that owns it, and in which alone it can be changed; empty for none.")
    version: int = Field(description="Counts its changes; also the ETag.")
    created_at: Instant
    updated_at: Instant


class ApiList(ListOf[ApiDocument]):
    """A page of APIs, by identifier."""


class ApiListQuery(PageQuery):
    """Which APIs to list."""

    q: Id = Field("", description="The beginning of the identifier, with or without https://.")


@resource_servers.get("/apis", "apis:read", query=ApiListQuery, answer=ApiList)
def list_apis(query: ApiListQuery) -> Answer:
    """List APIs."""
    return listed(admin.page_of_resource_servers(operation(), **query.given()), resource_server_document)


@resource_servers.post("/apis", "apis:write", body=NewApi, answer=ApiDocument, status=201)
def create_api(body: NewApi) -> Answer:
    """Register an API. Give clients the right to ask for it by their `apis`."""
    values = _columns(merge_patch.merge({}, body.given()))
    with placing(MEMBERS):
        api = admin.create_resource_server(operation(), values.pop("identifier"), values.pop("name"), values)
    return created(resource_server_document(api), ("apis", api.identifier), api.version)


@resource_servers.get("/apis/<path:identifier>", "apis:read", answer=ApiDocument)
def get_api(identifier: str) -> Answer:
    """Get an API."""
    return _found(admin.get_resource_server(operation(), identifier))


@resource_servers.patch("/apis/<path:identifier>", "apis:write", body=ApiChanges, answer=ApiDocument, conditional=True)
def change_api(identifier: str, body: ApiChanges, expected: Expected) -> Answer:
    """Change an API by a JSON Merge Patch (RFC 7396); null removes a scope or a claim, and takes back a lifetime."""
    api = admin.get_resource_server(operation(), identifier)
    expected.check(api)
    changes = merge_patch.changes(resource_server_document(api), body.given())
    if not changes:
        return _found(api)
    with placing(MEMBERS):
        return _found(admin.change_resource_server(operation(), identifier, _columns(changes), version=api.version))


@resource_servers.delete("/apis/<path:identifier>", "apis:write", status=204, conditional=True)
def delete_api(identifier: str, expected: Expected) -> Answer:
    """Delete an API that no client may ask for any more."""
    version = expected.check(admin.get_resource_server(operation(), identifier))
    admin.delete_resource_server(operation(), identifier, version=version)
    return done()


def _columns(members: dict[str, Any]) -> dict[str, Any]:
    return {COLUMNS.get(name, name): value for name, value in members.items()}


def _found(api: ResourceServer) -> Answer:
    return found(resource_server_document(api), api.version)
