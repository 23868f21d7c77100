"""Audit events: who did what to whom, from where, with what outcome, and the private reason."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Table, func, select

from authserver.runtime import Runtime
from authserver.runtime.log import circumstances
from authserver.runtime.metrics import happened
from authserver.store.base import Database, Instant, ascii_text, behind, binary, document, metadata, new_id, rows, text

log = logging.getLogger("authserver.audit")

HAPPENING_FIELDS = ("action", "outcome", "actor", "client_id", "subject", "because", "details")

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", binary(16), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("action", ascii_text(64), nullable=False),
    Column("outcome", ascii_text(16), nullable=False),
    Column("actor", text(255), nullable=False),
    Column("client_id", text(255), nullable=False),
    Column("subject", text(255), nullable=False),
    Column("address_prefix", ascii_text(64), nullable=False),
    Column("because", text(255), nullable=False),
    Column("request_id", ascii_text(64), nullable=False),
    Column("details", document(), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Index("ix_audit_events_at_id", "at", "id"),
    Index("ix_audit_events_action_at_id", "action", "at", "id"),
    Index("ix_audit_events_actor_at_id", "actor", "at", "id"),
    Index("ix_audit_events_client_id_at_id", "client_id", "at", "id"),
    Index("ix_audit_events_subject_at_id", "subject", "at", "id"),
    Index("ix_audit_events_request_id", "request_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One event. `because` is never shown to the one who was refused."""

    id: bytes
    at: datetime
    action: str
    outcome: str
    actor: str
    client_id: str
    subject: str
    address_prefix: str
    because: str
    request_id: str
    details: Mapping[str, Any]
    expires_at: datetime


def insert_event(db: Database, values: Mapping[str, object]) -> None:
    """Add an event."""
    db.execute(audit_events.insert().values(**values))


def insert_events(db: Database, values: Sequence[Mapping[str, object]]) -> None:
    """Add many events."""
    if values:
        db.execute(audit_events.insert(), values)


def count_events(db: Database, action: str) -> int:
    """Count the events of one action that are kept."""
    return int(db.execute(select(func.count()).where(audit_events.c.action == action)).scalar_one())


def find_deleted(db: Database, subjects: Sequence[str], email: str = "") -> set[str]:
    """Return the subjects of the users who were deleted, as far as events are kept: of these subjects, or with this address."""
    is_asked = audit_events.c.subject.in_(list(subjects))
    if email:
        is_asked |= audit_events.c.details["before"]["email"].as_string() == email
    return set(db.execute(select(audit_events.c.subject).where(audit_events.c.action == "user.delete", is_asked)).scalars())


def list_events(
    db: Database,
    limit: int = 100,
    *,
    matching: Mapping[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, bytes] | None = None,
) -> list[AuditEvent]:
    """List events, newest first: those with these values, from `since` to before `until`, behind the last one seen."""
    query = select(audit_events).where(*(audit_events.c[name] == value for name, value in (matching or {}).items()))
    if since is not None:
        query = query.where(audit_events.c.at >= since)
    if until is not None:
        query = query.where(audit_events.c.at < until)
    if before is not None:
        query = query.where(behind((audit_events.c.at, audit_events.c.id), before, descending=True))
    return rows(db, AuditEvent, query.order_by(audit_events.c.at.desc(), audit_events.c.id.desc()).limit(limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What `record` is told: an action (`sign_in`, `consent`, `client.create`…), its outcome, and who and whom."""

    action: str
    outcome: str = "ok"
    actor: str = ""
    client_id: str = ""
    subject: str = ""
    because: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def log_happening(happening: Happening) -> None:
    """Write the event as a log line alone."""
    where = circumstances.get()
    line = {name: getattr(happening, name) for name in HAPPENING_FIELDS if getattr(happening, name)}
    log.info(happening.action, extra={**line, "address_prefix": where.address_prefix})
    happened(happening.action, happening.outcome, str(happening.details.get("error", "")))


def record(db: Database, runtime: Runtime, happening: Happening) -> None:
    """Write the event as a row and as a log line."""
    insert_event(db, event_values(runtime, happening))
    log_happening(happening)


def event_values(runtime: Runtime, happening: Happening) -> dict[str, Any]:
    """Return the event's row."""
    now, where = runtime.now(), circumstances.get()
    values = {name: getattr(happening, name) for name in HAPPENING_FIELDS}
    for name in ("actor", "client_id", "subject", "because"):
        values[name] = values[name][:255]
    return {
        "id": new_id(runtime.new_secret(16)),
        "at": now,
        **values,
        "address_prefix": where.address_prefix,
        "request_id": where.request_id,
        "expires_at": now + runtime.settings.audit_lifetime,
    }
