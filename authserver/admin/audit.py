"""The audit log: who did what to whom, page by page, and as a whole for an export."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from authserver.admin.documents import Document, event_document
from authserver.admin.operation import Operation
from authserver.admin.paging import MOST, USUAL, Page, page_of, place, read_place
from authserver.admin.searching import is_an_id, is_storable
from authserver.store.audit import AuditEvent, list_events
from authserver.store.base import Database

OF_ASCII = ("action", "outcome", "request_id")
FILTERS = ("actor", "action", "client_id", "subject", "outcome", "request_id")


def page_of_events(
    operation: Operation,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    page_token: str = "",
    page_size: int = USUAL,
    **filters: str,
) -> Page[AuditEvent]:
    """List events, newest first, from `since` to before `until`; `filters` are exact values of FILTERS. Raises Invalid."""
    matching = _matching(filters)
    if matching is None:
        return Page([])
    listing = f"audit {since} {until} {matching}"

    def fetch(after: tuple[int, str] | None, limit: int) -> list[AuditEvent]:
        return list_events(operation.db, limit, matching=matching, since=since, until=until, before=read_place(after))

    return page_of(operation, listing, page_token, page_size, fetch, lambda event: place(event.at, event.id))


def every_event(
    operation: Operation, *, since: datetime | None = None, until: datetime | None = None, **filters: str
) -> Iterator[AuditEvent]:
    """Yield all events that match, newest first."""
    matching, before = _matching(filters), None
    if matching is None:
        return
    while found := list_events(operation.db, MOST, matching=matching, since=since, until=until, before=before):
        yield from found
        before = (found[-1].at, found[-1].id)


def every_document(operation: Operation, filters: Mapping[str, Any]) -> Iterator[Document]:
    """Yield the documents of all events that match, to be sent meanwhile: by a connection of its own, held by no slow reader."""
    own = Database(operation.runtime.engine)
    try:
        for event in every_event(replace(operation, db=own), **filters):
            own.release()
            yield event_document(event)
    finally:
        own.close()


def _matching(filters: Mapping[str, str]) -> dict[str, str] | None:
    """Return the filters that are set; None where nothing can match them."""
    unknown = set(filters) - set(FILTERS)
    if unknown:
        raise TypeError(f"no such filter: {unknown}")
    found = {name: filters[name] for name in FILTERS if filters.get(name)}
    can_match = all(is_an_id(value) if name in OF_ASCII else is_storable(value) for name, value in found.items())
    return found if can_match else None
