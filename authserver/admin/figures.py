"""Figures of the overview: what happened over time, how large the tables are, how old the keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from authserver.admin.keys import key_documents
from authserver.admin.operation import Operation
from authserver.store.figure import floor, list_figures
from authserver.store.schema import HEAD, find_revision
from authserver.store.sizes import about

NAMES = ("tokens", "sign_ins", "refusals")


@dataclass(frozen=True, slots=True)
class Series:
    """How often `label` happened in each step, oldest first, steps without it included."""

    label: str
    points: list[tuple[datetime, int]]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(count for _, count in self.points)


def series(operation: Operation, name: str, since: datetime, step: timedelta) -> list[Series]:
    """Return what of NAMES happened since an instant: `tokens` by grant, `sign_ins` by outcome, `refusals` by error.

    The most frequent label first. It is up to a minute old.
    """
    start, now = floor(since, step), operation.now()
    found = list_figures(operation.db, name, start, step)
    steps = [start + step * index for index in range(int((now - start) / step) + 1)]
    by_label: dict[str, dict[datetime, int]] = {}
    for figure in found:
        by_label.setdefault(figure.label, {})[figure.at] = figure.count
    filled = [Series(label, [(at, counts.get(at, 0)) for at in steps]) for label, counts in by_label.items()]
    return sorted(filled, key=lambda one: (-one.total, one.label))


def table_sizes(operation: Operation) -> Mapping[str, int]:
    """Return about how many rows each table has, without counting them."""
    return about(operation.db)


def overview(operation: Operation) -> dict[str, Any]:
    """Return `version`, `revision` of the tables, `needed_revision`, and `keys` that sign, as documents. Raises SealBroken."""
    keys = [document for document in key_documents(operation) if document["state"] == "signing"]
    return {"version": version("authserver"), "revision": find_revision(operation.db), "needed_revision": HEAD, "keys": keys}
