"""Keys: listed, rotated in an emergency, and sealed anew (NIST SP 800-57 part 1 section 8; RFC 9700 section 4.10)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from authserver.admin.documents import instant
from authserver.admin.errors import Conflict, Invalid
from authserver.admin.operation import Operation
from authserver.crypto.jose import ALGORITHMS
from authserver.crypto.key_ring import REFRESH, RingKey, state
from authserver.crypto.sealing import is_current, seal, unseal
from authserver.oauth.signing_keys import announce_successor, ensure_keys, load_ring, make_key, retained
from authserver.store.resource_server import list_resource_servers
from authserver.store.signing_key import SigningKey, list_keys, reseal_key, retire_key, start_signing

ALWAYS = ("RS256", REFRESH)


def key_documents(operation: Operation) -> list[dict[str, Any]]:
    """Describe all keys with their state. Raises SealBroken."""
    keys, now = load_ring(operation.runtime, operation.db).keys, operation.runtime.now()
    created = {row.kid: row.created_at for row in list_keys(operation.db)}
    return [
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": state(key, keys, now),
            "created_at": instant(created[key.kid]),
            "signs_from": instant(key.signs_at),
            "retired_at": instant(_retired_at(key, keys)),
            "removed_at": instant(key.removed_at),
        }
        for key in keys
    ]


def _retired_at(key: RingKey, keys: Iterable[RingKey]) -> datetime | None:
    """Return when the next key of its algorithm signs, which this one then no longer does."""
    return min((other.signs_at for other in keys if other.alg == key.alg and other.signs_at > key.signs_at), default=None)


def ensure_needed_keys(operation: Operation) -> None:
    """Make the first keys, and the successors that are due."""
    algs = {*ALWAYS, *(row.alg for row in list_keys(operation.db)), *(api.signing_alg for api in list_resource_servers(operation.db))}
    ensure_keys(operation.runtime, operation.db, tuple(sorted(algs)), operation.now())


def rotate(operation: Operation, algs: tuple[str, ...] = (), *, announce: bool = False, revoke: bool = False) -> list[str]:
    """Let a new key sign at once, or announce it; return the algorithms. Raises Invalid, Conflict.

    `revoke` drops all keys before it, so that nothing that they signed verifies any more.
    """
    rows = list_keys(operation.db)
    wanted = algs or tuple(sorted({row.alg for row in rows}))
    for alg in wanted:
        if alg not in (*ALGORITHMS, REFRESH):
            raise Invalid("alg", f"must be one of {', '.join((*ALGORITHMS, REFRESH))}")
        _rotate_one(operation, alg, [row for row in rows if row.alg == alg], announce, revoke)
    operation.note("keys.rotate", details={"algs": list(wanted), "announced": announce, "revoked": revoke})
    return list(wanted)


def reseal(operation: Operation) -> int:
    """Seal every key under the first key of AUTHSERVER_SECRET_KEY; return how many were not. Raises SealBroken."""
    runtime, changed = operation.runtime, 0
    for row in list_keys(operation.db):
        name = f"signing key {row.kid}"
        secret = unseal(runtime.keys, name, row.sealed)
        if not is_current(runtime.keys, row.sealed):
            reseal_key(operation.db, row.kid, seal(runtime.keys, runtime.new_secret, name, secret))
            changed += 1
    operation.note("keys.reseal", details={"keys": changed})
    return changed


def _rotate_one(operation: Operation, alg: str, rows: list[SigningKey], announce: bool, revoke: bool) -> None:
    now, runtime, db = operation.now(), operation.runtime, operation.db
    if not rows:
        make_key(runtime, db, alg, 1, now)
    elif revoke:
        for row in rows:
            retire_key(db, row.kid, now)
        make_key(runtime, db, alg, rows[-1].number + 1, now)
    elif announce and rows[-1].signs_at > now:
        raise Conflict(f"a new {alg} key is announced already; it signs from {instant(rows[-1].signs_at)}")
    elif rows[-1].signs_at > now:
        start_signing(db, rows[-1].kid, now)
        retire_key(db, rows[-2].kid, now + retained(runtime, db, alg))
    else:
        announce_successor(runtime, db, rows[-1], now + runtime.settings.signing_key_announcement if announce else now)
