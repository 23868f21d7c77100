"""Pages: templates with plain values, in the person's language, under a policy that fits each (RFC 9700 section 4.16)."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, url_for
from jinja2 import StrictUndefined

from authserver.runtime.folders import find_folder
from authserver.web.context import runtime
from authserver.web.headers import content_policy
from authserver.web.language import gettext, language, ngettext

STATIC = Path(__file__).parent / "static"
TEMPLATES = find_folder("templates")
FOLDERS: Any = {"static_folder": str(STATIC), "template_folder": str(TEMPLATES)}
JINJA_OPTIONS: dict[str, Any] = {"undefined": StrictUndefined, "extensions": ["jinja2.ext.i18n"]}


def page(
    template: str, values: Mapping[str, Any], status: int = 200, *, leads_back: bool = False, script: bool = False, connect: bool = False
) -> Response:
    """Render a page. `leads_back`: its form ends at a client. A true value `popup`: the client opened it in one and waits for it."""
    response = make_response(render_template(template, **values), status)
    response.headers["Content-Security-Policy"] = content_policy(script=script, connect=connect, leads_back=leads_back)
    if values.get("popup"):
        response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def form_post_page(action: str, parameters: dict[str, str]) -> Response:
    """Hand an authorization response to the client by a form (OAuth 2.0 Form Post Response Mode section 2)."""
    return page("form_post.html", {"action": action, "parameters": parameters, "popup": True}, leads_back=True, script=True)


def static_url(name: str) -> str:
    """Link a static file under the digest of its content, so that it can be cached for good."""
    return url_for("static", filename=name, v=_version(name))


def register(app: Flask) -> None:
    """Give templates what all of them use."""
    app.jinja_options = {**app.jinja_options, **JINJA_OPTIONS}
    app.context_processor(_shared)


def _shared() -> dict[str, Any]:
    service = urlsplit(runtime().settings.issuer).netloc
    return {"language": language(), "gettext": gettext, "ngettext": ngettext, "static_url": static_url, "service": service}


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
