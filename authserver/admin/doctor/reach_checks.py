"""Is the server there, under the very URL that was given, and by a TLS that can be trusted (RFC 8414 section 2, RFC 9325)."""

import ssl
from collections.abc import Iterator
from datetime import timedelta

from authserver.admin.doctor.deployment import OPENID, Deployment
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, warning
from authserver.admin.doctor.issuer_form import faults, plain_http_fault, stage_fault
from authserver.admin.doctor.wire import NoAnswer

ENDS_SOON = timedelta(days=14)
HSTS_SECONDS = 31536000


@check(
    "url.form",
    holds="The URL is written as an issuer compares: no slash at the end, no default port, no capital letters in the host",
    section="RFC 8414 section 2; OpenID Connect Discovery 1.0 section 4.3",
    fix="write the URL, AUTHSERVER_ISSUER and every issuerUrl alike, without a slash at the end",
)
def url_form(server: Deployment) -> Iterator[Seen]:
    """The URL that was given, which is the issuer that others will be given."""
    yield from map(error, faults(server.given))


@check(
    "url.https",
    holds="The issuer is https, or this machine",
    section="RFC 9700 section 2.6; RFC 8414 section 2",
    fix="serve it by https, and set AUTHSERVER_ISSUER to that URL",
)
def url_https(server: Deployment) -> Iterator[Seen]:
    """Plain http is for loopback alone."""
    if fault := plain_http_fault(server.issuer):
        yield error(fault)


@check(
    "url.stage",
    holds="The issuer does not depend on a stage of API Gateway",
    section="RFC 8414 section 3.1; API Gateway Developer Guide, custom domain names",
    fix="use a custom domain or a function URL, and set AUTHSERVER_ISSUER to it",
)
def url_stage(server: Deployment) -> Iterator[Seen]:
    """The default host of a REST API has its stage in the path."""
    if fault := stage_fault(server.issuer):
        yield warning(fault)


@check(
    "server.answers",
    holds="The server answers",
    section="RFC 9110 section 3",
    fix="check the URL, DNS, security groups and that the server runs",
)
def server_answers(server: Deployment) -> Iterator[Seen]:
    """Whatever it answers."""
    try:
        server.below(OPENID)
    except NotSeen as fault:
        if _is_tls_at_fault(server):
            raise NotSeen("TLS did not come about") from fault
        yield error(str(fault))


@check(
    "tls.certificate",
    holds="The certificate is valid for the host, and its authority is trusted",
    section="RFC 9110 section 4.3.4; RFC 9525 section 6",
    fix="install a certificate for this host with its whole chain; for a private authority give --ca FILE",
)
def tls_certificate(server: Deployment) -> Iterator[Seen]:
    """Verified as any client does."""
    _needs_https(server)
    if fault := _tls_fault(server):
        yield error(fault)


@check(
    "tls.expiry",
    holds="The certificate is valid for more than two weeks",
    section="RFC 5280 section 4.1.2.5",
    fix="renew the certificate, and see that its renewal runs by itself",
)
def tls_expiry(server: Deployment) -> Iterator[Seen]:
    """Renewals that run by themselves are done by then."""
    _needs_https(server)
    try:
        ends_at = server.wire.handshake().ends_at
    except OSError as fault:
        raise NotSeen("the certificate was not accepted") from fault
    left = ends_at - server.now() if ends_at else ENDS_SOON
    if left < ENDS_SOON:
        yield warning(f"the certificate ends in {left.days} days, on {ends_at:%Y-%m-%d}")


@check(
    "tls.old_versions",
    holds="TLS 1.1 and older are refused",
    section="RFC 9325 section 3.1.1; RFC 8996",
    fix="let whatever ends TLS take 1.2 and 1.3 alone (on AWS, a security policy of TLS_1_2 or newer)",
)
def tls_old_versions(server: Deployment) -> Iterator[Seen]:
    """A handshake that offers nothing newer must fail."""
    _needs_https(server)
    try:
        taken = server.wire.handshake(obsolete=True).version
    except OSError:
        return
    yield error(f"{server.wire.host} accepted {taken}, which has been forbidden since 2021")


@check(
    "http.redirect",
    holds="Nothing is served by plain http but redirects to https",
    section="RFC 9700 section 2.6; RFC 6797 section 7.2",
    fix="let port 80 be closed, or answer every request with a redirect to https",
)
def http_redirect(server: Deployment) -> Iterator[Seen]:
    """The same host on port 80; the redirect is not followed."""
    if server.plain is None:
        raise NotSeen("looked for only beside https on port 443")
    try:
        reply = server.plain.ask(f"{server.mount}{OPENID}")
    except NoAnswer:
        return
    location = reply.header("Location") or ""
    if reply.status < 300:
        yield error(f"plain http on {server.wire.host} answered {reply.status}: whoever listens on the way reads it")
    elif reply.status < 400 and not location.startswith("https://"):
        yield error(f"plain http is redirected to {location[:100] or 'nowhere'}, not to https")


@check(
    "http.hsts",
    holds="Browsers are told to come by https alone, for a year",
    section="RFC 6797 section 6.1; OWASP ASVS 5.0 section 3.4.1",
    fix="let the proxy pass Strict-Transport-Security on as the server sends it",
)
def http_hsts(server: Deployment) -> Iterator[Seen]:
    """The server itself sends a year."""
    _needs_https(server)
    value = server.below(OPENID).header("Strict-Transport-Security")
    if value is None:
        yield warning("no Strict-Transport-Security came, though the server sends one")
        return
    ages = [part.strip().lower().removeprefix("max-age=").strip('"') for part in value.replace(",", ";").split(";") if "=" in part]
    if not ages or not ages[0].isdecimal() or int(ages[0]) < HSTS_SECONDS:
        yield warning(f"Strict-Transport-Security is {value[:80]!r}, expected a max-age of at least {HSTS_SECONDS}")


def _tls_fault(server: Deployment) -> str:
    """Say why a TLS connection does not come about; empty where it does. Raises NotSeen where there is no connection at all."""
    try:
        server.wire.handshake()
    except ssl.SSLCertVerificationError as fault:
        return f"the certificate of {server.wire.host} was refused: {fault.verify_message}"
    except ssl.SSLError as fault:
        return f"{server.wire.host} did not agree on TLS 1.2 or newer: {fault.reason or fault}"
    except OSError as fault:
        raise NotSeen(f"no connection: {fault.strerror or fault}") from fault
    return ""


def _is_tls_at_fault(server: Deployment) -> bool:
    try:
        return server.is_https and bool(_tls_fault(server))
    except NotSeen:
        return False


def _needs_https(server: Deployment) -> None:
    if not server.is_https:
        raise NotSeen("the URL is http")


CHECKS = (url_form, url_https, url_stage, server_answers, tls_certificate, tls_expiry, tls_old_versions, http_redirect, http_hsts)
