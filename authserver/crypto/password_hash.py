"""argon2id for human passwords (NIST SP 800-63B-4 section 3.1.1.2), under a bound on how many run at once.

Hashes that came from another server are compared under the same bound, until their person has signed in.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from authserver.crypto import foreign_hash
from authserver.runtime.metrics import hash_refused, hash_waits
from authserver.runtime.settings import Settings

MOST_BYTES = 1024
WAIT_SECONDS = 5
THREADS_KEPT_FREE = 2
"""Threads of the server that never wait for a password to be hashed or found right, so that they can mint tokens."""


class HashingBusy(Exception):
    """Too many passwords are being hashed; try again in a few seconds."""


class PasswordHash:
    """Hashes and verifies passwords of at most 1 KB as the settings say. Raises HashingBusy when the queue is full or takes 5 s."""

    def __init__(self, settings: Settings) -> None:
        memory = settings.password_hash_memory_bytes // 1024
        self._argon2 = PasswordHasher(time_cost=settings.password_hash_iterations, memory_cost=memory, parallelism=1)
        at_once = settings.password_hash_concurrency or max(1, (os.cpu_count() or 2) - 1)
        self._places = threading.BoundedSemaphore(at_once)
        self._queue = threading.BoundedSemaphore(max(at_once, settings.database_connections - THREADS_KEPT_FREE))
        self._nobody = ""

    def hash(self, password: str) -> str:
        """Hash a new password; ValueError above 1 KB."""
        if len(password.encode()) > MOST_BYTES:
            raise ValueError("a password can be at most 1024 bytes long")
        with self._place():
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str, decoy: str | None = None) -> bool:
        """Tell whether the password is right; takes the same time where nothing is stored.

        Give a `decoy` while there are hashes from another server: one that costs as much as they do. Then everybody who
        is refused has waited for one hash of ours and one of theirs, so that the time does not tell who came over.
        """
        presented = password.encode("utf-8", "replace")
        is_short = len(presented) <= MOST_BYTES
        if not is_short:
            presented = b""
        target, dummy = stored or self._dummy(), self._dummy()
        with self._place():
            is_right = self._matches(target, presented) and stored is not None and is_short
            other = dummy if foreign_hash.is_foreign(target) else decoy
            if not is_right and other is not None:
                self._matches(other, presented)
        return is_right

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Be one of those who wait, for a hash or for whoever else knows the password. Raises HashingBusy where that are too many."""
        if not self._queue.acquire(blocking=False):
            hash_refused()
            raise HashingBusy
        try:
            yield
        finally:
            self._queue.release()

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether the settings have changed since the password was hashed, or another server has hashed it."""
        return foreign_hash.is_foreign(stored) or self._argon2.check_needs_rehash(stored)

    def _matches(self, target: str, password: bytes) -> bool:
        if foreign_hash.is_foreign(target):
            return foreign_hash.matches(target, password)
        try:
            return self._argon2.verify(target, password)
        except (VerificationError, InvalidHashError):
            return False

    def _dummy(self) -> str:
        if not self._nobody:
            self._nobody = self._argon2.hash("nobody has this password")
        return self._nobody

    @contextmanager
    def _place(self) -> Iterator[None]:
        with self.waiting():
            self._wait()
            try:
                yield
            finally:
                self._places.release()

    def _wait(self) -> None:
        if self._places.acquire(blocking=False):
            return
        hash_waits()
        if not self._places.acquire(timeout=WAIT_SECONDS):
            hash_refused()
            raise HashingBusy
