"""The password factor (NIST SP 800-63B-4 section 3.1.1): verified outside any transaction, rehashed when settings change."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authserver.runtime import Runtime
from authserver.store.base import Database
from authserver.store.credential import find_password_hashes
from authserver.store.user import User

if TYPE_CHECKING:
    from authserver.crypto.password_hash import PasswordHash


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the password is right, its hash as it is stored (None: there is none), and its new one where that is due."""

    is_right: bool
    stored: str | None = field(repr=False, default=None)
    new_hash: str | None = field(repr=False, default=None)


def verify(db: Database, runtime: Runtime, user: User | None, password: str) -> Verified:
    """Compare with the user's password, taking the same time where there is no such user or no password.

    Gives the connection back while it hashes. Raises HashingBusy.
    """
    stored, decoy = find_password_hashes(db, user.id if user else None)
    db.close()
    hashing = password_hash(runtime)
    if not hashing.verify(stored, password, decoy) or stored is None:
        return Verified(is_right=False, stored=stored)
    return Verified(is_right=True, stored=stored, new_hash=hashing.hash(password) if hashing.needs_rehash(stored) else None)


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
