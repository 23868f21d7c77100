"""What stands in front of the server: what it passes on, believes, renames and keeps (RFC 9110, RFC 9700 section 4.13)."""

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from authserver.admin.doctor.deployment import OPENID, SIGN_IN, USERINFO, Deployment
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, skipped, warning

FORGED_HOST = "doctor.invalid"
FORGED_ADDRESS = "203.0.113.77"
FORGERIES = (
    {"Host": FORGED_HOST},
    {"X_Forwarded_Host": FORGED_HOST, "X_Forwarded_Proto": "http", "X_Forwarded_Prefix": "/doctor", "X_Forwarded_Port": "81"},
    {"Forwarded": f"host={FORGED_HOST};proto=http"},
)
REMAPPED = "x-amzn-remapped-www-authenticate"
SKEW, WORST_SKEW = timedelta(seconds=10), timedelta(seconds=60)


@check(
    "clock.skew",
    holds="The server's clock and this machine's agree",
    section="RFC 9110 section 6.6.1; RFC 7519 section 4.1.4",
    fix="let both clocks be set by NTP",
)
def clock_skew(server: Deployment) -> Iterator[Seen]:
    """By the Date of an answer, which a CDN may have written."""
    before = server.now()
    value = server.ask(server.mount + OPENID, "GET", {"Cache-Control": "no-cache"}).header("Date")
    try:
        said = parsedate_to_datetime(value or "")
    except ValueError:
        raise NotSeen("the answer had no Date") from None
    middle = before + (server.now() - before) / 2
    apart = abs(middle - said) if said.tzinfo else timedelta(0)
    if apart > SKEW:
        say = error if apart > WORST_SKEW else warning
        yield say(f"the server says {value}, which is {math.ceil(apart.total_seconds())} s from this machine's clock")


@check(
    "proxy.issuer",
    holds="A Host or X-Forwarded-* that the caller made up changes no document",
    section="RFC 9700 section 4.13; OWASP ASVS 5.0 section 4.1.3",
    fix="nothing in this server looks at them: find the proxy or cache that rewrites bodies or mixes hosts up",
)
def proxy_issuer(server: Deployment) -> Iterator[Seen]:
    """Documents and their addresses come from AUTHSERVER_ISSUER alone."""
    genuine = server.openid
    for forgery in FORGERIES:
        reply = server.below(OPENID, **forgery)
        if reply.status == 200 and _object(reply.body) != genuine:
            yield error(f"with a forged {' and '.join(name.replace('_', '-') for name in list(forgery)[:2])} discovery was another")


@check(
    "proxy.forwarded_host",
    holds="A caller's X-Forwarded-Host does not reach the server as if the proxy had written it",
    section="OWASP ASVS 5.0 section 4.1.3",
    fix="let the first proxy set X-Forwarded-Host itself, or set AUTHSERVER_TRUSTED_PROXIES to the number of proxies there are",
)
def proxy_forwarded_host(server: Deployment) -> Iterator[Seen]:
    """Pages insist on the issuer's host, and so tell whether the forged one was believed."""
    genuine, forged = server.sign_in_page, server.below(SIGN_IN, X_Forwarded_Host=FORGED_HOST)
    if forged.status != genuine.status:
        yield warning("the sign-in page was refused for a forged X-Forwarded-Host, so it is believed; then X-Forwarded-For may be, too")


@check(
    "proxy.forwarded_for",
    holds="A caller's X-Forwarded-For is shown nowhere",
    section="RFC 9700 section 4.13",
    fix="set AUTHSERVER_TRUSTED_PROXIES to the number of proxies in front",
)
def proxy_forwarded_for(server: Deployment) -> Iterator[Seen]:
    """Neither in a page nor in a header."""
    reply = server.below(SIGN_IN, X_Forwarded_For=FORGED_ADDRESS)
    if FORGED_ADDRESS in reply.text or FORGED_ADDRESS in str(list(reply.headers.values())):
        yield error(f"the sign-in page shows the address {FORGED_ADDRESS} of a forged X-Forwarded-For")


@check(
    "proxy.limits",
    holds="Whose address the limits count cannot be seen from outside",
    section="OWASP ASVS 5.0 section 6.3.1",
    fix="sign in once from a known address and compare with authserver sessions list",
)
def proxy_limits(_server: Deployment) -> Iterator[Seen]:
    """Said, and not passed over."""
    yield skipped("whose address the limits count cannot be seen from outside", fix=proxy_limits.fix)


@check(
    "challenge.header",
    holds="A refusal at a protected endpoint comes with WWW-Authenticate",
    section="RFC 6750 section 3; API Gateway Developer Guide, important notes",
    fix="rename it back in a CloudFront function or response headers policy, or serve by a function URL or a load balancer",
)
def challenge_header(server: Deployment) -> Iterator[Seen]:
    """API Gateway renames it."""
    reply = server.below(USERINFO)
    challenge = reply.header("WWW-Authenticate") or ""
    if reply.header(REMAPPED):
        yield warning(f"API Gateway renamed WWW-Authenticate to {REMAPPED}: clients that wait for the challenge do not see it")
    elif reply.status != 401 or not challenge.lower().startswith("bearer"):
        saw = f"WWW-Authenticate {challenge[:40]!r}" if challenge else "no WWW-Authenticate"
        yield warning(f"userinfo without a token answered {reply.status} with {saw}, expected 401 with Bearer")


@check(
    "server.ready",
    holds="/readyz says that database, tables and signing key are ready",
    section="authserver: /readyz",
    fix="run authserver doctor where the server runs",
)
def server_ready(server: Deployment) -> Iterator[Seen]:
    """It names what is missing; a proxy may keep it to itself."""
    reply = server.below("/readyz")
    checks = _object(reply.body).get("checks")
    if not isinstance(checks, dict):
        raise NotSeen(f"/readyz is not shown outside (status {reply.status})")
    for name, outcome in checks.items():
        if outcome != "ok":
            yield error(f"{name}: {str(outcome)[:200]}")


@check(
    "metrics.closed",
    holds="/metrics is closed to strangers",
    section="OWASP ASVS 5.0 section 13.4.5",
    fix="unset AUTHSERVER_METRICS_TOKEN or keep it secret, and do not let the proxy pass /metrics or the metrics port on",
)
def metrics_closed(server: Deployment) -> Iterator[Seen]:
    """Asked for without a token."""
    if server.below("/metrics").status == 200:
        yield error("/metrics answered a caller without a token")


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


CHECKS = (
    *(clock_skew, proxy_issuer, proxy_forwarded_host, proxy_forwarded_for, proxy_limits),
    *(challenge_header, server_ready, metrics_closed),
)
