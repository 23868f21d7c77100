"""What a schedule does: delete what has expired, make the keys that are due. Commits for itself, in small transactions."""

from collections import Counter

from authserver.admin.keys import ensure_needed_keys
from authserver.admin.operation import Operation
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.upkeep import prune

ROWS_AT_ONCE = 1000


def sweep(runtime: Runtime) -> dict[str, int]:
    """Delete all that has expired; return how many rows, by table."""
    total: Counter[str] = Counter()
    more = True
    while more:
        with transaction(runtime.engine) as db:
            deleted = prune(db, runtime.now(), ROWS_AT_ONCE)
        total.update(deleted)
        more = max(deleted.values()) >= ROWS_AT_ONCE
    with transaction(runtime.engine) as db:
        ensure_needed_keys(Operation(db, runtime, "janitor"))
    return dict(total)
