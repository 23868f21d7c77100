"""The audit log: filters in the address, page by page, and as a file."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, url_for

from authserver.admin.audit import page_of_events
from authserver.admin.errors import Invalid, NotFound
from authserver.admin.paging import Page
from authserver.admin.users import get_user
from authserver.store.audit import AuditEvent
from authserver.web.console.audit_export import FORMATS, export
from authserver.web.console.commands import call, command
from authserver.web.console.frame import show
from authserver.web.console.looking import look
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.console.rows import event_rows
from authserver.web.console.words import in_words
from authserver.web.errors import PageError
from authserver.web.operators import operation, permit

routes = Blueprint("audit", __name__)

NAMES = ("action", "outcome", "actor", "subject", "client_id", "request_id", "since", "until")
OPTIONS = {"client_id": "--client", "request_id": "--request-id"}
OUTCOME_OPTIONS = [("", "Any"), ("ok", "ok"), ("refused", "refused"), ("failed", "failed")]


@routes.get("/admin/audit")
@permit("audit:read")
def index() -> Response:
    """List what happened, newest first."""
    sought = filters(*NAMES)
    page, fault, status = look(lambda: _page(sought))
    given: dict[str, Any] = {name: value for name, value in sought.items() if value}
    values = {
        "rows": event_rows(operation(), page.rows),
        "filters": sought,
        "is_filtered": bool(given),
        "outcome_options": OUTCOME_OPTIONS,
        "fault": fault,
        "pager": pager("audit.index", page, sought),
        "kept": in_words(operation().runtime.settings.audit_lifetime),
        **{f"{kind}_url": url_for("audit.export_file", kind=kind, **given) for kind in FORMATS},
    }
    words = command("audit", "list", options=[(OPTIONS.get(name, f"--{name}"), value) for name, value in given.items()])
    return show("console/audit.html", values, title="Audit log", status=status, command=words, call=call("audit-events", query=sought))


@routes.get("/admin/audit/export.<kind>")
@permit("audit:read")
def export_file(kind: str) -> Response:
    """Send everything that the filters let through, as a file."""
    if kind not in FORMATS:
        raise PageError("not_found", status=404, because="no such format")
    return export(operation(), kind, _read(filters(*NAMES)))


def _page(sought: dict[str, str]) -> Page[AuditEvent]:
    return page_of_events(operation(), **_read(sought), page_token=page_token())


def _read(sought: dict[str, str]) -> dict[str, Any]:
    """Return the filters as admin/audit.py takes them: a user's id for their address, instants for texts. Raises Invalid, NotFound."""
    given: dict[str, Any] = {name: value for name, value in sought.items() if value}
    if "@" in given.get("subject", ""):
        given["subject"] = _id_of(given["subject"])
    for name in ("since", "until"):
        if name in given:
            given[name] = _instant(name, given[name])
    return given


def _id_of(email: str) -> str:
    try:
        return get_user(operation(), email).subject
    except Invalid as fault:
        raise NotFound(f"no user has the address {email}") from fault


def _instant(name: str, text: str) -> datetime:
    """Read an instant, in UTC unless it says otherwise. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(name, "must be a date, or a date and a time, like 2026-12-31T23:59") from None
