"""The events of AWS's gateways in front of a function, in every shape, with what each does to a request; and the way back.

As Amazon's documents show them (Lambda proxy integration, HTTP API payload formats, function URLs, ALB targets) and as
they were seen to be: HTTP API decodes the path, REST API the parameters, a function URL cuts X-Forwarded-For down.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

Event = dict[str, Any]
Headers = list[tuple[str, str]]
Invoke = Callable[[Event], Any]

CALLER = "203.0.113.7"
API = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
DOMAIN = "login.example.com"
STAGE = "live"


def rest(
    method: str, target: str, headers: Headers = (), body: bytes = b"", *, stage: str = STAGE, domain: str = API, base: str = ""
) -> Event:
    """REST API: one route for all paths; the path as it was sent, parameters decoded, several values in lists."""
    path, _, query = target.partition("?")
    sent, pairs = forwarded(headers), parse_qsl(query, keep_blank_values=True)
    proxy = path.strip("/")
    return {
        "resource": "/{proxy+}" if proxy else "/",
        "path": base + path,
        "httpMethod": method,
        "headers": dict(sent) or None,
        "multiValueHeaders": several(sent) or None,
        "queryStringParameters": dict(pairs) or None,
        "multiValueQueryStringParameters": several(pairs) or None,
        "pathParameters": {"proxy": proxy} if proxy else None,
        "stageVariables": None,
        "requestContext": {
            "path": base + path if base else f"/{stage}{path}",
            "resourcePath": "/{proxy+}",
            "stage": stage,
            "domainName": domain,
            "identity": {"sourceIp": CALLER, "userAgent": "curl/8", "cognitoIdentityId": None},
        },
        **encoded(body),
    }


def http_1(
    method: str, target: str, headers: Headers = (), body: bytes = b"", *, stage: str = STAGE, domain: str = API, base: str = ""
) -> Event:
    """HTTP API, payload format 1.0: as REST API, the stage in the path, which is decoded."""
    event = rest(method, target, headers, body, stage=stage, domain=domain)
    place = f"/{stage}" if domain == API and stage != "$default" else base
    return {**event, "version": "1.0", "resource": "$default", "pathParameters": None, "path": place + unquote(event["path"])}


def http_2(
    method: str, target: str, headers: Headers = (), body: bytes = b"", *, stage: str = STAGE, domain: str = API, base: str = ""
) -> Event:
    """HTTP API, payload format 2.0: headers joined, cookies apart, the query as it was sent, the path decoded, with its stage."""
    place = f"/{stage}" if domain == API and stage != "$default" else base
    return format_2(method, place + unquote(target.partition("?")[0]), target, forwarded(headers), body, stage, domain)


def url(method: str, target: str, headers: Headers = (), body: bytes = b"", **_: str) -> Event:
    """A function URL: payload format 2.0, the path as it was sent, of X-Forwarded-For the first entry alone."""
    cut = [(name, value.partition(",")[0] if name.lower() == "x-forwarded-for" else value) for name, value in forwarded(headers)]
    return format_2(method, target.partition("?")[0], target, cut, body, "$default", "a1b2c3d4.lambda-url.eu-central-1.on.aws")


def alb(method: str, target: str, headers: Headers = (), body: bytes = b"", **_: str) -> Event:
    """A load balancer whose target group has multi-value headers on: path and parameters as they were sent."""
    path, _query, query = target.partition("?")
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/1"}},
        "httpMethod": method,
        "path": path,
        "multiValueQueryStringParameters": several(pair.partition("=")[::2] for pair in query.split("&") if pair),
        "multiValueHeaders": several((name.lower(), value) for name, value in forwarded(headers)),
        **encoded(body),
    }


def alb_single(method: str, target: str, headers: Headers = (), body: bytes = b"", **_: str) -> Event:
    """A load balancer as it is made: of several values the last."""
    event = alb(method, target, headers, body)
    for name in ("headers", "queryStringParameters"):
        lists = event.pop(f"multiValue{name[0].upper()}{name[1:]}")
        event[name] = {key: values[-1] for key, values in lists.items()}
    return event


SHAPES: dict[str, Callable[..., Event]] = {shape.__name__: shape for shape in (rest, http_1, http_2, url, alb, alb_single)}
EVERY = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
SEVERAL = pytest.mark.parametrize("shape", [rest, http_1, http_2, url, alb])
"""Those that know several values of one name."""


def format_2(method: str, path: str, target: str, headers: Headers, body: bytes, stage: str, domain: str) -> Event:
    joined = {name: ",".join(values) for name, values in several((name.lower(), value) for name, value in headers).items()}
    cookies = [cookie.strip() for cookie in joined.pop("cookie", "").replace(",", ";").split(";") if cookie.strip()]
    context = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": CALLER, "userAgent": "curl/8"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": target.partition("?")[2],
        "headers": joined,
        **({"cookies": cookies} if cookies else {}),
        "requestContext": {"stage": stage, "domainName": domain, "domainPrefix": domain.partition(".")[0], "http": context},
        **encoded(body),
    }


def encoded(body: bytes) -> Event:
    return {"body": base64.b64encode(body).decode() if body else None, "isBase64Encoded": bool(body)}


def forwarded(headers: Headers) -> Headers:
    """What every gateway adds: the caller at the end of X-Forwarded-For."""
    entries = [value for name, value in headers if name.lower() == "x-forwarded-for"]
    kept = [(name, value) for name, value in headers if name.lower() != "x-forwarded-for"]
    return [*kept, ("X-Forwarded-For", ", ".join([*entries, CALLER])), ("X-Forwarded-Proto", "https")]


def several(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


class Application:
    """A WSGI application that keeps what it was called with and answers what it was made with."""

    def __init__(self, body=(b"ok",), headers=(("Content-Type", "text/plain"),), status="200 OK"):
        self.body, self.headers, self.status = body, list(headers), status
        self.environ = {}

    def __call__(self, environ, start_response):
        self.environ = dict(environ)
        start_response(self.status, self.headers)
        return self.body


class Front:
    """A gateway as a WSGI application, so that the tests' clients can call a function: HTTP → event → answer → HTTP."""

    def __init__(self, invoke: Invoke, shape: Callable[..., Event], **about: str) -> None:
        self.invoke, self.shape, self.about = invoke, shape, about

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        headers = [(name[5:].replace("_", "-").title(), value) for name, value in environ.items() if name.startswith("HTTP_")]
        headers += [("Content-Type", environ["CONTENT_TYPE"])] if environ.get("CONTENT_TYPE") else []
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = self.invoke(self.shape(environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, body, **self.about))
        status, sent, data = read_answer(answer)
        start_response(f"{status} -", sent)
        return [data]


def read_answer(answer: Event) -> tuple[int, Headers, bytes]:
    """Read what a function hands back, as a gateway does; what is not well-formed fails."""
    assert [type(answer[name]) for name in ("statusCode", "body", "isBase64Encoded")] == [int, str, bool]
    headers = [(name, value) for name, value in answer.get("headers", {}).items()]
    headers += [(name, value) for name, values in answer.get("multiValueHeaders", {}).items() for value in values]
    headers += [("Set-Cookie", cookie) for cookie in answer.get("cookies", [])]
    assert all(isinstance(text, str) for header in headers for text in header)
    body = answer["body"]
    return answer["statusCode"], headers, base64.b64decode(body, validate=True) if answer["isBase64Encoded"] else body.encode()
