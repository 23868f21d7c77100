"""What API Gateway asks: REST TOKEN, REST REQUEST, HTTP API 1.0 and 2.0, and WebSocket $connect, read into one shape.

The credential is the one Authorization header that the backend sees too: repeated ones, and one that is not what
API Gateway caches the answer by, are refused.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from authserver.authorizer.refusal import Unauthorized, Undecided

TOKEN, REST, HTTP_1, HTTP_2, WEBSOCKET = "TOKEN", "REST", "HTTP 1.0", "HTTP 2.0", "WebSocket"
ARN = re.compile(r"(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:[A-Za-z0-9-]+/[A-Za-z0-9_$-]+)/(.*)", re.DOTALL)
BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")
PROTOCOLS = re.compile(r"bearer, *([A-Za-z0-9._~+/-]+=*)")
HTTP_KINDS = (HTTP_1, HTTP_2)

Event = Mapping[str, Any]


class Question(NamedTuple):
    """An event: its kind, the stage's ARN, the ARN that was asked for, and the route that API Gateway matched ("" for TOKEN)."""

    kind: str
    stage: str
    arn: str
    route: str


def read_event(event: object) -> Question:
    """Tell what is asked. Raises Undecided where it is no event of an authorizer."""
    if not isinstance(event, dict):
        raise Undecided("not an event of an authorizer")
    kind = _kind(event)
    arn = event.get("routeArn" if kind == HTTP_2 else "methodArn")
    match = ARN.fullmatch(arn) if isinstance(arn, str) else None
    if match is None:
        raise Undecided("the event has no ARN of an API")
    return Question(kind, match[1], match[0], _route(kind, event))


def bearer_token(kind: str, event: Event) -> str:
    """Return the presented token. Raises Unauthorized unless there is exactly one."""
    if kind == TOKEN:
        return _credential(event.get("authorizationToken"))
    presented = _header(event, "authorization")
    if kind == WEBSOCKET and presented is None:
        return _credential(_header(event, "sec-websocket-protocol"), PROTOCOLS)
    token = _credential(presented)
    sources = event.get("identitySource")
    if sources and kind in HTTP_KINDS and presented not in (sources.split(",") if isinstance(sources, str) else sources):
        raise Unauthorized("answers are cached by something else than the Authorization header")
    return token


def _kind(event: Event) -> str:
    context = event.get("requestContext")
    match event.get("type"), event.get("version"):
        case "TOKEN", None:
            return TOKEN
        case "REQUEST", "2.0":
            return HTTP_2
        case "REQUEST", "1.0":
            return HTTP_1
        case "REQUEST", None if isinstance(context, dict) and context.get("eventType") == "CONNECT":
            return WEBSOCKET
        case "REQUEST", None if isinstance(event.get("httpMethod"), str):
            return REST
    raise Undecided("not an event of an authorizer")


def _route(kind: str, event: Event) -> str:
    """Return the matched route with the method that was used, also where the route takes ANY."""
    context = event.get("requestContext")
    match kind, context:
        case "WebSocket", {"routeKey": "$connect"}:
            return "$connect"
        case "HTTP 2.0", {"http": {"method": str(method)}}:
            path = str(event.get("routeKey")).partition(" ")[2]
            return f"{method} {path}" if path else ""
        case (("REST" | "HTTP 1.0"), _) if str(event.get("resource")).startswith("/"):
            return f"{event.get('httpMethod')} {event['resource']}"
    return ""


def _credential(presented: object, form: re.Pattern[str] = BEARER) -> str:
    match = form.fullmatch(presented) if isinstance(presented, str) else None
    if match is None:
        raise Unauthorized("no bearer token")
    return match[1]


def _header(event: Event, name: str) -> str | None:
    """Return the value of a header; None where it is missing. Raises Unauthorized where there are several."""
    values: set[object] = set()
    for member in ("headers", "multiValueHeaders"):
        found = [value for key, value in _members(event, member) if key.lower() == name]
        if len(found) > 1 or (found and member == "multiValueHeaders" and not (isinstance(found[0], list) and len(found[0]) == 1)):
            raise Unauthorized("a header is repeated")
        values.update(value[0] if isinstance(value, list) else str(value) for value in found)
    if len(values) > 1:
        raise Unauthorized("a header is repeated")
    return next((value for value in values if isinstance(value, str)), None)


def _members(event: Event, name: str) -> list[tuple[str, object]]:
    headers = event.get(name)
    return [(key, value) for key, value in headers.items() if isinstance(key, str)] if isinstance(headers, dict) else []
