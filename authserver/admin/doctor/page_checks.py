"""The sign-in page as a browser gets it: its address, links, cookies and caching (ASVS 5.0 section 3, RFC 6265bis section 4.1.3)."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

from authserver.admin.doctor.deployment import SIGN_IN, Deployment, leads
from authserver.admin.doctor.finding import NotSeen, Seen, check, error
from authserver.admin.doctor.issuer_form import parts_of

LINK = re.compile(r"<(?:link|form|script)\b[^>]*?\b(?:href|action|src)=[\"']([^\"']+)")
FLAGS = ("Secure", "HttpOnly", "Path=/")
SAME_SITE = ("samesite=lax", "samesite=strict")


@check(
    "pages.open",
    holds="The sign-in page opens under the issuer's host",
    section="RFC 9700 section 4.13",
    fix="let the proxy pass the Host header on, or set AUTHSERVER_TRUSTED_PROXIES to the number of proxies in front",
)
def pages_open(server: Deployment) -> Iterator[Seen]:
    """Pages refuse every host but the issuer's; a proxy that sends its own is the usual reason."""
    reply = server.below(SIGN_IN)
    if reply.status == 400:
        yield error("the sign-in page says that it was opened under a wrong address: the Host that reaches the server is not the issuer's")
    elif reply.status != 200:
        yield error(f"the sign-in page answered {reply.status}, not 200{leads(reply)}")


@check(
    "pages.links",
    holds="The page's forms and styles are below the issuer, and can be fetched",
    section="RFC 3986 section 5; RFC 9700 section 4.13",
    fix="set AUTHSERVER_ISSUER to the URL with its whole path, once; let the proxy strip or keep the path, but not add it",
)
def pages_links(server: Deployment) -> Iterator[Seen]:
    """A base path that is doubled or lost shows here first."""
    links = sorted({_absolute(server, unescape(link)) for link in LINK.findall(server.sign_in_page.text)})
    for link in links:
        if not link.startswith(server.issuer + "/") or (server.mount and link.startswith(server.issuer + server.mount + "/")):
            yield error(f"the page leads to {link[:120]}, expected an address below {server.issuer}, its path once")
            return
    styles = [link for link in links if parts_of(link).path.endswith(".css")]
    if styles and (status := server.at(styles[0].removeprefix(server.origin)).status) != 200:
        yield error(f"the page's style {styles[0][:120]} answered {status}")


@check(
    "cookies.flags",
    holds="Every cookie is bound to the host and to https, and kept from scripts and other sites",
    section="OWASP ASVS 5.0 section 3.3.1; draft-ietf-httpbis-rfc6265bis section 4.1.3.2",
    fix="let the proxy pass Set-Cookie on as it is: no Domain, Path or SameSite of its own",
)
def cookies_flags(server: Deployment) -> Iterator[Seen]:
    """On an https issuer `__Host-`, Secure, HttpOnly, SameSite and Path=/; on loopback all but what needs https."""
    cookies = server.sign_in_page.each("Set-Cookie")
    if not cookies:
        yield error("the sign-in page set no cookie, without which no form can be sent")
    for cookie in cookies:
        name, _, rest = cookie.partition("=")
        if missing := _missing(name, rest.split(";")[1:], is_https=server.is_https):
            yield error(f"a cookie lacks {', '.join(missing)}", name[:64])


@check(
    "pages.not_cached",
    holds="No cache keeps the sign-in page",
    section="OWASP ASVS 5.0 section 14.3.2; RFC 9111 section 5.2.2.5",
    fix="let proxy and CDN keep the Cache-Control that the server sends, and cache nothing without one",
)
def pages_not_cached(server: Deployment) -> Iterator[Seen]:
    """It belongs to one browser."""
    reply = server.sign_in_page
    value = reply.header("Cache-Control") or ""
    if "no-store" not in value:
        yield error(f"Cache-Control of the sign-in page is {value[:60]!r}, expected no-store")
    if (reply.header("X-Cache") or "").lower().startswith("hit"):
        yield error("the sign-in page came out of a CDN's cache")


@check(
    "pages.framed",
    holds="No other site can show the sign-in page in a frame",
    section="RFC 9700 section 4.16; RFC 6749 section 10.13",
    fix="let the proxy pass Content-Security-Policy on",
)
def pages_framed(server: Deployment) -> Iterator[Seen]:
    """By frame-ancestors."""
    if "frame-ancestors 'none'" not in (server.sign_in_page.header("Content-Security-Policy") or ""):
        yield error("the sign-in page came without frame-ancestors 'none' in its Content-Security-Policy")


@check(
    "pages.no_demo",
    holds="It is not `authserver dev` that answers",
    section="authserver: authserver serve",
    fix="unset AUTHSERVER_DEV, make a new AUTHSERVER_SECRET_KEY, and start it by authserver serve",
)
def pages_no_demo(server: Deployment) -> Iterator[Seen]:
    """Its demo shows tokens and passwords."""
    if not server.is_https and server.wire.host in ("localhost", "127.0.0.1", "::1"):
        raise NotSeen("on this machine authserver dev is fine")
    if server.below("/demo").status == 200:
        yield error("/demo is served, which only authserver dev does: its users have known passwords")


def _absolute(server: Deployment, link: str) -> str:
    try:
        return urljoin(f"{server.issuer}{SIGN_IN}", link)
    except ValueError:
        return link


def _missing(name: str, attributes: list[str], *, is_https: bool) -> list[str]:
    """Return what a cookie should have and has not."""
    given = [attribute.strip().lower() for attribute in attributes]
    needed = [flag for flag in FLAGS if flag != "Secure" or is_https]
    missing = [flag for flag in needed if flag.lower() not in given]
    if not set(given) & set(SAME_SITE):
        missing.append("SameSite=Lax")
    if is_https and not name.startswith("__Host-"):
        missing.append("the name's prefix __Host-")
    if any(attribute.startswith("domain=") for attribute in given):
        missing.append("a Domain that is left out")
    return missing


CHECKS = (pages_open, pages_links, cookies_flags, pages_not_cached, pages_framed, pages_no_demo)
