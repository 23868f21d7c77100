"""The issuer's JWK Set, kept in memory (RFC 7517 section 5): embedded in the package or fetched, and fetched anew.

A set is fetched when it is older than its lifetime, and at a `kid` that is not in it; whatever comes, one thread at a
time fetches, and not again before the cool-down is over. While fetching fails, the copy at hand goes on being used,
until it is older than its stale lifetime. An embedded copy counts as fetched when the process begins.
"""

from collections.abc import Callable, Mapping
from threading import Lock

from authserver.authorizer.fetch import FetchFailed
from authserver.authorizer.keys import PublicKey, read_key
from authserver.authorizer.refusal import SettingsError, Unauthorized, Undecided
from authserver.authorizer.settings import Settings
from authserver.authorizer.strict_json import read_object

MOST_KEYS = 100


class KeySet:
    """Finds keys by `kid`. `get` returns the body of a URL or raises FetchFailed; `now` returns epoch seconds."""

    def __init__(self, settings: Settings, get: Callable[[str], bytes], now: Callable[[], float]) -> None:
        self._settings, self._get, self._now = settings, get, now
        self._lock = Lock()
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        if settings.jwks:
            self._embed(settings.jwks)

    def find(self, kid: str) -> PublicKey:
        """Return a key. Raises Unauthorized where the copy at hand has none of that name, Undecided where there is no copy."""
        if not self._has(kid, self._settings.jwks_lifetime):
            self._refresh(kid)
        key = self._keys.get(kid)
        if not self._is_younger(self._settings.jwks_stale_lifetime):
            raise Undecided("the issuer's keys cannot be had")
        if key is None:
            raise Unauthorized("kid is unknown")
        return key

    def _has(self, kid: str, lifetime: int) -> bool:
        return kid in self._keys and self._is_younger(lifetime)

    def _is_younger(self, lifetime: int) -> bool:
        return self._fetched_at is not None and self._now() - self._fetched_at < lifetime

    def _refresh(self, kid: str) -> None:
        """Fetch, unless another thread just did; who can go on with the copy at hand does not wait for it."""
        if not self._lock.acquire(blocking=not self._has(kid, self._settings.jwks_stale_lifetime)):
            return
        try:
            if not self._has(kid, self._settings.jwks_lifetime) and not self._is_cooling_down():
                self._fetch()
        finally:
            self._lock.release()

    def _is_cooling_down(self) -> bool:
        return self._tried_at is not None and self._now() - self._tried_at < self._settings.jwks_cool_down

    def _fetch(self) -> None:
        self._tried_at = self._now()
        try:
            keys = read_key_set(self._get(self._settings.jwks_url).decode())
        except (FetchFailed, ValueError):
            return
        self._keys, self._fetched_at = keys, self._now()

    def _embed(self, text: str) -> None:
        try:
            self._keys, self._fetched_at = read_key_set(text), self._now()
        except ValueError as error:
            raise SettingsError(f"AUTHORIZER_JWKS is not a JWK Set: {error}") from None


def read_key_set(text: str) -> dict[str, PublicKey]:
    """Return the usable keys of a JWK Set by `kid`; a `kid` that two keys share names neither. Raises ValueError."""
    members = read_object(text).get("keys")
    if not isinstance(members, list) or len(members) > MOST_KEYS:
        raise ValueError("it has no list of keys, or a very long one")
    keys: dict[str, PublicKey] = {}
    shared: set[str] = set()
    for key in filter(None, map(read_key, members)):
        if key.kid in keys:
            shared.add(key.kid)
        keys[key.kid] = key
    usable = {kid: key for kid, key in keys.items() if kid not in shared}
    if not usable:
        raise ValueError("it has no key that verifies signatures")
    return usable
