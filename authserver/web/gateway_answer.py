"""A WSGI application run once, and its answer as Lambda hands it back (PEP 3333; AWS: Lambda proxy integration responses).

REST API and HTTP API with payload format 1.0 take `multiValueHeaders`, payload format 2.0 and function URLs `headers` and
`cookies`. A load balancer takes `multiValueHeaders` where its target group's `lambda.multi_value_headers.enabled` is on;
else it can carry one cookie, and an answer with more is refused with what to change, rather than to lose one of them.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from authserver.web.gateway_request import Application, Environ, Kind

MOST_BYTES = {Kind.ALB: 1024 * 1024}
MOST_BYTES_USUAL = 6 * 1024 * 1024
"""What Lambda hands back in one answer: 6 MB, to a load balancer 1 MB."""
ROOM = 64 * 1024
"""For headers, and what stands around the body."""

TEXTS = ("application/json", "application/jwt", "application/javascript", "application/x-ndjson", "application/xml")
SUFFIXES = ("+json", "+jwt", "+xml")
WITHOUT_BODY = (204, 304)
COOKIE = "set-cookie"

Headers = list[tuple[str, str]]


class TooLarge(Exception):
    """The answer is larger than what Lambda can hand back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the application answered."""

    status: int
    headers: Headers
    body: bytes


def refusal(status: int, error: str, description: str) -> Outcome:
    """Return an answer of the gateway's own; all three are constants."""
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return Outcome(status, headers, json.dumps({"error": error, "error_description": description}).encode())


ONE_COOKIE = refusal(
    500, "server_error", "The load balancer can carry one cookie only: set lambda.multi_value_headers.enabled on its target group."
)


class _Start:
    """WSGI's start_response: keeps what it is called with."""

    def __init__(self) -> None:
        self.status, self.chunks = 0, list[bytes]()
        self.headers: Headers = []

    def __call__(self, status: str, headers: Headers, _error: object = None) -> Callable[[bytes], object]:
        self.status, self.headers = int(status[:3]), list(headers)
        return self.chunks.append


def run(application: Application, environ: Environ, kind: Kind) -> Outcome:
    """Call the application, collect its answer and close it. Raises TooLarge."""
    start, most = _Start(), MOST_BYTES.get(kind, MOST_BYTES_USUAL)
    iterable = application(environ, start)
    try:
        size = 0
        for chunk in iterable:
            start.chunks.append(chunk)
            size += len(chunk)
            if size > most:
                raise TooLarge
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    return Outcome(start.status, start.headers, b"".join(start.chunks))


def write(outcome: Outcome, kind: Kind, event: Mapping[str, Any], *, is_empty: bool = False) -> dict[str, Any]:
    """Return an answer as Lambda hands it back; `is_empty` leaves the body out, as HEAD wants it. Raises TooLarge."""
    is_bare = kind is Kind.ALB and "multiValueHeaders" not in event
    if is_bare and sum(name.lower() == COOKIE for name, _ in outcome.headers) > 1:
        outcome = ONE_COOKIE
    shown, is_encoded = ("", False) if is_empty or outcome.status in WITHOUT_BODY else _shown(outcome)
    most = MOST_BYTES.get(kind, MOST_BYTES_USUAL) - ROOM
    if len(shown) > most // 12 and len(json.dumps(shown)) > most:
        raise TooLarge
    answer: dict[str, Any] = {"statusCode": outcome.status, "body": shown, "isBase64Encoded": is_encoded}
    if kind is Kind.ALB:
        answer["statusDescription"] = _describe(outcome.status)
    if is_bare:
        return {**answer, "headers": _joined(outcome.headers)}
    if kind in (Kind.HTTP_2, Kind.URL):
        plain = [(name, value) for name, value in outcome.headers if name.lower() != COOKIE]
        return {**answer, "headers": _joined(plain), "cookies": _several(outcome.headers).get(COOKIE, [])}
    return {**answer, "multiValueHeaders": _several(outcome.headers)}


def _shown(outcome: Outcome) -> tuple[str, bool]:
    """Return the body as text where it is one, else as base64, and whether it is that."""
    headers = {name.lower(): value for name, value in outcome.headers}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = kind.startswith("text/") or kind in TEXTS or kind.endswith(SUFFIXES)
    if is_text and "content-encoding" not in headers:
        try:
            return outcome.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(outcome.body).decode(), bool(outcome.body)


def _describe(status: int) -> str:
    known = status in HTTPStatus._value2member_map_
    return f"{status} {HTTPStatus(status).phrase}" if known else str(status)


def _several(headers: Headers) -> dict[str, list[str]]:
    """Return all values by name, spelt as at first; a cookie's name is spelt in small letters."""
    found: dict[str, tuple[str, list[str]]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), (name, []))[1].append(value)
    return {COOKIE if small == COOKIE else name: values for small, (name, values) in found.items()}


def _joined(headers: Headers) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in _several(headers).items()}
