"""Rows and documents kept in the process for a few seconds, bounded in number."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from authserver.runtime.settings import Settings

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST_ENTRIES = 10_000


class Cache(Generic[K, V]):
    """Values by key, each loaded at most once per `lifetime`; a lifetime of 0 keeps nothing."""

    def __init__(self, now: Callable[[], datetime], lifetime: timedelta) -> None:
        self._now = now
        self._lifetime = lifetime
        self._entries: dict[K, tuple[datetime, V]] = {}

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Return the value of `key`, from `load()` where there is none or it is too old."""
        now = self._now()
        entry = self._entries.get(key)
        if entry is not None and now < entry[0] and entry[0] - now <= self._lifetime:
            return entry[1]
        return self.put(key, load())

    def put(self, key: K, value: V) -> V:
        """Keep `value` from now on and return it."""
        if self._lifetime:
            if len(self._entries) >= MOST_ENTRIES:
                self._entries.clear()
            self._entries[key] = (self._now() + self._lifetime, value)
        return value

    def stale(self, key: K) -> V | None:
        """Return the last value of `key`, however old: for what must be served with the database down."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


class Caches:
    """The caches of one process; users, grants and sessions are never in one."""

    def __init__(self, now: Callable[[], datetime], settings: Settings) -> None:
        self.clients: Cache[str, Any] = Cache(now, settings.client_cache_lifetime)
        self.resource_servers: Cache[str, Any] = Cache(now, settings.client_cache_lifetime)
        self.origins: Cache[str, Any] = Cache(now, settings.client_cache_lifetime)
        self.key_ring: Cache[str, Any] = Cache(now, settings.key_ring_cache_lifetime)
        self.client_keys: Cache[str, Any] = Cache(now, timedelta(minutes=5))
        self.memo: dict[Hashable, Any] = {}
