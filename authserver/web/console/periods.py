"""The periods that the overview shows, and its figures laid out as a table: a row for each step, a column for each label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

MOST_COLUMNS = 7
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Period:
    """A span that ends now, cut into `count` steps; steps begin at whole hours or days in UTC."""

    name: str
    title: str
    step: timedelta
    count: int
    each: str
    labelled_every: int
    label_format: str
    row_format: str

    def steps(self, now: datetime) -> list[datetime]:
        """Return when each step begins, the one that goes on at `now` last."""
        seconds = int(self.step.total_seconds())
        last = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
        return [last - back * self.step for back in reversed(range(self.count))]

    def label(self, at: datetime) -> str:
        """Write below a chart when a step begins; empty for those in between."""
        number = int(at.timestamp()) // int(self.step.total_seconds())
        return "" if number % self.labelled_every else at.strftime(self.label_format)


PERIODS = {
    period.name: period
    for period in (
        Period("24h", "24 hours", timedelta(hours=1), 24, "each hour", 3, "%H:%M", "%d %b, %H:%M"),
        Period("7d", "7 days", timedelta(hours=6), 28, "every six hours", 4, "%d %b", "%d %b, %H:%M"),
        Period("30d", "30 days", timedelta(days=1), 30, "each day", 5, "%d %b", "%d %b"),
    )
}
USUAL = "24h"


class Series(Protocol):
    """What admin/figures.py counts: how often `label` happened from each instant on."""

    @property
    def label(self) -> str:
        """What was counted."""

    @property
    def points(self) -> Sequence[tuple[datetime, int]]:
        """When a step begins, and the count."""


@dataclass(frozen=True, slots=True)
class Column:
    """One label's counts, a value for each step; `colour` is the number of its colour in chart and table."""

    label: str
    colour: int
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum of all steps."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Figures:
    """A table of counts."""

    steps: tuple[datetime, ...]
    columns: tuple[Column, ...]

    @property
    def total(self) -> int:
        """The sum of everything."""
        return sum(column.total for column in self.columns)

    @property
    def highest(self) -> int:
        """The highest sum of one step."""
        return max((sum(values) for values in zip(*(column.values for column in self.columns), strict=True)), default=0)


def tabulate(period: Period, now: datetime, counted: Iterable[Series], order: Sequence[str] = ()) -> Figures:
    """Lay counts out: the labels of `order` first and always in the same colours, then the rest by their sums, the smallest together."""
    steps = period.steps(now)
    sums = {series.label: _spread(steps, period.step, series.points) for series in counted}
    known = [label for label in order if label in sums]
    rest = sorted((label for label in sums if label not in order), key=lambda label: (-sum(sums[label]), label))
    room = MOST_COLUMNS - len(order)
    shown = [*known, *rest[:room]]
    columns = [Column(label, _colour(label, order, rest), tuple(sums[label])) for label in shown]
    if rest[room:]:
        columns.append(Column(OTHER, MOST_COLUMNS, tuple(map(sum, zip(*(sums[label] for label in rest[room:]), strict=True)))))
    return Figures(tuple(steps), tuple(column for column in columns if column.total))


def _spread(steps: list[datetime], step: timedelta, points: Iterable[tuple[datetime, int]]) -> list[int]:
    counts = [0] * len(steps)
    for at, count in points:
        place = (at - steps[0]) // step
        if 0 <= place < len(counts):
            counts[place] += count
    return counts


def _colour(label: str, order: Sequence[str], rest: list[str]) -> int:
    return order.index(label) if label in order else len(order) + rest.index(label)
