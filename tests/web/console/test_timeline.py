"""The life of a key on an axis of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from authserver.web.console.timeline import Timeline, timelines

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(days=90)


def key(kid: str, state: str, created: float, signs: float, retired: float | None = None, removed: float | None = None) -> dict[str, Any]:
    """A key's document; the instants are days from now."""

    def written(days: float | None) -> str | None:
        return None if days is None else (NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    times = {"created_at": written(created), "signs_from": written(signs), "retired_at": written(retired), "removed_at": written(removed)}
    return {"kid": kid, "alg": "RS256", "state": state, **times}


def drawn(*keys: dict[str, Any]) -> Timeline:
    (found,) = timelines(keys, NOW, LIFETIME)
    return found


def test_a_first_key_signs_until_its_planned_end() -> None:
    line = drawn(key("a", "signing", -30, -30))
    assert [(phase.name, phase.x, phase.width) for phase in line.lives[0].phases] == [("signing", 0, 100)]
    assert 30 < line.now < 50
    assert line.rotates_at == NOW + timedelta(days=60)
    assert [(moment.name, moment.has_come, moment.is_planned) for moment in line.lives[0].moments] == [
        ("announced", True, False),
        ("signing", True, False),
        ("retired", False, True),
        ("removed", False, False),
    ]


def test_an_announced_key_takes_over_where_the_one_before_retires() -> None:
    line = drawn(key("a", "signing", -89, -89, 0.1, 0.3), key("b", "announced", 0, 0.1))
    newer, older = line.lives
    assert [phase.name for phase in older.phases] == ["signing", "retired"]
    assert [phase.name for phase in newer.phases] == ["announced", "signing"]
    assert newer.phases[1].x == pytest.approx(older.phases[0].x + older.phases[0].width, abs=0.01)
    assert line.rotates_at == NOW + timedelta(days=90.1)


def test_short_phases_are_seen_beside_long_ones_and_nothing_leaves_the_axis() -> None:
    line = drawn(key("a", "signing", -88, -88, 0.1, 0.3), key("b", "announced", 0, 0.1))
    for life in line.lives:
        assert all(phase.width > 3 and phase.x >= 0 and phase.x + phase.width <= 100.01 for phase in life.phases)
        assert [phase.x for phase in life.phases] == sorted(phase.x for phase in life.phases)
    assert line.lives[1].phases[0].width > 3 * line.lives[1].phases[1].width
    assert 0 < line.now < 100


def test_the_moments_of_a_key_come_one_after_the_other() -> None:
    line = drawn(key("a", "removed", -200, -199, -100, -99), key("b", "signing", -101, -100))
    assert [life.kid for life in line.lives] == ["b", "a"]
    for life in line.lives:
        times = [moment.at for moment in life.moments if moment.at]
        assert all(before <= after for before, after in pairwise(times))


def test_a_revoked_key_ends_where_it_was_removed() -> None:
    line = drawn(key("a", "removed", -10, -10, None, -1), key("b", "signing", -1, -1))
    assert [phase.name for phase in line.lives[1].phases] == ["signing"]
    assert line.lives[1].moments[3].has_come


def test_a_key_that_was_revoked_before_it_signed_never_signs() -> None:
    line = drawn(key("a", "removed", -10, -10, -1, -1), key("b", "removed", -1.1, -0.9, None, -1), key("c", "signing", -1, -1))
    revoked = line.lives[1]
    assert [phase.name for phase in revoked.phases] == ["announced"]
    assert revoked.moments[1].at is None
    assert line.rotates_at == NOW + timedelta(days=89)
