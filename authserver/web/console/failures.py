"""Recent failures: refused requests, each explained beside the registration that it did not fit, and mended where that is possible."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from authserver.admin.clients import get_client
from authserver.admin.failure_rules import TITLES
from authserver.admin.failures import Explanation, apply_mend, explain, get_failure, page_of_failures
from authserver.admin.names import client_names_of
from authserver.admin.uri_difference import nearest_difference
from authserver.store.refusal import Refusal
from authserver.web.console.commands import call, command
from authserver.web.console.differences import changes
from authserver.web.console.frame import done, show
from authserver.web.console.looking import look
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.console.rows import client_url
from authserver.web.flow import see
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import may, operation, permit

routes = Blueprint("failures", __name__)

REDIRECT_URI = "redirect_uri"
IN_SHORT = {
    **TITLES,
    "bad_redirect_uri": "The redirect URI is not registered",
    "unknown_client": "The client is not registered",
    "client_disabled": "The client is disabled",
    "invalid_scope": "The scope is not allowed",
    "invalid_target": "The client may not ask for this API",
    "invalid_client": "The client did not prove who it is",
    "unauthorized_client": "The client may not use this grant",
    "invalid_grant": "The code or token opens nothing",
    "login_required": "Nobody was signed in",
    "consent_required": "The user had not allowed it yet",
}


@routes.get("/admin/failures")
@permit("audit:read")
def index() -> Response:
    """List refused requests, newest first; or go to the one whose error id was typed."""
    sought: dict[str, Any] = filters("client_id")
    error_id = request.args.get("error_id", "").strip()
    if error_id:
        return see(url_for("failures.failure", error_id=error_id[:64]))
    page, fault, status = look(lambda: page_of_failures(operation(), **sought, page_token=page_token()))
    values = {
        **sought,
        "rows": _rows(page.rows),
        "fault": fault,
        "pager": pager("failures.index", page, sought),
        "kept": operation().runtime.settings.refusal_lifetime.days,
    }
    words, same = command("explain", "ERROR_ID"), call("failures", query=sought)
    return show("console/failures/list.html", values, title="Recent failures", status=status, command=words, call=same)


@routes.get("/admin/failures/<error_id>")
@permit("audit:read")
def failure(error_id: str) -> Response:
    """Explain one."""
    explained = explain(operation(), get_failure(operation(), error_id))
    refusal = explained.refusal
    names = ("error_id", "at", "endpoint", "error", "because", "client_id")
    about = {name: getattr(refusal, name) for name in names} | {"address": refusal.address_prefix}
    values = {
        "form": PageForm(),
        "failure": about | {"title": explained.title, "sentences": explained.sentences, "client_name": explained.client_name},
        "client_url": client_url(refusal.client_id) if explained.client_name else "",
        "asked": list(explained.asked.items()),
        "registered": list(explained.registered.items()),
        "pieces": _pieces(explained),
        "mend": _mend(explained),
    }
    words, same = command("explain", refusal.error_id), call(f"failures/{refusal.error_id}")
    return show("console/failures/failure.html", values, title=explained.title, command=words, call=same)


@routes.post("/admin/failures/<error_id>/mend")
@permit("clients:write")
def mend(error_id: str) -> Response:
    """Change the registration so that such a request passes."""
    read_form(PageForm, again=url_for("failures.failure", error_id=error_id))
    client = apply_mend(operation(), error_id)
    said = f"{client.client_name} is mended: in a few seconds the same request passes."
    return done(url_for("failures.failure", error_id=error_id), said)


def _rows(found: Iterable[Refusal]) -> list[dict[str, Any]]:
    refusals = list(found)
    names = client_names_of(operation(), (refusal.client_id for refusal in refusals))
    return [
        {
            "url": url_for("failures.failure", error_id=refusal.error_id),
            "title": IN_SHORT.get(refusal.error, f"Refused with {refusal.error}"),
            "because": refusal.because,
            "client": names.get(refusal.client_id, refusal.client_id),
            "client_url": client_url(refusal.client_id) if refusal.client_id in names else "",
            "at": refusal.at,
            "error": refusal.error,
            "endpoint": refusal.endpoint,
        }
        for refusal in refusals
    ]


def _mend(explained: Explanation) -> dict[str, Any] | None:
    """Describe the change that mends it, for who may make it."""
    if explained.mend is None or not may("clients:write"):
        return None
    metadata: Mapping[str, Any] = get_client(operation(), explained.refusal.client_id).metadata
    now = {name: metadata.get(name) for name in explained.mend.changes}
    url = url_for("failures.mend", error_id=explained.refusal.error_id)
    return {"url": url, "label": explained.mend.label, "changes": changes(now, explained.mend.changes)}


def _pieces(explained: Explanation) -> dict[str, str] | None:
    """Cut a redirect URI and the registered one that is most like it into what is the same and what differs."""
    asked = explained.asked.get(REDIRECT_URI, "")
    difference = nearest_difference(asked, explained.registered.get(REDIRECT_URI, [])) if asked else None
    if difference is None:
        return None
    nearest, begin = difference.nearest, difference.character - 1
    most = min(len(asked), len(nearest)) - begin
    end = next((count for count in range(most) if asked[-1 - count] != nearest[-1 - count]), most)
    return {
        "before": asked[:begin],
        "asked": asked[begin : len(asked) - end],
        "registered": nearest[begin : len(nearest) - end],
        "after": asked[len(asked) - end :],
    }
