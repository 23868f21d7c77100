"""Figures behind the charts: how often something happened in each ten minutes, added up by all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Table, cast, func, select, type_coerce

from authserver.store.base import Database, Instant, ascii_text, metadata
from authserver.store.upserts import add_up

BUCKET = timedelta(minutes=10)

figures = Table(
    "figures",
    metadata,
    Column("name", ascii_text(32), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("label", ascii_text(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """How often `label` happened from `at` on, for as long as a step."""

    at: datetime
    label: str
    count: int


def bucket(now: datetime) -> datetime:
    """Return the ten minutes in which an instant lies."""
    return floor(now, BUCKET)


def floor(now: datetime, step: timedelta) -> datetime:
    """Return the step in which an instant lies, counted from 1970."""
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def add_figures(db: Database, counts: Mapping[tuple[str, str], int], now: datetime, kept: timedelta) -> None:
    """Add counts by name and label, in one statement."""
    at = bucket(now)
    add_up(
        db,
        figures,
        [
            {"name": name, "at": at, "label": label[:64], "count": count, "expires_at": at + kept}
            for (name, label), count in sorted(counts.items())
        ],
        "count",
    )


def list_figures(db: Database, name: str, since: datetime, step: timedelta) -> list[Figure]:
    """Return what happened since an instant, summed by label and step, oldest first."""
    seconds = int(step.total_seconds())
    at: Any = type_coerce(figures.c.at, BigInteger)
    start = (at - at % seconds).label("start")
    total: Any = cast(func.sum(figures.c.count), Integer)
    query = select(start, figures.c.label, total).where(figures.c.name == name, figures.c.at >= since)
    found: Any = db.execute(query.group_by(start, figures.c.label).order_by(start, figures.c.label))
    return [Figure(datetime.fromtimestamp(int(at), UTC), label, int(count)) for at, label, count in found]
