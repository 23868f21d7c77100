"""Is the server there under the very URL that was given, by a TLS to be trusted, and what do proxies do to it (RFC 8414, RFC 9325)."""

import math
import re
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from authserver.admin.doctor.deployment import OPENID, SIGN_IN, Deployment
from authserver.admin.doctor.finding import NotSeen, Part, Seen, error, warning
from authserver.admin.doctor.issuer_form import form_faults
from authserver.admin.doctor.wire import NoAnswer, NoTls

REACH, FRONT = Part("The way to it"), Part("Proxies and gateways in front")
ENDS_SOON = timedelta(days=14)
HSTS_SECONDS = 31536000
MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})", re.IGNORECASE)
FORGED_HOST = "doctor.invalid"
FORGERIES = (
    {"Host": FORGED_HOST},
    {"X-Forwarded-Host": FORGED_HOST, "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/doctor", "X-Forwarded-Port": "81"},
    {"Forwarded": f"host={FORGED_HOST};proto=http"},
)
REMAPPED = "x-amzn-remapped-www-authenticate"
SKEW, WORST_SKEW = timedelta(seconds=10), timedelta(seconds=60)


@REACH.check("url.form", "write the URL, AUTHSERVER_ISSUER and every issuerUrl alike: https, without a slash at the end")
def url_form(server: Deployment) -> Iterator[Seen]:
    """The URL is written as an issuer compares: https, no slash, default port or capital letters, no stage (RFC 8414 section 2)."""
    return form_faults(server.given)


@REACH.check("server.answers", "check the URL, DNS, security groups and that the server runs")
def server_answers(server: Deployment) -> Iterator[Seen]:
    """The server answers (RFC 9110 section 3)."""
    try:
        server.below(OPENID)
    except NotSeen as fault:
        if isinstance(fault.__cause__, NoTls):
            raise NotSeen("TLS did not come about") from fault
        yield error(str(fault))


@REACH.check("tls.certificate", "install a certificate for this host with its whole chain; for a private authority give --ca FILE")
def tls_certificate(server: Deployment) -> Iterator[Seen]:
    """The certificate is valid for the host and for two weeks more, and its authority is trusted (RFC 9110 section 4.3.4; RFC 9525)."""
    _needs_https(server)
    host, left = server.wire.host, ENDS_SOON
    try:
        ends_at = server.wire.certificate_ends_at()
        left = ends_at - server.now()
    except ssl.SSLCertVerificationError as fault:
        yield error(f"the certificate of {host} was refused: {fault.verify_message}")
    except ssl.SSLError as fault:
        yield error(f"{host} did not agree on TLS 1.2 or newer: {fault.reason or fault}")
    except OSError as fault:
        raise NotSeen(f"no connection: {fault.strerror or fault}") from fault
    if left < ENDS_SOON:
        yield warning(f"the certificate ends in {left.days} days", fix="renew the certificate, and see that its renewal runs by itself")


@REACH.check("http.redirect", "let port 80 be closed, or answer every request with a redirect to https")
def http_redirect(server: Deployment) -> Iterator[Seen]:
    """Nothing is served by plain http but redirects to https (RFC 9700 section 2.6; RFC 6797 section 7.2)."""
    if server.plain is None:
        raise NotSeen("looked for only beside https on port 443")
    try:
        reply = server.plain.ask(f"{server.mount}{OPENID}")
    except NoAnswer:
        return
    location = reply.header("Location")
    if reply.status < 300:
        yield error(f"plain http on {server.wire.host} answered {reply.status}: whoever listens on the way reads it")
    elif reply.status < 400 and not location.startswith("https://"):
        yield error(f"plain http is redirected to {location[:100] or 'nowhere'}, not to https")


