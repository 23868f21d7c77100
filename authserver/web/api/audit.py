"""The audit log: who did what to whom, page by page, or as a whole as JSON lines."""

from typing import Any

from pydantic import Field

from authserver.admin import audit as admin
from authserver.admin.documents import event_document
from authserver.web.api.answers import Answer, listed
from authserver.web.api.models import Document, GivenInstant, Id, Instant, ListOf, PageQuery, Text
from authserver.web.api.reading import wants_lines
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

audit_events = Resource("audit-events", "The audit log.")


class EventDocument(Document):
    """Something that happened."""

    id: str
    at: Instant
    action: str
    outcome: str
    actor: str
    client_id: str
    subject: str
    address_prefix: str = Field(description="The network that the request came from.")
    because: str = Field(description="The private reason of a refusal.")
    request_id: str
    details: dict[str, Any] = Field(description="Of a change, what differs: `before` and `after`.")


class EventList(ListOf[EventDocument]):
    """A page of events, newest first."""


class EventListQuery(PageQuery):
    """Which events to list. Every filter is compared as a whole."""

    actor: Text = Field("", description="Who did it.")
    action: Id = Field("", description="What was done, such as `client.update`.")
    client_id: Id = Field("", description="The client that it concerns.")
    subject: Text = Field("", description="The id of the user whom it concerns.")
    outcome: Id = Field("", description="`ok` or `refused`.")
    request_id: Id = Field("", description="The request that it happened in.")
    since: GivenInstant | None = Field(None, description="From this instant on.")
    until: GivenInstant | None = Field(None, description="Before this instant.")


@audit_events.get("/audit-events", "audit:read", query=EventListQuery, answer=EventList, lines=True)
def list_audit_events(query: EventListQuery) -> Answer:
    """List events. Who accepts application/x-ndjson gets all that match, a line each, whatever the page."""
    given = query.given()
    if not wants_lines():
        return listed(admin.page_of_events(operation(), **given), event_document)
    filters = {name: value for name, value in given.items() if name not in PageQuery.model_fields}
    return Answer(lines=admin.every_document(operation(), filters))
