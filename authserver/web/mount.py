"""The issuer is the only source of host, scheme and path: WSGI middleware in front of Flask.

Whatever Host says, links and comparisons see the issuer's; what the caller opened is kept for the page that names the
fix. The issuer's path is accepted whether or not a proxy strips it. Forwarded headers are believed for as many hops
as AUTHSERVER_TRUSTED_PROXIES says, and for none without it (OWASP ASVS 5.0 section 4.1).
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from authserver.runtime.settings import Settings

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

OPENED = "authserver.opened"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def mounted(application: Application, settings: Settings) -> Application:
    """Wrap an application so that it sees itself at the issuer."""
    parts = urlsplit(settings.issuer)
    mount, fixed = parts.path, {"SCRIPT_NAME": parts.path, "HTTP_HOST": parts.netloc, "wsgi.url_scheme": parts.scheme}

    def at_issuer(environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ[OPENED] = environ.get("HTTP_HOST", "")
        environ.update(fixed)
        path = environ.get("PATH_INFO", "")
        if mount and (path == mount or path.startswith(mount + "/")):
            environ["PATH_INFO"] = path[len(mount) :] or "/"
        return application(environ, start_response)

    return behind_proxies(at_issuer, settings.trusted_proxies)


def behind_proxies(application: Application, hops: int) -> Application:
    """Believe the X-Forwarded-* headers that the last `hops` proxies set."""
    if not hops:
        return application
    from werkzeug.middleware.proxy_fix import ProxyFix

    return ProxyFix(application, x_for=hops, x_proto=hops, x_host=hops)


def is_issuer_host(settings: Settings, opened: str) -> bool:
    """Tell whether a Host header names the issuer; an absent one passes."""
    parts = urlsplit(settings.issuer)
    usual = DEFAULT_PORTS[parts.scheme]
    return not opened or opened.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)
