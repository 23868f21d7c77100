"""The one way in which `authserver doctor` reaches a server: bounded requests to one origin, and TLS handshakes (RFC 9110, RFC 8446).

It is the operator's own URL, so that private and loopback addresses are fine, unlike in runtime/fetch.py. No redirect is
followed and no other host is asked, whatever a document says.
"""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from authserver.admin.doctor.issuer_form import DEFAULT_PORTS
from authserver.admin.errors import Invalid

MOST_BYTES = 512 * 1024
SECONDS = 10.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NoAnswer(Exception):
    """The server cannot be reached or does not speak HTTP; the text says why."""


class NoTls(NoAnswer):
    """The server was reached, and TLS did not come about."""


@dataclass(frozen=True)
class Reply:
    """What came back; header names compare without their case."""

    status: int
    headers: Any
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty where there is none; of a repeated one, all values with commas between them."""
        return self.headers.get(name) or ""

    def each(self, name: str) -> list[str]:
        """Return the values of a header that can be repeated."""
        return list(self.headers.getlist(name))

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """What the body is said to be, without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the body's JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def member(self, name: str) -> Any:
        """Return a member of the body's JSON object; None where it has none, or is none."""
        document = self.json()
        return document.get(name) if isinstance(document, dict) else None


class Wire:
    """Connections to one origin; `connect_to` is another `host[:port]` to connect to, `ca` a PEM file of authorities to trust."""

    def __init__(self, origin: str, *, connect_to: str = "", ca: str = "") -> None:
        """Keep where to connect to; nothing is connected. Raises Invalid."""
        parts = urlsplit(origin)
        self.scheme, self.host, self.netloc = parts.scheme, parts.hostname or "", parts.netloc
        self.is_elsewhere, self.ca = bool(connect_to), ca
        try:
            place = urlsplit(f"//{connect_to}")
            self.address, self.port = place.hostname or self.host, place.port or parts.port or DEFAULT_PORTS[parts.scheme]
        except ValueError:
            raise Invalid("--connect-to", "must be a host, or a host and a port, like 192.0.2.7:8443") from None
        try:
            self._context = ssl.create_default_context(cafile=ca or None)
        except (OSError, ssl.SSLError) as fault:
            raise Invalid("--ca", f"must name a PEM file of certificates: {ca}") from fault

    def by_http(self, port: int) -> "Wire":
        """Return connections to the same place by plain http."""
        other = Wire(f"http://{self.netloc}")
        other.address, other.port = self.address, port
        return other

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None) -> Reply:
        """Make one request: no redirect, at most 10 s and 512 KB. Raises NoAnswer."""
        sent = {"Host": self.netloc, **(FORM if form else {}), **(headers or {})}
        try:
            body = urlencode(form) if form else None
            answer = self._pool.request(method, path, body=body, headers=sent, redirect=False, preload_content=False)
            content = _read(answer)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as fault:
            kind = NoTls if isinstance(fault, urllib3.exceptions.SSLError) else NoAnswer
            raise kind(f"no answer from {self.address} port {self.port}: {_why(fault)}") from fault
        return Reply(answer.status, answer.headers, content)

    def certificate_ends_at(self) -> datetime:
        """Make a TLS connection, and return until when its certificate is valid. Raises OSError."""
        with (
            socket.create_connection((self.address, self.port), timeout=SECONDS) as plain,
            self._context.wrap_socket(plain, server_hostname=self.host) as connection,
        ):
            certificate: Any = connection.getpeercert()
            return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)

    def close(self) -> None:
        """Give back what is open."""
        self._pool.close()

    @cached_property
    def _pool(self) -> urllib3.HTTPConnectionPool:
        timeout = urllib3.Timeout(connect=SECONDS / 2, read=SECONDS)
        if self.scheme == "http":
            return urllib3.HTTPConnectionPool(self.address, self.port, timeout=timeout, retries=False)
        tls: Any = {"ssl_context": self._context, "server_hostname": self.host}
        return urllib3.HTTPSConnectionPool(self.address, self.port, timeout=timeout, retries=False, **tls)


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Read a body, as far as it is there in 10 s: a server that drips bytes holds nobody."""
    content, deadline = b"", time.monotonic() + SECONDS
    while len(content) < MOST_BYTES and (part := answer.read1(MOST_BYTES - len(content), decode_content=True)):
        content += part
        if time.monotonic() > deadline:
            raise TimeoutError("the body took longer than 10 s")
    answer.release_conn() if len(content) < MOST_BYTES else answer.close()
    return content


def _why(fault: Exception) -> str:
    """Say in few words why there was no connection, without the objects that urllib3 writes into its texts."""
    cause: BaseException = fault
    while cause.__cause__ is not None:
        cause = cause.__cause__
    inner = next((one for one in cause.args if isinstance(one, Exception)), cause)
    text = str(getattr(inner, "verify_message", "") or getattr(inner, "strerror", "") or inner)
    return text.partition(">: ")[2] or text
