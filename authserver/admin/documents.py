"""Rows as JSON documents, the same for every skin. No secret and no hash is ever in one."""

from datetime import UTC, datetime
from typing import Any

from authserver.store.audit import AuditEvent
from authserver.store.base import show_id
from authserver.store.browser_session import BrowserSession
from authserver.store.client import Client, ClientSecret
from authserver.store.grant import Grant
from authserver.store.resource_server import ResourceServer
from authserver.store.user import User

Document = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def client_document(client: Client) -> Document:
    """Describe a client; of its secrets, only when they were made, end and were last used."""
    return {
        "client_id": client.client_id,
        "kind": client.kind,
        "client_name": client.client_name,
        "enabled": client.disabled_at is None,
        **client.metadata,
        "secrets": list(map(_secret_document, client.secrets)),
        "managed_by": client.managed_by,
        "last_used_on": _day(client.last_used_at),
        **_times(client),
    }


def resource_server_document(api: ResourceServer) -> Document:
    """Describe an API."""
    return {
        "identifier": api.identifier,
        "name": api.name,
        "scopes": dict(api.scopes),
        "format": api.token_format,
        "alg": api.signing_alg,
        "lifetime": api.token_lifetime_seconds,
        "claims": dict(api.claims),
        "introspected_by": list(api.introspected_by),
        "managed_by": api.managed_by,
        **_times(api),
    }


def user_document(user: User, role: str = "") -> Document:
    """Describe a user; `role` is what they may administer."""
    return {
        "id": user.subject,
        "email": user.email,
        "enabled": user.is_enabled,
        "claims": dict(user.claims),
        "roles": list(user.roles),
        "groups": list(user.groups),
        "attributes": dict(user.attributes),
        "role": role or None,
        **_times(user),
    }


def session_document(session: BrowserSession) -> Document:
    """Describe a browser session."""
    return {
        "id": session.sid,
        "user_id": show_id(session.user_id),
        "address_prefix": session.address_prefix,
        "user_agent": session.user_agent,
        "authenticated_at": instant(session.authenticated_at),
        "last_seen_at": instant(session.last_seen_at),
        "ends_at": instant(min(session.idle_at, session.expires_at)),
    }


def grant_document(grant: Grant) -> Document:
    """Describe a grant."""
    return {
        "id": grant.shown_id,
        "client_id": grant.client_id,
        "user_id": show_id(grant.user_id),
        "scope": " ".join(grant.scope),
        "apis": list(grant.resources),
        "offline": bool(grant.offline),
        "created_at": instant(grant.created_at),
        "last_refreshed_at": instant(grant.rotated_at),
        "ends_at": instant(min(grant.idle_at, grant.expires_at)),
    }


def event_document(event: AuditEvent) -> Document:
    """Describe an audit event."""
    names = ("action", "outcome", "actor", "client_id", "subject", "address_prefix", "because", "request_id")
    texts = {name: getattr(event, name) for name in names}
    return {"id": show_id(event.id), "at": instant(event.at), **texts, "details": dict(event.details)}


def _secret_document(secret: ClientSecret) -> Document:
    return {
        "id": secret.id,
        "created_at": instant(secret.created_at),
        "expires_at": instant(secret.expires_at),
        "last_used_on": _day(secret.last_used_at),
    }


def _day(at: datetime | None) -> str | None:
    day = instant(at)
    return day and day[:10]


def _times(row: Client | ResourceServer | User) -> Document:
    return {"version": row.version, "created_at": instant(row.created_at), "updated_at": instant(row.updated_at)}
