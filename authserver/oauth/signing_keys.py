"""The ring of keys in the database: loaded and opened per process, grown by the first request after a boundary.

A new key is announced before it signs and stays published after it stopped (RFC 7517 section 5, RFC 9700 section
4.10); a unique constraint lets many processes try at once.
"""

from datetime import datetime, timedelta

from authserver.crypto import jose
from authserver.crypto.digest import encode
from authserver.crypto.key_ring import REFRESH, KeyRing, RingKey
from authserver.crypto.sealing import seal, unseal
from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.resource_server import list_resource_servers
from authserver.store.signing_key import SigningKey, find_epoch, insert_key, list_keys, retire_key

RING = "ring"
CLOCKS_DIFFER = timedelta(minutes=1)
"""The clocks of two processes may be this far apart."""

LOOKED = "looked for an unknown key"
LOOKS_AGAIN_AFTER = timedelta(seconds=1)
REFRESH_KEY_RETAINED = timedelta(days=90)
"""A refresh key opens for at least this long after it stopped signing: no family outlives it unseen."""


def key_ring(runtime: Runtime, db: Database) -> KeyRing:
    """Return the ring, at most a minute old; with the database down, the last one that was loaded."""
    from sqlalchemy.exc import DBAPIError

    def load() -> KeyRing:
        return load_ring(runtime, db)

    try:
        ring: KeyRing = runtime.caches.key_ring.get(RING, load)
    except DBAPIError:
        kept = runtime.caches.key_ring.stale(RING)
        if kept is None:
            raise
        return kept  # type: ignore[no-any-return]
    return ring


def reload_ring(runtime: Runtime, db: Database) -> KeyRing:
    """Load the ring now and keep it."""
    ring: KeyRing = runtime.caches.key_ring.put(RING, load_ring(runtime, db))
    return ring


def find_key(runtime: Runtime, db: Database, kid: str, now: datetime) -> RingKey | None:
    """Return a key of ours; an unknown one may be another process's new one, so look again, once a second at most."""
    found = key_ring(runtime, db).find(kid, now)
    looked_at: datetime | None = runtime.caches.memo.get(LOOKED)
    if found is not None or (looked_at is not None and timedelta(0) <= now - looked_at < LOOKS_AGAIN_AFTER):
        return found
    runtime.caches.memo[LOOKED] = now
    return reload_ring(runtime, db).find(kid, now)


def load_ring(runtime: Runtime, db: Database) -> KeyRing:
    """Read and open all keys; those that were open before are not parsed again. Raises SealBroken."""
    known: dict[str, RingKey] = runtime.caches.memo.setdefault(RING, {})
    keys = []
    for row in list_keys(db):
        kept = known.get(row.kid)
        if kept is None or (kept.signs_at, kept.removed_at) != (row.signs_at, row.removed_at):
            kept = known[row.kid] = _open(runtime, row)
        keys.append(kept)
    return KeyRing(tuple(keys), find_epoch(db))


def signing_key(runtime: Runtime, db: Database, alg: str, now: datetime) -> RingKey:
    """Return the key that signs with `alg` now, making it or its successor where one is due."""
    ring = key_ring(runtime, db)
    key = ring.signing_key(alg, now)
    newest = ring.newest(alg)
    if key is None or newest is None or is_successor_due(runtime, newest, now):
        db.release()  # where all threads come here at once, none of them may wait for a second connection
        return _grow(runtime, alg, now)
    return key


def key_ages(runtime: Runtime, db: Database) -> dict[str, float]:
    """Return how long the current key of each algorithm has been signing, in seconds."""
    ring, now = key_ring(runtime, db), runtime.now()
    current = (ring.signing_key(alg, now) for alg in sorted({key.alg for key in ring.keys}))
    return {key.alg: (now - key.signs_at).total_seconds() for key in current if key is not None}


def is_successor_due(runtime: Runtime, newest: RingKey, now: datetime) -> bool:
    """Tell whether the newest key of an algorithm will have signed for its life when a new one could take over."""
    settings = runtime.settings
    return now + settings.signing_key_announcement >= newest.signs_at + settings.signing_key_lifetime


def make_key(runtime: Runtime, db: Database, alg: str, number: int, signs_at: datetime) -> bool:
    """Make, seal and store the key of that number; False where another process has."""
    now = runtime.now()
    secret = runtime.new_secret(32) if alg == REFRESH else jose.generate(alg)
    kid = f"{alg.lower()}-{number}-{encode(runtime.new_secret(6))}"
    public = {} if alg == REFRESH else jose.public_members(alg, kid, jose.load(alg, secret))
    sealed = seal(runtime.keys, runtime.new_secret, f"signing key {kid}", secret)
    values = {"kid": kid, "alg": alg, "number": number, "public": public, "sealed": sealed}
    return insert_key(db, {**values, "created_at": now, "signs_at": signs_at, "removed_at": None})


def ensure_keys(runtime: Runtime, db: Database, algs: tuple[str, ...], now: datetime) -> None:
    """Make the first key, or the next one that is due, of each algorithm; the caller commits."""
    stored = list_keys(db)
    for alg in algs:
        mine = [key for key in stored if key.alg == alg]
        newest = mine[-1] if mine else None
        if newest is None:
            make_key(runtime, db, alg, 1, now)
        elif is_successor_due(runtime, _open(runtime, newest), now):
            announce_successor(runtime, db, newest, now + runtime.settings.signing_key_announcement)


def announce_successor(runtime: Runtime, db: Database, newest: SigningKey, signs_at: datetime) -> bool:
    """Make the key that signs from `signs_at`, and set when the one before it is removed."""
    made = make_key(runtime, db, newest.alg, newest.number + 1, signs_at)
    if made:
        retire_key(db, newest.kid, signs_at + retained(runtime, db, newest.alg))
    return made


def retained(runtime: Runtime, db: Database, alg: str) -> timedelta:
    """How long a key stays published after it stopped signing: the longest token's life, and the caches' time."""
    if alg == REFRESH:
        return max(REFRESH_KEY_RETAINED, runtime.settings.refresh_token_lifetime)
    settings = runtime.settings
    lifetimes = [api.lifetime(settings.access_token_lifetime) for api in list_resource_servers(db)]
    longest = max([settings.access_token_lifetime, settings.id_token_lifetime, *lifetimes])
    return longest + settings.signing_key_announcement


def _grow(runtime: Runtime, alg: str, now: datetime) -> RingKey:
    with transaction(runtime.engine) as db:
        ensure_keys(runtime, db, (alg,), now)
    with transaction(runtime.engine) as db:
        ring = reload_ring(runtime, db)
    key = ring.signing_key(alg, now) or _first_of_another(ring, alg, now)
    if key is None:
        raise LookupError(f"no {alg} key signs yet")
    return key


def _first_of_another(ring: KeyRing, alg: str, now: datetime) -> RingKey | None:
    """Return the first key where another process made it just now, by a clock or a request that is a little ahead."""
    first = next((key for key in ring.keys if key.alg == alg), None)
    return first if first is not None and first.signs_at - now <= CLOCKS_DIFFER else None


def _open(runtime: Runtime, row: SigningKey) -> RingKey:
    secret = unseal(runtime.keys, f"signing key {row.kid}", row.sealed)
    return RingKey(
        kid=row.kid,
        alg=row.alg,
        signs_at=row.signs_at,
        removed_at=row.removed_at,
        secret=secret if row.alg == REFRESH else jose.load(row.alg, secret),
        public=row.public,
        header={"alg": row.alg, "kid": row.kid},
    )
