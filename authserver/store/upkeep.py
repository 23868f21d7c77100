"""Keeping tables as large as what is alive: expired rows go a few at a time, through the index of their instant."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, delete, func, literal, select, union_all

from authserver.store.access_token import access_tokens, revoked_tokens
from authserver.store.audit import audit_events
from authserver.store.authorization_code import authorization_codes
from authserver.store.authorization_request import authorization_requests
from authserver.store.base import Database
from authserver.store.browser_session import browser_sessions
from authserver.store.figure import figures
from authserver.store.grant import grants
from authserver.store.idempotency import idempotency_keys
from authserver.store.link import links
from authserver.store.outbox import outbox
from authserver.store.rate_limit import rate_limits
from authserver.store.refusal import refusals
from authserver.store.replay import spent
from authserver.store.signing_key import signing_keys

EXPIRIES: tuple[tuple[Table, Column[datetime]], ...] = (
    (authorization_codes, authorization_codes.c.expires_at),
    (authorization_requests, authorization_requests.c.expires_at),
    (access_tokens, access_tokens.c.expires_at),
    (revoked_tokens, revoked_tokens.c.expires_at),
    (browser_sessions, browser_sessions.c.idle_at),
    (grants, grants.c.retained_until),
    (rate_limits, rate_limits.c.expires_at),
    (spent, spent.c.expires_at),
    (audit_events, audit_events.c.expires_at),
    (signing_keys, signing_keys.c.removed_at),
    (refusals, refusals.c.expires_at),
    (figures, figures.c.expires_at),
    (idempotency_keys, idempotency_keys.c.expires_at),
    (links, links.c.expires_at),
    (outbox, outbox.c.expires_at),
)
"""Every table whose rows end by themselves, with the instant at which they do."""


KEPT = {authorization_codes.name: timedelta(minutes=10)}
"""How long rows stay after that: a replayed code is known for as long as what it gave may be in use."""


def prune(db: Database, now: datetime, limit: int) -> dict[str, int]:
    """Delete at most `limit` expired rows of each table; return how many, by table."""
    nothing = timedelta(0)
    return {table.name: _delete_expired(db, table, column, now - KEPT.get(table.name, nothing), limit) for table, column in EXPIRIES}


def overdue(db: Database, now: datetime) -> timedelta:
    """Tell for how long the oldest row that should be gone by now has been there too long; one statement, by the indexes."""
    oldest = [select(func.min(column).label("at"), literal(table.name).label("name")) for table, column in EXPIRIES]
    due = [found.at + KEPT.get(found.name, timedelta(0)) for found in db.execute(union_all(*oldest)) if found.at is not None]
    return max(timedelta(0), now - min(due, default=now))


def _delete_expired(db: Database, table: Table, column: Column[Any], before: datetime, limit: int) -> int:
    """Delete at most `limit` rows whose instant has passed, through its index; return how many."""
    keys = list(table.primary_key.columns)
    found = db.execute(select(*keys).where(column < before).order_by(column).limit(limit)).all()
    if not found:
        return 0
    if len(keys) == 1:
        return db.execute(delete(table).where(keys[0].in_([row[0] for row in found]), column < before)).rowcount
    return sum(db.execute(delete(table).where(*(key == part for key, part in zip(keys, row, strict=True)))).rowcount for row in found)
