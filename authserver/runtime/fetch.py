"""The only way out: one GET of a public https URL, safe against server-side request forgery (RFC 9700 section 4.7).

The host is resolved once, every address must be public, and the connection goes to the address that was checked.
"""

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 64 * 1024
SECONDS = 3.0

Fetch = Callable[[str], bytes]


class FetchRefused(Exception):
    """The URL may not be fetched, or its answer is not usable; the text says why, for the log."""


def fetch_public(url: str) -> bytes:
    """Return the body of `url`: at most 64 KB, in at most 3 s, status 200, no redirect. Raises FetchRefused."""
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme != "https" or not host or parts.username is not None:
        raise FetchRefused("not a plain https URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _get(public_address(host, parts.port or 443), parts.port or 443, host, path)


def public_address(host: str, port: int) -> str:
    """Resolve `host` to one address; FetchRefused unless every one of its addresses is public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise FetchRefused("host does not resolve") from error
    addresses = [str(item[4][0]) for item in found]
    if not addresses or not all(map(is_public, addresses)):
        raise FetchRefused("host has an address that is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an address is one that anybody on the Internet could reach (mapped IPv4 is judged as IPv4)."""
    ip = ipaddress.ip_address(address.split("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not (mapped or ip).is_multicast


def _get(address: str, port: int, host: str, path: str) -> bytes:
    import urllib3

    deadline = time.monotonic() + SECONDS
    pool = urllib3.HTTPSConnectionPool(
        address, port, server_hostname=host, assert_hostname=host, timeout=urllib3.Timeout(total=SECONDS), retries=False
    )
    try:
        return _read(pool.request("GET", path, headers={"Host": host}, redirect=False, preload_content=False), deadline)
    except urllib3.exceptions.HTTPError as error:
        raise FetchRefused("could not be fetched") from error
    finally:
        pool.close()


def _read(response: Any, deadline: float) -> bytes:
    """Read what comes until the deadline, so that a server that drips bytes cannot hold us."""
    body = b""
    while chunk := response.read1(MOST_BYTES + 1):
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > deadline:
            raise FetchRefused("answer is larger than 64 KB, or slower than 3 s")
    if response.status != 200:
        raise FetchRefused("answer is not a 200")
    return body
