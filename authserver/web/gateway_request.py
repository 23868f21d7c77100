"""HTTP events of Lambda as WSGI environments (PEP 3333; AWS: payload formats 1.0 and 2.0, function URLs, ALB targets).

What the kinds do differently, as AWS documents it or does it:

- REST API and load balancer hand the path over as it was sent, HTTP API decoded; function URL as it was sent.
- REST API decodes parameters, a load balancer does not; HTTP API and function URL have the query as it was sent.
- The path of HTTP API has the stage in front, unless a domain of one's own was called; a domain's base path stays in it.
- All but one append the caller to X-Forwarded-For; a function URL keeps the first entry alone, which anybody can write.

The caller's address is what the event says, never a header's word but the load balancer's last entry. That entry is taken
off X-Forwarded-For, so that AUTHSERVER_TRUSTED_PROXIES counts what stands in front of the gateway, as with any server.
"""

import base64
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote_to_bytes

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
Kind = Enum("Kind", ["REST", "HTTP_1", "HTTP_2", "URL", "ALB"])
"""REST API; HTTP API with payload format 1.0 and 2.0; function URL; application load balancer."""

CERTIFICATE = "authserver.client_certificate"
"""Where the environment has the client's certificate (PEM) that the gateway verified; no header can set it."""

NAME = re.compile(r"[A-Za-z0-9-]+")
"""Names with underscores are dropped: X_Forwarded_For would be taken for X-Forwarded-For."""
METHOD = re.compile(r"[A-Z]{1,20}")
ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
BREAKS = re.compile(r"[\r\n\0]")
IN_QUERIES = "".join(chr(code) for code in range(0x21, 0x7F))
AUTHORIZER_KEYS = frozenset({"type", "methodArn", "routeArn"})
OURS = frozenset({"content-length", "transfer-encoding", "connection"})
"""Headers about the connection, which ended at the gateway."""


class Malformed(Exception):
    """No gateway of AWS sends this; the text is constant."""


def kind_of(event: object) -> Kind | None:
    """Tell where an HTTP event comes from; None for any other event, an authorizer's among them."""
    if not isinstance(event, dict) or not AUTHORIZER_KEYS.isdisjoint(event):
        return None
    context = _part(event, "requestContext")
    if event.get("version") == "2.0":
        is_url = ".lambda-url." in str(context.get("domainName"))
        return None if "http" not in context else Kind.URL if is_url else Kind.HTTP_2
    if "httpMethod" not in event:
        return None
    return Kind.ALB if "elb" in context else Kind.HTTP_1 if event.get("version") == "1.0" else Kind.REST


