"""Which key signs and which are published, decided by time alone (RFC 7517; states as in NIST SP 800-57 part 1).

announced → signing → retired → removed. A key signs from `signs_at` until the next of its algorithm does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc.jwk import Key

REFRESH = "refresh"
"""The algorithm name of the symmetric keys that authenticate refresh tokens; they are never published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """One opened key. `secret` is the joserfc key object, or raw bytes where the algorithm is REFRESH."""

    kid: str
    alg: str
    signs_at: datetime
    removed_at: datetime | None
    secret: Key | bytes
    public: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys that are not removed, oldest first within an algorithm, with the epoch of the refresh tokens."""

    keys: tuple[RingKey, ...]
    epoch: int

    def signing_key(self, alg: str, now: datetime) -> RingKey | None:
        """Return the key of `alg` that signs at `now`."""
        ready = [key for key in self.keys if key.alg == alg and key.signs_at <= now]
        return ready[-1] if ready else None

    def newest(self, alg: str) -> RingKey | None:
        """Return the key of `alg` that signs last, announced ones included."""
        keys = [key for key in self.keys if key.alg == alg]
        return keys[-1] if keys else None

    def find(self, kid: str, now: datetime) -> RingKey | None:
        """Return the key of that id, unless it is removed by `now`."""
        for key in self.keys:
            if key.kid == kid and is_published(key, now):
                return key
        return None

    def published(self, now: datetime) -> list[Mapping[str, Any]]:
        """Return the public keys to publish at `now`: announced, signing and retired ones."""
        return [key.public for key in self.keys if key.alg != REFRESH and is_published(key, now)]


def is_published(key: RingKey, now: datetime) -> bool:
    """Tell whether a key is still to be found at `now`."""
    return key.removed_at is None or now < key.removed_at


def state(key: RingKey, keys: Iterable[RingKey], now: datetime) -> str:
    """Name a key's state at `now`: announced, signing, retired or removed."""
    if not is_published(key, now):
        return "removed"
    if now < key.signs_at:
        return "announced"
    later = (other for other in keys if other.alg == key.alg and key.signs_at < other.signs_at <= now)
    return "retired" if any(later) else "signing"
