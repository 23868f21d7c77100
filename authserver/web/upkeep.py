"""What a process does now and then after a request, without a daemon: write what was counted and noted, delete what has expired."""

import atexit
import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.crypto.digest import Digest
from authserver.runtime import Runtime
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
        with transaction(runtime.engine) as db:
            _write_counts(runtime, db)
            deleted = prune(db, now, MOST_ROWS)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("upkeep failed", extra={"because": type(error).__name__})
        return
    if max(deleted.values()) >= MOST_ROWS:
        memo["upkeep due"] = now


def begin(runtime: Runtime) -> None:
    """Count from now on."""
    runtime.caches.memo["figures written"] = counted()


def finish_at_exit(runtime: Runtime) -> None:
    """Have the last minute's uses and figures written when the process ends."""
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
    memo = runtime.caches.memo
    used: dict[bytes, datetime] = memo.pop("secrets used", {})
    for secret, at in used.items():
        note_secret_use(db, Digest(secret), _day(at))
    noted: dict[str, datetime] = memo.setdefault("clients noted", {})
    clients: dict[str, datetime] = memo.pop("clients used", {})
    for client_id, at in clients.items():
        if noted.get(client_id) != _day(at):
            note_client_use(db, client_id, _day(at))
            noted[client_id] = _day(at)


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
