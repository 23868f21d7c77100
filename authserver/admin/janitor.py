"""What a schedule does: send mail that waits, delete what has expired, make due keys. Commits for itself, in small transactions."""

from collections import Counter
from collections.abc import Callable

from authserver.admin.authority import Authority
from authserver.admin.keys import ensure_needed_keys
from authserver.admin.operation import Operation
from authserver.admin.outbox import deliver
from authserver.admin.test_drive import end_old_test_drives
from authserver.runtime import Runtime
from authserver.runtime.metrics import janitor_lagged
from authserver.store.base import transaction
from authserver.store.credential import drop_idle_decoy
from authserver.store.upkeep import overdue, prune

ROWS_AT_ONCE = 1000


def sweep(runtime: Runtime, is_over: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Send what waits and delete all that has expired; return how many letters and rows, by table.

    Once `is_over`, the rest is left for the next round; due keys are made in any case.
    """
    total: Counter[str] = Counter(deliver(runtime, is_over))
    with transaction(runtime.engine) as db:
        janitor_lagged(overdue(db, runtime.now()).total_seconds())
    more = True
    while more:
        with transaction(runtime.engine) as db:
            deleted = prune(db, runtime.now(), ROWS_AT_ONCE)
        total.update(deleted)
        more = max(deleted.values()) >= ROWS_AT_ONCE and not is_over()
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime, Authority("janitor"))
        ensure_needed_keys(operation)
        end_old_test_drives(operation)
        drop_idle_decoy(db)
    return dict(total)
