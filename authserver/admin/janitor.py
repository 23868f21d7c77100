"""What a schedule does: send mail that waits, delete what has expired, make due keys. Commits for itself, in small transactions."""

from collections import Counter

from authserver.admin.authority import Authority
from authserver.admin.keys import ensure_needed_keys
from authserver.admin.operation import Operation
from authserver.admin.outbox import deliver
from authserver.admin.test_drive import end_old_test_drives
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.upkeep import prune

ROWS_AT_ONCE = 1000


def sweep(runtime: Runtime) -> dict[str, int]:
    """Send what waits and delete all that has expired; return how many letters and rows, by table."""
    total: Counter[str] = Counter(deliver(runtime))
    more = True
    while more:
        with transaction(runtime.engine) as db:
            deleted = prune(db, runtime.now(), ROWS_AT_ONCE)
        total.update(deleted)
        more = max(deleted.values()) >= ROWS_AT_ONCE
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime, Authority("janitor"))
        ensure_needed_keys(operation)
        end_old_test_drives(operation)
    return dict(total)
