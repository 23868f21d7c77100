"""Answer headers: CSP, CORS and caching by the kind of path (RFC 9700 sections 2.6, 4.2 and 4.16; OIDC Discovery section 4).

A path is one of: a `page` for people; `api`, which pages of registered origins may call; `public`, which any page may
read; `machine`, which no page may; `static`.
"""

import logging
from typing import Literal

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from authserver.runtime import Runtime
from authserver.runtime.log import circumstances
from authserver.store.base import Database
from authserver.store.client import is_known_origin
from authserver.web.context import db, runtime

log = logging.getLogger("authserver.web")

Kind = Literal["page", "api", "public", "machine", "static"]

KINDS: dict[str, Kind] = {
    "/oauth2/authorize": "page",
    "/oauth2/token": "api",
    "/oauth2/revoke": "api",
    "/oidc/userinfo": "api",
    "/oidc/logout": "page",
    "/livez": "machine",
    "/readyz": "machine",
    "/metrics": "machine",
}
PREFIXES: tuple[tuple[str, Kind], ...] = (
    ("/oauth2/", "machine"),
    ("/oidc/", "machine"),
    ("/.well-known/", "public"),
    ("/static/", "static"),
    ("/admin/api/v1", "machine"),
    ("/admin/api/openapi.json", "machine"),
)

PLAIN = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
SECURE = (*PLAIN, ("Strict-Transport-Security", "max-age=31536000"))
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"),
    ("Access-Control-Max-Age", "600"),
)
LONGEST_ORIGIN = 255
EXPOSED = "WWW-Authenticate, Retry-After, DPoP-Nonce, X-Request-Id"


def kind_of(path: str) -> Kind:
    """Tell what kind of path it is, below the mount."""
    if path in KINDS:
        return KINDS[path]
    return next((kind for prefix, kind in PREFIXES if path.startswith(prefix)), "page")


def is_page(path: str) -> bool:
    """Tell whether people open this path: its errors are pages, and it insists on the issuer's host."""
    return kind_of(path) == "page"


def content_policy(*, script: bool = False, connect: bool = False, leads_back: bool = False) -> str:
    """Write the Content-Security-Policy of a page.

    A page that `leads_back` to a client has no form-action: Chromium applies it to the redirect after the form, and
    silently stops it.
    """
    policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    optional = (
        "; script-src 'self'" if script else "",
        "; connect-src 'self'" if connect else "",
        "" if leads_back else "; form-action 'self'",
    )
    return policy + "".join(optional)


REDIRECT_HEADERS = (("Cache-Control", "no-store"), ("Vary", "Cookie"), ("Content-Security-Policy", content_policy()))
"""What an answer that is a redirect of a browser has beside its Location."""


def add_headers(response: Response) -> Response:
    """Finish an answer."""
    headers, kind = response.headers, kind_of(request.path)
    headers.extend(standing_headers(runtime(), db(), kind, request.environ.get("HTTP_ORIGIN")))
    match kind:
        case "page":
            _isolate(response)
        case "api" if request.method == "OPTIONS" and "Access-Control-Allow-Origin" in headers:
            headers.extend(PREFLIGHT)
        case "static" if "v" in request.args and response.status_code < 400:
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if kind in ("api", "machine") and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response


def standing_headers(runtime: Runtime, db: Database, kind: Kind, origin: str | None) -> list[tuple[str, str]]:
    """Return the headers of every answer of a kind, whatever it says."""
    headers = [*(PLAIN if runtime.settings.is_loopback else SECURE), ("X-Request-Id", circumstances.get().request_id)]
    if kind == "public":
        headers.append(("Access-Control-Allow-Origin", "*"))
    elif kind == "api":
        headers.append(("Vary", "Origin"))
        if origin is not None and origin != "null" and len(origin) <= LONGEST_ORIGIN and _is_known(runtime, db, origin):
            headers += (("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED))
    return headers


def _isolate(response: Response) -> None:
    """Headers of a page. Redirects stay without an opener policy, which would cut a popup off from its application."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Cookie")
    response.headers.setdefault("Content-Security-Policy", content_policy())
    if "Location" not in response.headers:
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")


def _is_known(runtime: Runtime, db: Database, origin: str) -> bool:
    """Ask the cache, then the database; with the database down, what was last known."""
    origins = runtime.caches.origins
    try:
        return bool(origins.get(origin, lambda: is_known_origin(db, origin)))
    except SQLAlchemyError:
        log.warning("origin not checked, database unavailable")
        return bool(origins.stale(origin))


def register(app: Flask) -> None:
    """Have every answer finished here."""
    app.after_request(add_headers)
