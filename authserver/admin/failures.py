"""Recent failures: a refused request beside the registration that it did not fit, in sentences, with the mend where there is one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from authserver.admin.clients import update_client_metadata
from authserver.admin.documents import instant
from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.failure_rules import Comparison, Mend, compare
from authserver.admin.operation import Operation
from authserver.admin.paging import USUAL, Page, page_of
from authserver.admin.reach import reach
from authserver.admin.searching import is_an_id, is_storable
from authserver.oauth.client_registration import check_client
from authserver.store.client import Client, find_client
from authserver.store.refusal import Refusal, find_refusal, list_refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What was refused and why. `asked` are its parameters, `registered` what the client's registration says of the same."""

    refusal: Refusal
    client_name: str
    title: str
    sentences: list[str]
    asked: dict[str, str]
    registered: dict[str, list[str]] = field(default_factory=dict)
    mend: Mend | None = None


def page_of_failures(operation: Operation, *, client_id: str = "", page_token: str = "", page_size: int = USUAL) -> Page[Refusal]:
    """List refused requests, newest first, of one client or of all. Raises Invalid."""
    if not is_storable(client_id):
        return Page([])

    def fetch(after: tuple[int, str] | None, limit: int) -> list[Refusal]:
        before = None if after is None else (datetime.fromtimestamp(after[0], UTC), after[1])
        return list_refusals(operation.db, client_id=client_id, before=before, limit=limit)

    return page_of(operation, f"failures {client_id}", page_token, page_size, fetch, lambda row: (int(row.at.timestamp()), row.error_id))


def get_failure(operation: Operation, error_id: str) -> Refusal:
    """Return a refused request. Raises NotFound."""
    refusal = find_refusal(operation.db, error_id.strip()) if is_an_id(error_id.strip()) else None
    if refusal is None:
        days = operation.runtime.settings.refusal_lifetime.days
        raise NotFound(f"no refused request has the error id {error_id!r}; they are kept for {days} days, so many a minute")
    return refusal


def explain(operation: Operation, refusal: Refusal) -> Explanation:
    """Say why a request was refused, compared with the registration as it is now."""
    client = find_client(operation.db, refusal.client_id) if refusal.client_id else None
    comparison = compare(operation, refusal, client)
    return Explanation(
        refusal=refusal,
        client_name=client.client_name if client else "",
        title=comparison.title,
        sentences=comparison.sentences,
        asked={name: str(value) for name, value in refusal.asked.items()},
        registered=comparison.registered,
        mend=comparison.mend if client is not None and _would_pass(operation, client, comparison) else None,
    )


def apply_mend(operation: Operation, error_id: str) -> Client:
    """Change the registration so that the request would pass. Raises NotFound, Conflict, Invalid, Forbidden."""
    refusal = get_failure(operation, error_id)
    client = find_client(operation.db, refusal.client_id)
    mend = explain(operation, refusal).mend
    if client is None or mend is None:
        raise Conflict("there is nothing to mend: the registration has changed since, or the mistake is not in it")
    return update_client_metadata(operation, refusal.client_id, mend.changes, version=client.version).client


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Describe an explanation."""
    refusal, mend = explanation.refusal, explanation.mend
    return {
        "error_id": refusal.error_id,
        "at": instant(refusal.at),
        "endpoint": refusal.endpoint,
        "error": refusal.error,
        "client_id": refusal.client_id,
        "client_name": explanation.client_name,
        "because": refusal.because,
        "address_prefix": refusal.address_prefix,
        "title": explanation.title,
        "explanation": explanation.sentences,
        "asked": explanation.asked,
        "registered": explanation.registered,
        "mend": {"label": mend.label, "changes": mend.changes} if mend else None,
    }


def _would_pass(operation: Operation, client: Client, comparison: Comparison) -> bool:
    """Tell whether the registration may be changed like that. The admin API is opened to nobody by what anybody can ask."""
    if comparison.mend is None or client.managed_by:
        return False
    try:
        mended = check_client(client.kind, {**client.metadata, **comparison.mend.changes})
    except Invalid:
        return False
    return reach(operation, mended) <= reach(operation, client.metadata)
