"""What the pages of one authorization request share: the request that waits, the way back, and how a client is named."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, url_for

from authserver.oauth.authorization.request import AuthorizationRequest
from authserver.runtime.settings import is_loopback_host
from authserver.web.language import gettext, prefer
from authserver.web.pending import Waiting, waiting


def open_request(resume: str) -> Waiting:
    """Return the request that waits in this browser, and speak its language. Raises PageError."""
    found = waiting(resume)
    prefer(found.request.ui_locales)
    return found


def go_on(resume: str) -> Response:
    """Return to the dispatcher."""
    return see(url_for("authorize.authorize", resume=resume))


def see(location: str) -> Response:
    """Send the browser on by GET, to exactly this address."""
    return Response(status=303, headers={"Location": location})


def names(request: AuthorizationRequest) -> dict[str, Any]:
    """Say who asks: the client's name, where the answer goes, and whether that is an application on the device."""
    local = is_on_device(request)
    return {
        "client_name": request.client.client_name,
        "host": gettext("an application on your device") if local else urlsplit(request.redirect_uri).netloc,
        "on_device": local,
        "popup": request.display == "popup",
    }


def is_on_device(request: AuthorizationRequest) -> bool:
    """Tell whether the answer goes to a program on the person's own device, which anyone may imitate (RFC 8252 section 8.6)."""
    parts = urlsplit(request.redirect_uri)
    return parts.scheme not in ("http", "https") or (request.client.kind == "native" and is_loopback_host(parts.hostname))
