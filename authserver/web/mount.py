"""The issuer is the only source of host, scheme and path: WSGI middleware in front of Flask.

Whatever Host says, links and comparisons see the issuer's; what the caller opened is kept for the page that names the
fix. The issuer's path is accepted whether or not a proxy strips it. Forwarded headers are believed for as many hops
as AUTHSERVER_TRUSTED_PROXIES says, and for none without it (OWASP ASVS 5.0 section 4.1).
"""

import hmac
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from authserver.runtime.aws import NO_AWS, Aws, AwsRefused, AwsUnreachable
from authserver.runtime.secret_text import SecretText
from authserver.runtime.settings import Settings

log = logging.getLogger("authserver.web")

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

OPENED = "authserver.opened"
SECRET = "HTTP_X_PROXY_SECRET"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def mounted(application: Application, settings: Settings, aws: Aws = NO_AWS) -> Application:
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

    return behind_proxies(at_issuer, settings, aws)


def behind_proxies(application: Application, settings: Settings, aws: Aws) -> Application:
    """Believe the X-Forwarded-* headers that the last proxies set; where these have a secret, of a request that brings it alone."""
    hops = settings.trusted_proxies
    if not hops:
        return application
    from werkzeug.middleware.proxy_fix import ProxyFix

    believing = ProxyFix(application, x_for=hops, x_proto=hops, x_host=hops)
    if not settings.proxy_secret:
        return believing
    secret = SecretText(settings.proxy_secret, aws)

    def as_sent(environ: Environ, start_response: Any) -> Iterable[bytes]:
        is_by_proxy = _is_secret(environ.pop(SECRET, ""), secret)
        return (believing if is_by_proxy else application)(environ, start_response)

    return as_sent


def _is_secret(sent: str, secret: SecretText) -> bool:
    """Tell whether a proxy sent its secret; where it is another one by now, that is fetched."""
    try:
        return bool(sent) and (_is_equal(sent, secret) or (secret.has_changed(secret.read()) and _is_equal(sent, secret)))
    except (AwsRefused, AwsUnreachable, ValueError) as error:
        log.warning("no proxy is believed", extra={"because": str(error)})
        return False


def _is_equal(sent: str, secret: SecretText) -> bool:
    return hmac.compare_digest(sent.encode("latin-1"), secret.read().encode())


def is_issuer_host(settings: Settings, opened: str) -> bool:
    """Tell whether a Host header names the issuer; an absent one passes."""
    parts = urlsplit(settings.issuer)
    usual = DEFAULT_PORTS[parts.scheme]
    return not opened or opened.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)
