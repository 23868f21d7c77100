"""What a user has going on: the browsers they are signed in to, what they allowed applications, and what happened to them."""

from typing import Any

from flask import Response, url_for

from authserver.admin.audit import page_of_events
from authserver.admin.consents import consents_of
from authserver.admin.grants import page_of_grants
from authserver.admin.names import client_names_of
from authserver.admin.sessions import page_of_sessions
from authserver.store.consent import Consent
from authserver.web.console.commands import call, command
from authserver.web.console.pager import page_token, pager
from authserver.web.console.rows import client_url, event_rows, grant_rows, session_rows
from authserver.web.console.user_tabs import find, may_act, routes, show_user
from authserver.web.forms import PageForm
from authserver.web.operators import operation, permit


@routes.get("/admin/users/<user_id>/sessions")
@permit("sessions:read")
def sessions(user_id: str) -> Response:
    """List the browsers in which a user is signed in."""
    user = find(user_id)
    page = page_of_sessions(operation(), user=user.subject, page_token=page_token())
    values = {
        "form": PageForm(),
        "rows": session_rows(operation(), page.rows),
        "pager": pager("users.sessions", page, user_id=user.subject),
        "may_end": may_act(user, "sessions:write"),
        "end_all_url": url_for("sessions.end_all"),
    }
    words = command("sessions", "revoke", options=[("--user", user.email)])
    same = call("sessions", method="DELETE", query={"user": user.subject})
    return show_user(user, "users.sessions", "sessions", values, command=words, call=same)


@routes.get("/admin/users/<user_id>/access")
@permit("sessions:read")
def access(user_id: str) -> Response:
    """List what a user allowed, and the grants that live."""
    user = find(user_id)
    page = page_of_grants(operation(), user=user.subject, page_token=page_token())
    values = {
        "form": PageForm(),
        "consents": _consents(consents_of(operation(), user.subject)),
        "rows": grant_rows(operation(), page.rows),
        "pager": pager("users.access", page, user_id=user.subject),
        "may_end": may_act(user, "sessions:write"),
        "end_all_url": url_for("grants.end_all"),
    }
    words = command("grants", "revoke", options=[("--user", user.email)])
    same = call("grants", method="DELETE", query={"user": user.subject})
    return show_user(user, "users.access", "access", values, command=words, call=same)


@routes.get("/admin/users/<user_id>/log")
@permit("audit:read")
def log(user_id: str) -> Response:
    """List what a user did, and what was done to them."""
    user = find(user_id)
    page = page_of_events(operation(), subject=user.subject, page_token=page_token())
    values = {
        "rows": event_rows(operation(), page.rows),
        "pager": pager("users.log", page, user_id=user.subject),
        "audit_url": url_for("audit.index", subject=user.subject),
    }
    words = command("audit", "list", options=[("--subject", user.subject)])
    return show_user(user, "users.log", "log", values, command=words, call=call("audit-events", query={"subject": user.subject}))


def _consents(found: list[Consent]) -> list[dict[str, Any]]:
    names = client_names_of(operation(), (consent.client_id for consent in found))
    return [
        {
            "client_id": consent.client_id,
            "client_name": names.get(consent.client_id, consent.client_id),
            "client_url": client_url(consent.client_id),
            "scope": " ".join(consent.scope),
            "apis": list(consent.resources),
            "granted_at": consent.granted_at,
        }
        for consent in found
    ]
