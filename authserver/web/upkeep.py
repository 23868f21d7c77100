"""What a process does now and then after a request, without a daemon: note last uses, delete what has expired."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.crypto.digest import Digest
from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.client import note_secret_use
from authserver.store.upkeep import prune

log = logging.getLogger("authserver.web")

EVERY = timedelta(minutes=1)
MOST_ROWS = 500


def keep_up(runtime: Runtime) -> None:
    """Do what is due, at most once a minute, in a transaction of its own; a failure only waits for the next time."""
    memo, now = runtime.caches.memo, runtime.now()
    due: datetime = memo.setdefault("upkeep due", now + EVERY)
    if now < due:
        return
    memo["upkeep due"] = now + EVERY
    try:
        with transaction(runtime.engine) as db:
            _note_uses(runtime, db)
            deleted = prune(db, now, MOST_ROWS)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("upkeep failed", extra={"because": type(error).__name__})
        return
    if max(deleted.values()) >= MOST_ROWS:
        memo["upkeep due"] = now


def _note_uses(runtime: Runtime, db: Database) -> None:
    used: dict[bytes, datetime] = runtime.caches.memo.pop("secrets used", {})
    for secret, at in used.items():
        note_secret_use(db, Digest(secret), at.replace(hour=0, minute=0, second=0, microsecond=0))
