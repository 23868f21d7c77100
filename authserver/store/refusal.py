"""Refused authorization and token requests of the last days: what was asked, and the private reason; never a secret."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Table, select

from authserver.crypto.digest import new_token
from authserver.runtime import Runtime
from authserver.runtime.log import circumstances
from authserver.store.base import Database, Instant, ascii_text, behind, document, insert_once, metadata, one, rows, text

KEPT_PARAMETERS = frozenset(
    [
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "resource", "audience", "prompt", "grant_type"),
        *("code_challenge_method", "max_age", "display", "ui_locales", "acr_values", "client_assertion_type"),
    ]
)
LONGEST_VALUE = 1000
WAITING = "refusals waiting"

refusals = Table(
    "refusals",
    metadata,
    Column("error_id", ascii_text(64), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("endpoint", ascii_text(32), nullable=False),
    Column("error", ascii_text(64), nullable=False),
    Column("because", text(255), nullable=False),
    Column("client_id", text(255), nullable=False),
    Column("address_prefix", ascii_text(64), nullable=False),
    Column("asked", document(), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Index("ix_refusals_at_error_id", "at", "error_id"),
    Index("ix_refusals_client_id_at", "client_id", "at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refused request. `error_id` is its request id; `asked` has the parameters that may be kept, by name."""

    error_id: str
    at: datetime
    endpoint: str
    error: str
    because: str
    client_id: str
    address_prefix: str
    asked: Mapping[str, Any]
    expires_at: datetime


def note_refusal(
    runtime: Runtime, *, endpoint: str, error: str, because: str, client_id: str, known: bool, asked: Iterable[tuple[str, str]]
) -> None:
    """Remember a refused request, to be written after its answer; `asked` are all of its parameters, of which few are kept.

    So many a minute of each client that is known, and as many of all others, or anybody could fill the table from outside.
    """
    now, where, memo = runtime.now(), circumstances.get(), runtime.caches.memo
    if _is_one_too_many(runtime, client_id if known else ""):
        return
    row = Refusal(
        error_id=where.request_id or new_token(runtime.new_secret)[:18],
        at=now,
        endpoint=endpoint,
        error=error[:64],
        because=_printable(because, 255),
        client_id=_printable(client_id, 255),
        address_prefix=where.address_prefix,
        asked=_kept(asked),
        expires_at=now + runtime.settings.refusal_lifetime,
    )
    memo.setdefault(WAITING, []).append(row)


def _is_one_too_many(runtime: Runtime, client_id: str) -> bool:
    memo, minute = runtime.caches.memo, int(runtime.now().timestamp()) // 60
    latest, counts = memo.get("refusals counted", (minute, None))
    if counts is None or latest != minute:
        counts = Counter[str]()
        memo["refusals counted"] = (minute, counts)
    counts[client_id] += 1
    return bool(counts[client_id] > runtime.settings.refused_events_per_minute)


def waiting_refusals(runtime: Runtime) -> list[Refusal]:
    """Take what was noted and is not written yet."""
    found: list[Refusal] = runtime.caches.memo.pop(WAITING, [])
    return found


def _kept(asked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keep the parameters that tell what was wrong; no code, token, secret, state or nonce is among them."""
    kept: dict[str, str] = {}
    for name, value in asked:
        if name in KEPT_PARAMETERS:
            kept[name] = _printable(f"{kept[name]} {value}" if name in kept else value, LONGEST_VALUE)
    return kept


def _printable(text: str, most: int) -> str:
    """Shorten a text, and write what no database or terminal takes (NUL, surrogates, controls) as a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text[:most])


def insert_refusal(db: Database, row: Refusal) -> None:
    """Add a refusal, once."""
    insert_once(db, refusals, {name: getattr(row, name) for name in Refusal.__dataclass_fields__})


def find_refusal(db: Database, error_id: str) -> Refusal | None:
    """Look a refusal up."""
    return one(db, Refusal, select(refusals).where(refusals.c.error_id == error_id))


def list_refusals(db: Database, *, client_id: str = "", before: tuple[datetime, str] | None = None, limit: int) -> list[Refusal]:
    """List refusals, newest first, of one client or of all; `before` is the instant and id of the last one seen."""
    query = select(refusals)
    if client_id:
        query = query.where(refusals.c.client_id == client_id)
    if before is not None:
        query = query.where(behind((refusals.c.at, refusals.c.error_id), before, descending=True))
    return rows(db, Refusal, query.order_by(refusals.c.at.desc(), refusals.c.error_id.desc()).limit(limit))
