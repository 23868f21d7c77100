"""Counters in the database: none is lost, each begins anew in its time."""

import threading
from datetime import timedelta

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError

from authserver.runtime import Runtime
from authserver.store.base import count, transaction
from authserver.store.rate_limit import count_hits, find_hits, forget_hits, rate_limits
from authserver.store.rate_limit_storage import DatabaseStorage
from tests.clock import Clock

pytestmark = pytest.mark.databases


def test_a_counter_counts_and_begins_anew_when_it_has_expired(runtime: Runtime, clock: Clock) -> None:
    storage = DatabaseStorage(runtime)
    assert [storage.incr("a", 60), storage.incr("a", 60, 2), storage.incr("b", 60)] == [1, 3, 1]
    end = clock.now() + timedelta(seconds=60)
    clock.advance(seconds=59)
    assert storage.incr("a", 60) == 4
    assert (storage.get("a"), storage.get_expiry("a")) == (4, end.timestamp())
    clock.advance(seconds=1)
    assert (storage.get("a"), storage.get_expiry("a")) == (0, clock.timestamp())
    assert storage.incr("a", 60) == 1
    assert storage.get_expiry("a") == clock.timestamp() + 60


def test_counters_can_be_forgotten_one_by_one_or_all(runtime: Runtime) -> None:
    storage = DatabaseStorage(runtime)
    for name in ("a", "b", "c"):
        storage.incr(name, 60)
    storage.clear("a")
    assert (storage.get("a"), storage.get("b")) == (0, 1)
    assert storage.check()
    assert storage.reset() == 2
    assert storage.get("b") == 0
    assert storage.base_exceptions is SQLAlchemyError


def test_the_library_refuses_what_is_one_too_many(runtime: Runtime, clock: Clock) -> None:
    limiter, item = FixedWindowRateLimiter(DatabaseStorage(runtime)), parse("3/5minutes")
    assert [limiter.hit(item, "who") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.get_window_stats(item, "who").reset_time == clock.timestamp() + 300
    assert limiter.hit(item, "someone else")
    clock.advance(minutes=5)
    assert limiter.hit(item, "who")


def test_a_hit_is_committed_on_its_own(runtime: Runtime) -> None:
    with transaction(runtime.engine) as other:
        DatabaseStorage(runtime).incr("a", 60)
        assert find_hits(other, "a", runtime.now()) is not None


def test_no_hit_is_lost_among_many_at_once(runtime: Runtime) -> None:
    storage, seen = DatabaseStorage(runtime), []

    def hit() -> None:
        for _ in range(10):
            seen.append(storage.incr("a", 60))

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 41))


def test_a_counter_is_one_row(runtime: Runtime) -> None:
    now = runtime.now()
    with transaction(runtime.engine) as db:
        for _ in range(3):
            count_hits(db, "a", 1, now, now + timedelta(seconds=1))
        assert count(db, rate_limits) == 1
        forget_hits(db, "a")
        assert find_hits(db, "a", now) is None