def read_request(event: Mapping[str, Any], kind: Kind) -> Environ:
    """Return the environment of an HTTP event. Raises Malformed."""
    context, body, headers = _part(event, "requestContext"), _body(event), dict(_headers(event, kind))
    address, forwarded = _addresses(kind, context, headers)
    headers["x-forwarded-for"] = ",".join(forwarded)
    environ: Environ = {
        "REQUEST_METHOD": _method(event, kind, context),
        "SCRIPT_NAME": "",
        "PATH_INFO": _path(event, kind, context),
        "QUERY_STRING": _query(event, kind),
        "SERVER_NAME": headers.get("host") or "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    environ |= {_variable(name): value for name, value in headers.items() if value}
    certificate = _certificate(kind, context)
    return {**environ, CERTIFICATE: certificate} if certificate else environ


def _part(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a member that is an object; an empty one in place of anything else."""
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _method(event: Mapping[str, Any], kind: Kind, context: Mapping[str, Any]) -> str:
    method = _part(context, "http").get("method") if kind in (Kind.HTTP_2, Kind.URL) else event["httpMethod"]
    if not isinstance(method, str) or not METHOD.fullmatch(method):
        raise Malformed("The event has no method.")
    return method


def _body(event: Mapping[str, Any]) -> bytes:
    body, is_encoded = event.get("body"), event.get("isBase64Encoded")
    if body is None:
        return b""
    if not isinstance(body, str) or is_encoded not in (True, False, None):
        raise Malformed("The event's body is no text.")
    try:
        return base64.b64decode(body, validate=True) if is_encoded else body.encode()
    except ValueError:
        raise Malformed("The event's body is not what it says.") from None


# Headers


def _headers(event: Mapping[str, Any], kind: Kind) -> Iterator[tuple[str, str]]:
    """Yield headers by their names in lower case, those of one name joined, as WSGI servers do. Raises Malformed."""
    found: dict[str, list[str]] = {}
    for name, value in _pairs(event, "headers", "multiValueHeaders"):
        if NAME.fullmatch(name) and name.lower() not in OURS:
            found.setdefault(name.lower(), []).append(_native(value))
    cookies = event.get("cookies")
    if kind in (Kind.HTTP_2, Kind.URL) and isinstance(cookies, list) and cookies:
        found["cookie"] = [_native(cookie) for cookie in cookies if isinstance(cookie, str)]
    for name, values in found.items():
        yield name, ("; " if name == "cookie" else ",").join(values)


def _pairs(event: Mapping[str, Any], single: str, multiple: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of the member with several values per name, where there is one, else of the other."""
    for name, value in (_part(event, multiple) or _part(event, single)).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and isinstance(name, str):
                yield name, one


def _native(value: str) -> str:
    """Return a header's value as WSGI has it: each character a byte. Raises Malformed (RFC 9110 section 5.5)."""
    if BREAKS.search(value):
        raise Malformed("A header has a line break in it.")
    return (value if value.isascii() else value.encode(errors="replace").decode("latin-1")).strip(" \t")


def _variable(name: str) -> str:
    return "CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_")


# Addresses


def _addresses(kind: Kind, context: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return who called the gateway, and X-Forwarded-For as the caller sent it."""
    forwarded = [entry.strip() for entry in headers.get("x-forwarded-for", "").split(",") if entry.strip()]
    if kind is Kind.ALB:
        return _address(_without_port(forwarded[-1]) if forwarded else ""), forwarded[:-1]
    caller = _part(context, "http" if kind in (Kind.HTTP_2, Kind.URL) else "identity").get("sourceIp")
    if kind is Kind.URL:  # CloudFront in front says who called it in a header that it lets nobody else write
        viewer = _address(headers.get("cloudfront-viewer-address", "").rpartition(":")[0].strip("[]"))
        return _address(caller), [viewer] if viewer else []
    if kind is Kind.REST and forwarded[-2:-1] == [caller]:  # an edge-optimized one has a CloudFront of its own behind the caller
        return _address(caller), forwarded[:-2]
    return _address(caller), forwarded[:-1] if forwarded[-1:] == [caller] else forwarded


def _address(said: object) -> str:
    """Return an address; empty for anything else, as in events of the console's test button."""
    return said if isinstance(said, str) and ADDRESS.fullmatch(said) else ""


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def _certificate(kind: Kind, context: Mapping[str, Any]) -> str | None:
    """Return the certificate that the gateway verified (RFC 8705), which a load balancer has in headers alone: none then."""
    holder = _part(context, "authentication" if kind in (Kind.HTTP_2, Kind.URL) else "identity")
    found = _part(holder, "clientCert").get("clientCertPem")
    return found if isinstance(found, str) and kind is not Kind.ALB else None


# Path and query


def _path(event: Mapping[str, Any], kind: Kind, context: Mapping[str, Any]) -> str:
    """Return the path below stage and base path, decoded once, each character a byte (PEP 3333). Raises Malformed."""
    path = event.get("rawPath" if kind in (Kind.HTTP_2, Kind.URL) else "path")
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise Malformed("The event has no path.")
    below = _below_base_path(path, event)
    if below == path and kind in (Kind.HTTP_1, Kind.HTTP_2):
        below = _below_stage(path, context)
    data = below.encode(errors="replace")
    is_decoded = kind in (Kind.HTTP_1, Kind.HTTP_2)
    return (data if is_decoded else unquote_to_bytes(data)).decode("latin-1") or "/"


def _below_base_path(path: str, event: Mapping[str, Any]) -> str:
    """Cut off what stands in front of the route's own path, where the route is `/` or `/{proxy+}`."""
    route = str(event.get("resource") or event.get("routeKey") or "").rpartition(" ")[2]
    proxy = _part(event, "pathParameters").get("proxy")
    if route == "/":
        return "/"
    rest = f"/{proxy}".rstrip("/") if route == "/{proxy+}" and isinstance(proxy, str) else ""
    bare = path.rstrip("/")
    return path[len(bare) - len(rest) :] if rest and bare.endswith(rest) else path


def _below_stage(path: str, context: Mapping[str, Any]) -> str:
    """Cut off the stage, whole segments only, which a domain of one's own does not have."""
    stage, domain = context.get("stage"), context.get("domainName")
    is_own = isinstance(domain, str) and ".execute-api." not in domain
    is_named = isinstance(stage, str) and stage not in ("", "$default")
    return path[len(f"/{stage}") :] if is_named and not is_own and f"{path}/".startswith(f"/{stage}/") else path


def _query(event: Mapping[str, Any], kind: Kind) -> str:
    """Return the query as it was sent, as far as the event tells."""
    if kind in (Kind.HTTP_2, Kind.URL):
        raw = event.get("rawQueryString")
        return _ascii(raw if isinstance(raw, str) else "", IN_QUERIES)
    safe = IN_QUERIES if kind is Kind.ALB else ""
    pairs = _pairs(event, "queryStringParameters", "multiValueQueryStringParameters")
    return "&".join(f"{_ascii(name, safe)}={_ascii(value, safe)}" for name, value in pairs)


def _ascii(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="replace")
