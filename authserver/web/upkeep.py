"""What a process does now and then after a request, without a daemon: write what was counted and noted, delete what has expired.

On AWS Lambda, where a container may be gone after any request, only the day of a client's last use is written here: what is
counted are log lines (runtime/embedded_metrics.py), and a schedule deletes what has expired (jobs.janitor).
"""

import atexit
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.crypto.digest import Digest
from authserver.runtime import Runtime, embedded_metrics
from authserver.runtime.metrics import counted
from authserver.store.base import Database, transaction
from authserver.store.client import note_client_use, note_secret_use
from authserver.store.figure import add_figures
from authserver.store.refusal import WAITING, insert_refusal, waiting_refusals
from authserver.store.upkeep import prune

log = logging.getLogger("authserver.web")

EVERY = timedelta(minutes=1)
MOST_ROWS = 500


def keep_up(runtime: Runtime) -> None:
    """Do what is due, at most once a minute, in a transaction of its own; a failure only waits for the next time."""
    memo, now = runtime.caches.memo, runtime.now()
    if WAITING in memo:
        _write_refusals(runtime)
    due: datetime = memo.setdefault("upkeep due", now + EVERY)
    if now < due:
        return
    memo["upkeep due"] = now + EVERY
    try:
        is_done = _note_new_uses(runtime) if runtime.settings.on_lambda else _keep_all(runtime, now)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("upkeep failed", extra={"because": type(error).__name__})
        return
    if not is_done:
        memo["upkeep due"] = now


def _keep_all(runtime: Runtime, now: datetime) -> bool:
    with transaction(runtime.engine) as db:
        _write_counts(runtime, db)
        return max(prune(db, now, MOST_ROWS).values()) < MOST_ROWS


def _note_new_uses(runtime: Runtime) -> bool:
    with transaction(runtime.engine) as db:  # which connects at its first statement
        _note_uses(runtime, db)
    return True


def begin(runtime: Runtime) -> None:
    """Count from now on."""
    runtime.caches.memo["figures written"] = counted()
    embedded_metrics.begin(runtime)


def finish_at_exit(runtime: Runtime) -> None:
    """Have the last minute's uses and figures written when the process ends; Lambda tells no process of its end."""
    if not runtime.settings.on_lambda:
        atexit.register(_finish, runtime)


def _finish(runtime: Runtime) -> None:
    try:
        with transaction(runtime.engine) as db:
            _write_counts(runtime, db)
    except Exception as error:  # nobody is left to be told
        log.warning("last figures lost", extra={"because": type(error).__name__})


def _write_refusals(runtime: Runtime) -> None:
    try:
        with transaction(runtime.engine) as db:
            for refusal in waiting_refusals(runtime):
                insert_refusal(db, refusal)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("refusals not kept", extra={"because": type(error).__name__})


def _write_counts(runtime: Runtime, db: Database) -> None:
    _note_uses(runtime, db)
    _add_figures(runtime, db)


def _note_uses(runtime: Runtime, db: Database) -> None:
    for secret, day in _new_uses(runtime, "secrets"):
        note_secret_use(db, Digest(secret), day)
    for client_id, day in _new_uses(runtime, "clients"):
        note_client_use(db, client_id, day)


def _new_uses(runtime: Runtime, kind: str) -> Iterator[tuple[Any, datetime]]:
    """Yield what was used, with the day, at its first use of the day."""
    memo = runtime.caches.memo
    noted: dict[Any, datetime] = memo.setdefault(f"{kind} noted", {})
    used: dict[Any, datetime] = memo.pop(f"{kind} used", {})
    for key, at in used.items():
        if noted.get(key) != _day(at):
            yield key, _day(at)
            noted[key] = _day(at)


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _add_figures(runtime: Runtime, db: Database) -> None:
    """Add what was counted since the last time, in one statement."""
    memo, now = runtime.caches.memo, counted()
    before: dict[tuple[str, str], int] = memo["figures written"]
    added = {key: count - before.get(key, 0) for key, count in now.items() if count > before.get(key, 0)}
    if added:
        add_figures(db, added, runtime.now(), runtime.settings.figures_lifetime)
    memo["figures written"] = now
