"""The password factor (NIST SP 800-63B-4 section 3.1.1): verified outside any transaction, rehashed when settings change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authserver.runtime import Runtime
from authserver.store.base import Database
from authserver.store.credential import find_password_hash
from authserver.store.user import User

if TYPE_CHECKING:
    from authserver.crypto.password_hash import PasswordHash

NOBODY = bytes(16)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the password is right, and its new hash where the settings have changed since it was hashed."""

    is_right: bool
    new_hash: str | None = None


def verify(db: Database, runtime: Runtime, user: User | None, password: str) -> Verified:
    """Compare with the user's password, taking the same time where there is no such user or no password.

    Gives the connection back while it hashes. Raises HashingBusy.
    """
    stored = find_password_hash(db, user.id if user else NOBODY)
    db.close()
    hashing = password_hash(runtime)
    if not hashing.verify(stored, password) or stored is None:
        return Verified(is_right=False)
    return Verified(is_right=True, new_hash=hashing.hash(password) if hashing.needs_rehash(stored) else None)


def password_hash(runtime: Runtime) -> "PasswordHash":
    """Return this process's hashing, which bounds how many passwords are hashed at once."""
    memo = runtime.caches.memo
    if "password_hash" not in memo:
        from authserver.crypto.password_hash import PasswordHash

        hashing = PasswordHash(runtime.settings)
        hashing.verify(None, "")  # makes what unknown users are compared with, so that the first of them waits no longer
        memo.setdefault("password_hash", hashing)
    found: PasswordHash = memo["password_hash"]
    return found
