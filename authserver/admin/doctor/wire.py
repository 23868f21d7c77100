"""The one way in which `authserver doctor` reaches a server: bounded requests to one origin, and TLS handshakes (RFC 9110, RFC 8446).

It is the operator's own URL, so that private and loopback addresses are fine, unlike in runtime/fetch.py. No redirect is
followed and no other host is asked, whatever a document says.
"""

import ipaddress
import socket
import ssl
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from authserver.admin.errors import Invalid

MOST_BYTES = 512 * 1024
SECONDS = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NoAnswer(Exception):
    """The server cannot be reached or does not speak HTTP; the text says why."""


@dataclass(frozen=True)
class Reply:
    """What came back; header names compare without their case."""

    status: int
    headers: Any
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value; of a repeated one, all values with commas between them."""
        found: str | None = self.headers.get(name)
        return found

    def each(self, name: str) -> list[str]:
        """Return the values of a header that can be repeated."""
        return list(self.headers.getlist(name))

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Handshake:
    """A TLS connection that came about: its version, and until when the certificate is valid (None where it was not verified)."""

    version: str
    ends_at: datetime | None


class Wire:
    """Connections to one origin; `connect_to` is another `host[:port]` to connect to, `ca` a PEM file of authorities to trust."""

    def __init__(self, origin: str, *, connect_to: str = "", ca: str = "") -> None:
        """Keep where to connect to; nothing is connected. Raises Invalid."""
        parts = urlsplit(origin)
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self.netloc = parts.netloc
        self.address, self.port = _place(connect_to, self.host, parts.port or DEFAULT_PORTS[parts.scheme])
        self.is_elsewhere = bool(connect_to)
        self.ca = ca
        if ca:
            self._check_ca()

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None) -> Reply:
        """Make one request: no redirect, at most 10 s and 512 KB. Raises NoAnswer."""
        sent = {"Host": self.netloc, **(FORM if form is not None else {}), **(headers or {})}
        body = urlencode(form) if form is not None else None
        try:
            answer = self._pool.request(method, path, body=body, headers=sent, redirect=False, preload_content=False)
            content = answer.read(MOST_BYTES, decode_content=True)
            answer.drain_conn() if len(content) < MOST_BYTES else answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as fault:
            raise NoAnswer(f"no answer from {self.address} port {self.port}: {_why(fault)}") from fault
        return Reply(answer.status, answer.headers, content)

    def handshake(self, *, obsolete: bool = False) -> Handshake:
        """Make a TLS connection; an `obsolete` one offers TLS 1.1 and older alone, to any certificate. Raises OSError."""
        context = _obsolete_context() if obsolete else self._context
        with (
            socket.create_connection((self.address, self.port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=self.host) as connection,
        ):
            certificate: Mapping[str, Any] = connection.getpeercert() or {}
            ends = certificate.get("notAfter")
            at = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None
            return Handshake(connection.version() or "", at)

    def addresses(self) -> list[str]:
        """Return the addresses of the host's name; none where it has none."""
        with suppress(OSError, UnicodeError):
            return sorted({str(item[4][0]) for item in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)})
        return []

    def close(self) -> None:
        """Give back what is open."""
        self._pool.close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca or None)

    def _check_ca(self) -> None:
        try:
            self._context  # noqa: B018  # made here, so that a file that is none is said at once
        except (OSError, ssl.SSLError) as fault:
            raise Invalid("--ca", f"must name a PEM file of certificates: {self.ca}") from fault

    @cached_property
    def _pool(self) -> urllib3.HTTPConnectionPool:
        timeout = urllib3.Timeout(connect=SECONDS / 2, read=SECONDS)
        if self.scheme == "http":
            return urllib3.HTTPConnectionPool(self.address, self.port, timeout=timeout, retries=False)
        return urllib3.HTTPSConnectionPool(
            *(self.address, self.port),
            timeout=timeout,
            retries=False,
            ssl_context=self._context,
            server_hostname=self.host,
        )


def is_literal(host: str) -> bool:
    """Tell whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _place(connect_to: str, host: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{connect_to}")
        return parts.hostname or host, parts.port or port
    except ValueError:
        raise Invalid("--connect-to", "must be a host, or a host and a port, like 192.0.2.7:8443") from None


def _obsolete_context() -> ssl.SSLContext:
    """Offer what nobody should accept any more (RFC 8996); nothing is sent over such a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _why(fault: Exception) -> str:
    """Say in few words why there was no connection, without the objects that urllib3 writes into its texts."""
    cause: BaseException = fault
    while cause.__cause__ is not None:
        cause = cause.__cause__
    inner = next((one for one in cause.args if isinstance(one, Exception)), cause)
    text = str(getattr(inner, "verify_message", "") or getattr(inner, "strerror", "") or inner)
    return text.partition(">: ")[2] or text
