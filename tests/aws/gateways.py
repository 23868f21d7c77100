"""A gateway in front of a function, with AWS's habits: REST API, HTTP API (payload format 2.0), function URL.

HTTP on loopback becomes an event, and what the function hands back becomes HTTP again. What a gateway does to a request or
an answer on its way is done here too (AWS: Lambda proxy integrations; HTTP API payload format; Lambda function URLs).
"""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.aws.containers import Outcome
from tests.aws.loopback import Headers, Loopback, Request, Response

Event = dict[str, Any]
Shape = Callable[[Request, str], Event]

CALLER = "198.51.100.7"
TEXTS = ("text/", "application/json", "application/javascript", "application/xml")
RENAMED = {"www-authenticate": "x-amzn-remapped-www-authenticate"}
BAD_GATEWAY = Response(502, b'{"message": "Internal server error"}', [("Content-Type", "application/json")])


def rest_api(request: Request, stage: str) -> Event:
    """A REST API on its own execute-api address, whose paths have the stage in front; Zappa turns binary support on for all types."""
    headers = [*_without(request.headers, "x-forwarded-for"), ("X-Forwarded-For", _forwarded(request)), ("X-Forwarded-Proto", "https")]
    pairs = parse_qsl(request.query, keep_blank_values=True)
    path = request.path.removeprefix(f"/{stage}") or "/"
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _several(headers),
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": _several(pairs) or None,
        "pathParameters": {"proxy": path.strip("/")},
        "stageVariables": None,
        "requestContext": {
            "stage": stage,
            "path": request.path,
            "resourcePath": "/{proxy+}",
            "httpMethod": request.method,
            "protocol": "HTTP/1.1",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "identity": {"sourceIp": CALLER, "userAgent": request.header("User-Agent")},
        },
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def http_api(request: Request, stage: str) -> Event:
    """An HTTP API under a domain of its own, with payload format 2.0."""
    headers = [*request.headers, ("x-forwarded-for", CALLER), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")]
    return _format_2(request, headers, unquote(request.path), stage, request.header("Host"))


def function_url(request: Request, stage: str) -> Event:
    """A function URL: X-Forwarded-For keeps the first entry, which is the caller's own word."""
    forwarded = (request.header("X-Forwarded-For") or CALLER).partition(",")[0]
    headers = [*_without(request.headers, "x-forwarded-for"), ("x-forwarded-for", forwarded), ("x-forwarded-proto", "https")]
    return _format_2(request, headers, request.path, "$default", "a1b2c3d4.lambda-url.eu-central-1.on.aws")


def _format_2(request: Request, headers: Headers, path: str, stage: str, domain: str) -> Event:
    kind = request.header("Content-Type")
    is_text = kind.startswith(TEXTS)
    body = request.body.decode() if is_text else base64.b64encode(request.body).decode()
    pairs = parse_qsl(request.query, keep_blank_values=True)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": {name: ",".join(values) for name, values in _several(_lowered(_without(headers, "cookie"))).items()},
        "requestContext": {
            "stage": stage,
            "domainName": domain,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CALLER,
                "userAgent": request.header("User-Agent"),
            },
        },
        "isBase64Encoded": bool(request.body) and not is_text,
    }
    added = {
        "cookies": [cookie.strip() for cookie in request.header("Cookie").split(";") if cookie.strip()],
        "queryStringParameters": {name: ",".join(values) for name, values in _several(pairs).items()},
        "body": body,
    }
    return {**event, **{name: value for name, value in added.items() if value}}


class Gateway:
    """A front of a function at a port of loopback. `shape` and `stage` can be changed at any time."""

    def __init__(self, invoke: Callable[[Event], Outcome], shape: Shape = function_url, stage: str = "dev") -> None:
        self._invoke, self.shape, self.stage = invoke, shape, stage
        self._server = Loopback(self._answer)
        self.url, self.stop = self._server.url, self._server.stop

    def _answer(self, request: Request) -> Response:
        outcome = self._invoke(self.shape(request, self.stage))
        answer = None if outcome.error else outcome.answer
        if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
            return BAD_GATEWAY
        body = answer.get("body") or ""
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return Response(answer["statusCode"], data, self._headers(answer))

    def _headers(self, answer: Event) -> Headers:
        """REST API knows several values of a header, the others cookies; what a format does not know gets lost."""
        single: Headers = list((answer.get("headers") or {}).items())
        if self.shape is rest_api:
            several = answer.get("multiValueHeaders") or {}
            single = [(name, value) for name, value in single if name not in several]
            single += [(name, value) for name, values in several.items() for value in values]
        else:
            single += [("Set-Cookie", cookie) for cookie in answer.get("cookies") or []]
        is_renaming = self.shape is not function_url
        return [(RENAMED.get(name.lower(), name) if is_renaming else name, value) for name, value in single]


def scheduled(rule_arn: str) -> Event:
    """What EventBridge sends for a rule of Zappa's, whose target has an input template."""
    return {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule_arn], "detail": {}, "kwargs": {}}


def _forwarded(request: Request) -> str:
    return ", ".join(entry for entry in (request.header("X-Forwarded-For"), CALLER) if entry)


def _without(headers: Headers, unwanted: str) -> Headers:
    return [(name, value) for name, value in headers if name.lower() != unwanted]


def _lowered(headers: Headers) -> Headers:
    return [(name.lower(), value) for name, value in headers]


def _several(pairs: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
