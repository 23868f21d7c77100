"""Rows of sessions, grants and audit events as the console lists them: with names for ids, and links where the operator may follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from authserver.admin.documents import instant
from authserver.admin.names import client_names_of, emails_of
from authserver.admin.operation import Operation
from authserver.store.audit import AuditEvent
from authserver.store.base import read_id, show_id
from authserver.store.browser_session import BrowserSession
from authserver.store.grant import Grant
from authserver.web.console.browsers import browser_of
from authserver.web.console.differences import changes, written
from authserver.web.operators import may, operator

Row = dict[str, Any]
GONE = "deleted user"


def session_rows(operation: Operation, sessions: Sequence[BrowserSession]) -> list[Row]:
    """Describe sessions."""
    emails, who = emails_of(operation, (show_id(session.user_id) for session in sessions)), operator()
    return [
        {
            "email": emails.get(show_id(session.user_id), GONE),
            "user_url": user_url(show_id(session.user_id)),
            "browser": browser_of(session.user_agent),
            "address": session.address_prefix,
            "signed_in_at": session.authenticated_at,
            "last_seen_at": session.last_seen_at,
            "ends_at": min(session.idle_at, session.expires_at),
            "is_mine": who is not None and who.session_id == session.sid,
            "end_url": url_for("sessions.end", session_id=session.sid),
        }
        for session in sessions
    ]


def grant_rows(operation: Operation, grants: Sequence[Grant]) -> list[Row]:
    """Describe grants."""
    emails = emails_of(operation, (show_id(grant.user_id) for grant in grants))
    names = client_names_of(operation, (grant.client_id for grant in grants))
    return [
        {
            "email": emails.get(show_id(grant.user_id), GONE),
            "user_url": user_url(show_id(grant.user_id)),
            "client_name": names.get(grant.client_id, grant.client_id),
            "client_url": client_url(grant.client_id),
            "scope": " ".join(grant.scope),
            "apis": list(grant.resources),
            "created_at": grant.created_at,
            "last_refreshed_at": grant.rotated_at,
            "ends_at": min(grant.idle_at, grant.expires_at),
            "is_offline": bool(grant.offline),
            "end_url": url_for("grants.end", grant_id=grant.shown_id),
        }
        for grant in grants
    ]


def event_rows(operation: Operation, events: Sequence[AuditEvent]) -> list[Row]:
    """Describe audit events; what changed is shown as a difference."""
    emails = emails_of(operation, (name for event in events for name in (event.actor, event.subject)))
    names = client_names_of(operation, (event.client_id for event in events))
    return [_event_row(event, emails, names) for event in events]


def user_url(subject: str) -> str:
    """Return the address of a user's page; empty for who may not see it, and for what is no user's id."""
    return url_for("users.profile", user_id=subject) if may("users:read") and read_id(subject) is not None else ""


def client_url(client_id: str) -> str:
    """Return the address of an application's page; empty for who may not see it."""
    return url_for("clients.settings", client_id=client_id) if client_id and may("clients:read") else ""


def _event_row(event: AuditEvent, emails: Mapping[str, str], names: Mapping[str, str]) -> Row:
    details = dict(event.details)
    different = changes(details.pop("before", None) or {}, details.pop("after", None) or {})
    shown = [(name, text) for name, value in details.items() if (text := written(value)) is not None]
    return {
        "at": event.at,
        "at_text": instant(event.at),
        **{name: getattr(event, name) for name in ("action", "outcome", "because", "request_id")},
        "address": event.address_prefix,
        "actor": emails.get(event.actor, event.actor),
        "actor_url": user_url(event.actor) if event.actor in emails else "",
        "subject": emails.get(event.subject, event.subject),
        "subject_url": user_url(event.subject) if event.subject in emails else "",
        "client": names.get(event.client_id, event.client_id),
        "client_url": client_url(event.client_id) if event.client_id in names else "",
        "changes": different,
        "details": shown,
        "summary": "details" if "before" not in event.details else _summary([each.name for each in different]),
    }


def _summary(names: list[str]) -> str:
    first, *rest = names or ["details"]
    return f"{first} and {len(rest)} more" if rest else first
