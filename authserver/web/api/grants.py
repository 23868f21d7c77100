"""Grants: what users gave to clients, listed and revoked (RFC 6819 section 5.2.2.4)."""

from pydantic import Field

from authserver.admin import grants as admin
from authserver.admin.documents import grant_document
from authserver.web.api.answers import Answer, found, listed
from authserver.web.api.models import Document, Id, Instant, ListOf, PageQuery, Query, Text
from authserver.web.api.problems import Fault, Refused
from authserver.web.api.resource import Resource
from authserver.web.api.sessions import EndedDocument
from authserver.web.operators import operation

grants = Resource("grants", "What users allowed to clients.")


class GrantDocument(Document):
    """A grant."""

    id: str
    client_id: str
    user_id: str
    scope: str
    apis: list[str]
    offline: bool = Field(description="Whether it lives beyond the browser's session.")
    created_at: Instant
    last_refreshed_at: Instant | None
    ends_at: Instant


class GrantList(ListOf[GrantDocument]):
    """A page of grants, newest first."""


class GrantQuery(Query):
    """Whose grants; at least one is needed to revoke some."""

    user: Text = Field("", description="Those of this user, named by id or email.")
    client_id: Id = Field("", description="Those to this client.")


class GrantListQuery(GrantQuery, PageQuery):
    """Which grants to list."""


@grants.get("/grants", "sessions:read", query=GrantListQuery, answer=GrantList, fails=("not-found",))
def list_grants(query: GrantListQuery) -> Answer:
    """List grants that can still be refreshed."""
    return listed(admin.page_of_grants(operation(), **query.given()), grant_document)


@grants.delete("/grants", "sessions:write", query=GrantQuery, answer=EndedDocument, fails=("not-found",))
def end_grants(query: GrantQuery) -> Answer:
    """Revoke all grants of a user, to a client, or of a user to a client, and forget the consents."""
    if not query.user and not query.client_id:
        raise Refused("invalid", faults=[Fault("must be given, or client_id", parameter="user")])
    return found({"ended": admin.end_grants(operation(), query.user or None, query.client_id or None)})


@grants.delete("/grants/<grant_id>", "sessions:write", answer=EndedDocument)
def end_grant(grant_id: str) -> Answer:
    """Revoke a grant."""
    return found({"ended": admin.end_grant(operation(), grant_id)})
