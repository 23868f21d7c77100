"""The way out: one GET or POST to the issuer, over TLS, with a timeout and a size limit, without redirects or proxies.

urllib and ssl are imported at the first use: with an embedded JWK Set most processes never fetch.
"""

import binascii
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

MOST_BYTES = 64 * 1024
SECONDS = 3.0


class FetchFailed(Exception):
    """There is no usable answer; the text says nothing of what was sent."""


def get(url: str) -> bytes:
    """Return the body of a 200: at most 64 KB in at most 3 s. Raises FetchFailed."""
    return _send(url, None, {"Accept": "application/json"})


def post(url: str, form: Mapping[str, str], client_id: str, client_secret: str) -> bytes:
    """Post a form with HTTP Basic authentication as RFC 6749 section 2.3.1 has it. Raises FetchFailed."""
    from urllib.parse import quote_plus, urlencode

    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    basic = binascii.b2a_base64(pair.encode(), newline=False).decode()
    return _send(url, urlencode(form).encode(), {"Accept": "application/json", "Authorization": f"Basic {basic}"})


def _send(url: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    from http.client import HTTPException
    from urllib.request import Request

    deadline = time.monotonic() + SECONDS
    request = Request(url, body, dict(headers))  # noqa: S310 - settings.py takes https, and http of this machine
    try:
        with _opener().open(request, timeout=SECONDS) as answer:
            return _read(answer, deadline)
    except (OSError, HTTPException, ValueError):
        raise FetchFailed("no usable answer") from None


def _opener() -> "OpenerDirector":
    """Return an opener that hands back every status as it is, and that knows neither redirects nor proxies."""
    from ssl import create_default_context
    from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

    opener = OpenerDirector()
    opener.add_handler(HTTPHandler())
    opener.add_handler(HTTPSHandler(context=create_default_context()))
    return opener


def _read(answer: "HTTPResponse", deadline: float) -> bytes:
    """Read what comes until the deadline, so that a server that drips bytes cannot hold us."""
    body = b""
    while chunk := answer.read1(MOST_BYTES + 1):
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > deadline:
            raise FetchFailed("the answer is larger than 64 KB, or slower than 3 s")
    if answer.status != 200:
        raise FetchFailed("the answer is not a 200")
    return body
