"""Cookies: names and flags (RFC 6265bis section 4.1.3.2, the `__Host-` prefix).

`session` says who is signed in, `browser` binds pending requests and forms to this browser, `device` proves that it
has signed in to an account before. On an http loopback issuer a plain name without Secure carries the port, because
ports share cookies; the mount is in the name, so that two servers on one host do not collide.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.http import parse_cookie

from authserver.runtime.settings import Settings
from authserver.web.context import runtime

DEVICE_LIFETIME = timedelta(days=365)


def cookie_name(settings: Settings, role: str) -> str:
    """Name the cookie of a role: `__Host-as-session`, `__Host-as.auth-session` under /auth, `as-9000-session` in development."""
    parts = urlsplit(settings.issuer)
    mount = parts.path.replace(".", "..").replace("/", ".")
    if settings.is_loopback:
        return f"as-{parts.port or 80}{mount}-{role}"
    return f"__Host-as{mount}-{role}"


def session_token() -> str | None:
    """The token of the session cookie."""
    return _read("session")


def session_token_in(settings: Settings, header: str | None) -> str | None:
    """The token of the session cookie in a Cookie header."""
    return parse_cookie(header or "").get(cookie_name(settings, "session")) or None


def set_session(response: Response, token: str) -> None:
    """Sign the browser in until it is closed; the server ends the session sooner."""
    _write(response, "session", token)


def clear_session(response: Response) -> None:
    """Take the session cookie away."""
    _write(response, "session", "", timedelta(0))


def browser_token() -> str | None:
    """The token of the browser cookie."""
    return _read("browser")


def set_browser(response: Response, token: str) -> None:
    """Name the browser for a day, longer than any pending request lives, even if the system closes it meanwhile."""
    _write(response, "browser", token, timedelta(days=1))


def console_token() -> str | None:
    """The token of the console's cookie."""
    return _read("console")


def set_console(response: Response, token: str) -> None:
    """Let the browser into the console until it is closed; what the token says ends sooner."""
    _write(response, "console", token)


def clear_console(response: Response) -> None:
    """Take the console's cookie away."""
    _write(response, "console", "", timedelta(0))


def note(role: str) -> str | None:
    """A short note that a page of the console left for the next one, sealed."""
    return _read(role)


def set_note(response: Response, role: str, sealed: str, lifetime: timedelta) -> None:
    """Leave a note for the next page; a lifetime of 0 takes it away."""
    _write(response, role, sealed, lifetime)


def device_token() -> str | None:
    """What the device cookie says about accounts that have signed in here."""
    return _read("device")


def set_device(response: Response, token: str) -> None:
    """Remember which accounts have signed in here."""
    _write(response, "device", token, DEVICE_LIFETIME)


def _read(role: str) -> str | None:
    return request.cookies.get(cookie_name(runtime().settings, role)) or None


def _write(response: Response, role: str, value: str, lifetime: timedelta | None = None) -> None:
    settings = runtime().settings
    response.set_cookie(
        cookie_name(settings, role), value, max_age=lifetime, path="/", secure=not settings.is_loopback, httponly=True, samesite="Lax"
    )
