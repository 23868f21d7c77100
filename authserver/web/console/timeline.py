"""The lives of keys on one axis of time: announced → signing → retired → removed, placed in per cent of its length.

The axis is not to scale: a key is announced for hours, and signs for months.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

FLATTENED = 0.35
LEAST_WIDTH = 1.0
"""What less than an hour is drawn as, where a day is 3 and ninety days are 15."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a key's life; `at` is None where it is not known yet. `is_planned`: it may still come sooner."""

    name: str
    at: datetime | None
    has_come: bool
    is_planned: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a key's life, from `x` per cent of the axis on, `width` per cent long."""

    name: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Life:
    """A key: its id and state, its four moments, and where they lie on the axis."""

    kid: str
    state: str
    moments: tuple[Moment, ...]
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The keys of one algorithm on their axis, newest first; `now` is the per cent where now lies."""

    alg: str
    now: float
    lives: tuple[Life, ...]
    rotates_at: datetime | None


class _Axis:
    """Where instants lie. The longer two of them are apart, the wider, but far less than in proportion: hours beside months are seen."""

    def __init__(self, instants: Iterable[datetime]) -> None:
        """Place all instants that will be asked for."""
        known = sorted(set(instants))
        widths = [0.0, *(max(LEAST_WIDTH, float(((b - a) / timedelta(hours=1)) ** FLATTENED)) for a, b in pairwise(known))]
        whole = sum(widths) or 1.0
        self._places: dict[datetime, float] = {
            at: round(100 * reached / whole, 2) for at, reached in zip(known, accumulate(widths), strict=True)
        }

    def place(self, at: datetime) -> float:
        """Return the per cent where an instant lies."""
        return self._places[at]


def timelines(keys: Iterable[Mapping[str, Any]], now: datetime, lifetime: timedelta) -> list[Timeline]:
    """Draw the documents of admin/keys.py, an algorithm each; a key that signs will be replaced after `lifetime`."""
    by_alg: dict[str, list[Mapping[str, Any]]] = {}
    for key in keys:
        by_alg.setdefault(key["alg"], []).append(key)
    return [_timeline(alg, found, now, lifetime) for alg, found in sorted(by_alg.items())]


def _timeline(alg: str, keys: Sequence[Mapping[str, Any]], now: datetime, lifetime: timedelta) -> Timeline:
    lives = [_moments(key, now, lifetime) for key in keys]
    known = [moment.at for moments in lives for moment in moments if moment.at is not None]
    axis = _Axis([*known, now])
    drawn = [Life(key["kid"], key["state"], moments, _phases(axis, moments)) for key, moments in zip(keys, lives, strict=True)]
    alive = [moments for key, moments in zip(keys, lives, strict=True) if key["state"] != "removed"]
    rotates_at = max((moments[2].at for moments in alive if moments[2].at is not None), default=None)
    return Timeline(alg, axis.place(now), tuple(reversed(drawn)), rotates_at)


def _moments(key: Mapping[str, Any], now: datetime, lifetime: timedelta) -> tuple[Moment, ...]:
    announced, signs, retired, removed = (_read(key[name]) for name in ("created_at", "signs_from", "retired_at", "removed_at"))
    planned = retired is None and removed is None
    if planned and signs is not None:
        retired = signs + lifetime
    if signs is not None and removed is not None and removed <= signs:
        signs = retired = None
    times = {"announced": announced, "signing": signs, "retired": retired or removed, "removed": removed}
    return tuple(Moment(name, at, at is not None and at <= now, planned and name == "retired") for name, at in times.items())


def _phases(axis: _Axis, moments: tuple[Moment, ...]) -> tuple[Phase, ...]:
    """Place what lies between the moments that are known; a phase without a length is left out."""
    phases = []
    for name, (begin, *later) in (("announced", moments), ("signing", moments[1:]), ("retired", moments[2:])):
        end = next((moment.at for moment in later if moment.at is not None), None)
        if begin.at is not None and end is not None and end > begin.at:
            phases.append(Phase(name, axis.place(begin.at), round(axis.place(end) - axis.place(begin.at), 2)))
    return tuple(phases)


def _read(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
