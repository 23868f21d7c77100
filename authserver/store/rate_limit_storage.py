"""What the library `limits` counts with: its storage interface over the table of rate_limit.py, by the runtime's clock.

A module of its own because it imports the library, which only the sign-in page needs.
"""

from datetime import timedelta

from limits.storage import Storage
from sqlalchemy.exc import SQLAlchemyError

from authserver.runtime import Runtime
from authserver.store.base import count, transaction
from authserver.store.rate_limit import count_hits, find_hits, forget_hits, rate_limits


class DatabaseStorage(Storage):
    """Fixed windows in the database; every call is a transaction of its own."""

    STORAGE_SCHEME = None

    def __init__(self, runtime: Runtime) -> None:
        """Count in the runtime's database."""
        super().__init__()
        self._runtime = runtime

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failing database raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and commit; return where the counter stands."""
        now = self._runtime.now()
        with transaction(self._runtime.engine) as db:
            return count_hits(db, key, amount, now, now + timedelta(seconds=expiry))

    def get(self, key: str) -> int:
        """Return where the counter stands."""
        with transaction(self._runtime.engine) as db:
            found = find_hits(db, key, self._runtime.now())
        return found[0] if found else 0

    def get_expiry(self, key: str) -> float:
        """Return the instant, in epoch seconds, at which the counter begins anew."""
        now = self._runtime.now()
        with transaction(self._runtime.engine) as db:
            found = find_hits(db, key, now)
        return (found[1] if found else now).timestamp()

    def clear(self, key: str) -> None:
        """Begin the counter anew."""
        with transaction(self._runtime.engine) as db:
            forget_hits(db, key)

    def check(self) -> bool:
        """Tell whether the table answers."""
        with transaction(self._runtime.engine) as db:
            return count(db, rate_limits) >= 0

    def reset(self) -> int:
        """Begin all counters anew; return how many there were."""
        with transaction(self._runtime.engine) as db:
            return db.execute(rate_limits.delete()).rowcount
