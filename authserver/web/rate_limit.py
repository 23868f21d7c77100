"""Limits on sign-in attempts, counted and committed before the password is hashed (NIST SP 800-63B-4 section 3.2.2).

Strangers are counted per account and network address, per address, and per account. A browser that has signed in to
the account before has counters of its own, so that no stranger can lock its owner out (OWASP ASVS 5.0 section 6.1.1).
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from authserver.crypto.digest import digest, encode
from authserver.runtime import Runtime
from authserver.runtime.log import address_prefix, parse_address
from authserver.runtime.metrics import sign_in_limited
from authserver.web.errors import PageError

if TYPE_CHECKING:
    from limits.strategies import FixedWindowRateLimiter

Bucket = tuple[str, tuple[str, ...]]


def sign_in_buckets(runtime: Runtime, account: str, address: str, device: str | None) -> list[Bucket]:
    """List the limits that an attempt counts against, each with whom it is about, the cheapest refusal first."""
    settings, person, place = runtime.settings, encode(digest(account)), _place(address)
    if device is not None:
        mine = (person, encode(digest(device)))
        return [(settings.sign_in_limit_account, ("device", *mine)), (settings.sign_in_limit_strangers, ("failures", *mine))]
    return [
        (settings.sign_in_limit_address, ("address", place)),
        (settings.sign_in_limit_account, ("account", person, place)),
        (settings.sign_in_limit_strangers, ("failures", person)),
    ]


def count_attempt(runtime: Runtime, buckets: list[Bucket], *, again: str) -> None:
    """Count an attempt. Raises PageError 429 with the seconds to wait where a limit is exceeded."""
    from limits import parse

    limiter = _limiter(runtime)
    for limit, about in buckets:
        item = parse(limit)
        if not limiter.hit(item, *about):
            left = limiter.get_window_stats(item, *about).reset_time - runtime.now().timestamp()
            because = f"sign-in limit {limit} per {about[0]}"
            sign_in_limited()
            raise PageError("too_many_attempts", status=429, because=because, retry_after=max(1, math.ceil(left)), again=again)


def forget_failures(runtime: Runtime, buckets: list[Bucket]) -> None:
    """Begin the account's counters anew after a success; the address's goes on."""
    from limits import parse

    limiter = _limiter(runtime)
    for limit, about in _of_account(buckets):
        limiter.clear(parse(limit), *about)


def _of_account(buckets: list[Bucket]) -> Iterator[Bucket]:
    return (bucket for bucket in buckets if bucket[1][0] != "address")


def _place(address: str) -> str:
    """An IPv4 address as it is, an IPv6 one as its /64, which is what one household has."""
    ip = parse_address(address)
    if ip is None:
        return "unknown"
    return str(ip) if ip.version == 4 else address_prefix(address)


def _limiter(runtime: Runtime) -> "FixedWindowRateLimiter":
    memo = runtime.caches.memo
    if "limiter" not in memo:
        from limits.storage import storage_from_string
        from limits.strategies import FixedWindowRateLimiter

        from authserver.store.rate_limit_storage import DatabaseStorage

        url = runtime.settings.limits_storage_url
        memo["limiter"] = FixedWindowRateLimiter(storage_from_string(url) if url else DatabaseStorage(runtime))
    found: FixedWindowRateLimiter = memo["limiter"]
    return found
