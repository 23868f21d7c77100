"""The sign-in page as a browser gets it: its address, links, cookies and caching (ASVS 5.0 section 3, RFC 6265bis section 4.1.3)."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

from authserver.admin.doctor.deployment import SIGN_IN, Deployment, leads
from authserver.admin.doctor.finding import NotSeen, Part, Seen, error
from authserver.admin.doctor.issuer_form import parts_of
from authserver.runtime.settings import is_loopback_host

PAGES = Part("Pages and cookies")
LINK = re.compile(r"<(?:link|form|script)\b[^>]*?\b(?:href|action|src)=[\"']([^\"']+)")


@PAGES.check("pages.open", "let the proxy pass the Host header on, or set AUTHSERVER_TRUSTED_PROXIES to the number of proxies in front")
def pages_open(server: Deployment) -> Iterator[Seen]:
    """The sign-in page opens under the issuer's host (RFC 9700 section 4.13)."""
    reply = server.below(SIGN_IN)
    if reply.status == 400:
        yield error("the sign-in page says that it was opened under a wrong address: the Host that reaches the server is not the issuer's")
    elif reply.status != 200:
        yield error(f"the sign-in page answered {reply.status}, not 200{leads(reply)}")


@PAGES.check("pages.links", "set AUTHSERVER_ISSUER to the URL with its whole path; let the proxy strip or keep the path, not add it")
def pages_links(server: Deployment) -> Iterator[Seen]:
    """The page's forms and styles are below the issuer, and can be fetched (RFC 3986 section 5; RFC 9700 section 4.13)."""
    links = sorted({_absolute(server, unescape(link)) for link in LINK.findall(server.sign_in_page.text)})
    astray = [link for link in links if not server.is_place(link)]
    styles = [link for link in links if parts_of(link).path.endswith(".css")]
    if astray:
        yield error(f"the page leads to {astray[0][:120]}, expected an address below {server.issuer}, its path once")
    elif styles and (status := server.at(styles[0].removeprefix(server.origin)).status) != 200:
        yield error(f"the page's style {styles[0][:120]} answered {status}")


@PAGES.check("cookies.flags", "let the proxy pass Set-Cookie on as it is: no Domain, Path or SameSite of its own")
def cookies_flags(server: Deployment) -> Iterator[Seen]:
    """Every cookie is bound to the host and to https, and kept from scripts and other sites (OWASP ASVS 5.0 section 3.3.1)."""
    cookies = server.sign_in_page.each("Set-Cookie")
    if not cookies:
        yield error("the sign-in page set no cookie, without which no form can be sent")
    for cookie in cookies:
        name, _, rest = cookie.partition("=")
        if missing := _missing(name, rest.lower().split(";")[1:], is_https=server.is_https):
            yield error(f"a cookie lacks {', '.join(missing)}", name[:64])


@PAGES.check("pages.not_cached", "let proxy and CDN keep the Cache-Control that the server sends, and cache nothing without one")
def pages_not_cached(server: Deployment) -> Iterator[Seen]:
    """No cache keeps the sign-in page (OWASP ASVS 5.0 section 14.3.2; RFC 9111 section 5.2.2.5)."""
    reply = server.sign_in_page
    if "no-store" not in reply.header("Cache-Control"):
        yield error(f"Cache-Control of the sign-in page is {reply.header('Cache-Control')[:60]!r}, expected no-store")
    if reply.header("X-Cache").lower().startswith("hit"):
        yield error("the sign-in page came out of a CDN's cache")


@PAGES.check("pages.framed", "let the proxy pass Content-Security-Policy on")
def pages_framed(server: Deployment) -> Iterator[Seen]:
    """No other site can show the sign-in page in a frame (RFC 9700 section 4.16; RFC 6749 section 10.13)."""
    if "frame-ancestors 'none'" not in server.sign_in_page.header("Content-Security-Policy"):
        yield error("the sign-in page came without frame-ancestors 'none' in its Content-Security-Policy")


@PAGES.check("pages.no_demo", "unset AUTHSERVER_DEV, make a new AUTHSERVER_SECRET_KEY, and start it by authserver serve")
def pages_no_demo(server: Deployment) -> Iterator[Seen]:
    """It is not `authserver dev` that answers (authserver: authserver serve)."""
    if not server.is_https and is_loopback_host(server.wire.host):
        raise NotSeen("on this machine authserver dev is fine")
    if server.below("/demo").status == 200:
        yield error("/demo is served, which only authserver dev does: its users have known passwords")


def _absolute(server: Deployment, link: str) -> str:
    try:
        return urljoin(f"{server.issuer}{SIGN_IN}", link)
    except ValueError:
        return link


def _missing(name: str, attributes: list[str], *, is_https: bool) -> list[str]:
    """Return what a cookie should have and has not; on loopback all but what needs https."""
    given = {attribute.strip() for attribute in attributes}
    has = {
        "Secure": not is_https or "secure" in given,
        "HttpOnly": "httponly" in given,
        "Path=/": "path=/" in given,
        "SameSite=Lax": bool(given & {"samesite=lax", "samesite=strict"}),
        "the name's prefix __Host-": not is_https or name.startswith("__Host-"),
        "a Domain that is left out": not any(attribute.startswith("domain=") for attribute in given),
    }
    return [what for what, is_so in has.items() if not is_so]