@REACH.check("http.hsts", "let the proxy pass Strict-Transport-Security on as the server sends it")
def http_hsts(server: Deployment) -> Iterator[Seen]:
    """Browsers are told to come by https alone, for a year (RFC 6797 section 6.1; OWASP ASVS 5.0 section 3.4.1)."""
    _needs_https(server)
    value = server.below(OPENID).header("Strict-Transport-Security")
    age = MAX_AGE.search(value)
    if age is None or int(age[1]) < HSTS_SECONDS:
        yield warning(f"Strict-Transport-Security is {value[:80]!r}, expected a max-age of at least {HSTS_SECONDS}")


@FRONT.check("clock.skew", "let both clocks be set by NTP")
def clock_skew(server: Deployment) -> Iterator[Seen]:
    """The server's clock and this machine's agree (RFC 9110 section 6.6.1; RFC 7519 section 4.1.4)."""
    before = server.now()
    value = server.below(OPENID, "GET", {"Cache-Control": "no-cache"}).header("Date")
    try:
        said = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        raise NotSeen("the answer had no Date") from None
    middle = before + (server.now() - before) / 2
    apart = abs(middle - said) if said.tzinfo else timedelta(0)
    if apart > SKEW:
        say = error if apart > WORST_SKEW else warning
        yield say(f"the server says {value}, which is {math.ceil(apart.total_seconds())} s from this machine's clock")


@FRONT.check("proxy.issuer", "nothing in this server looks at them: find the proxy or cache that rewrites bodies or mixes hosts up")
def proxy_issuer(server: Deployment) -> Iterator[Seen]:
    """A Host or X-Forwarded-* that the caller made up changes no document (RFC 9700 section 4.13; OWASP ASVS 5.0 section 4.1.3)."""
    for forgery in FORGERIES:
        reply = server.below(OPENID, "GET", forgery)
        if reply.status == 200 and reply.json() != server.openid:
            yield error(f"with a forged {' and '.join(list(forgery)[:2])} discovery was another")


@FRONT.check("proxy.forwarded_host", "AUTHSERVER_TRUSTED_PROXIES: the number of proxies that set X-Forwarded-Host")
def proxy_forwarded_host(server: Deployment) -> Iterator[Seen]:
    """A caller's X-Forwarded-Host does not reach the server as if the proxy had written it (OWASP ASVS 5.0 section 4.1.3)."""
    # pages insist on the issuer's host, and so tell whether the forged one was believed
    if server.below(SIGN_IN, "GET", {"X-Forwarded-Host": FORGED_HOST}).status != server.sign_in_page.status:
        yield warning("the sign-in page was refused for a forged X-Forwarded-Host, so it is believed; then X-Forwarded-For may be, too")


@FRONT.check("challenge.header", "rename it back in a CloudFront function, or serve by a function URL or a load balancer")
def challenge_header(server: Deployment) -> Iterator[Seen]:
    """A refusal at a protected endpoint comes with WWW-Authenticate (RFC 6750 section 3; API Gateway Developer Guide, important notes)."""
    reply = server.below("/oidc/userinfo")
    challenge = reply.header("WWW-Authenticate")
    if reply.header(REMAPPED):
        yield warning(f"API Gateway renamed WWW-Authenticate to {REMAPPED}: clients that wait for the challenge do not see it")
    elif reply.status != 401 or not challenge.lower().startswith("bearer"):
        yield warning(
            f"userinfo without a token answered {reply.status} with WWW-Authenticate {challenge[:40]!r}, expected 401 with Bearer"
        )


@FRONT.check("server.ready", "run authserver doctor where the server runs")
def server_ready(server: Deployment) -> Iterator[Seen]:
    """/readyz says that database, tables and signing key are ready (authserver: /readyz)."""
    reply = server.below("/readyz")
    checks = reply.member("checks")
    if not isinstance(checks, dict):
        raise NotSeen(f"/readyz is not shown outside (status {reply.status})")
    for name, outcome in checks.items():
        if outcome != "ok":
            yield error(f"{name}: {str(outcome)[:200]}")


def _needs_https(server: Deployment) -> None:
    if not server.is_https:
        raise NotSeen("the URL is http")
