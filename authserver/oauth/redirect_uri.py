"""Redirect URIs: which may be registered and which one matches (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1).

A registered URI matches byte for byte; a native client's loopback one matches with any port.
"""

import ipaddress
import re
from collections.abc import Iterable

from authserver.runtime.settings import is_loopback_host

LONGEST = 2000
DANGEROUS_SCHEMES = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})

_REFUSED = (
    (re.compile(r"[^\x21-\x7e]"), "must be ASCII, without spaces and control characters"),
    (re.compile(r"\\"), "must not contain a backslash"),
    (re.compile(r"\*"), "must not contain a wildcard: register each URI"),
    (re.compile(r"#"), "must not have a fragment"),
    (re.compile(r'["<>^`{|}]'), "contains a character that no URI may have"),
    (re.compile(r"%(?![0-9A-Fa-f]{2})"), "has a percent sign that encodes nothing"),
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):(.*)")
_HIERARCHY = re.compile(r"(?://([^/?]*))?(/[^?]*)?(\?.*)?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::([1-9][0-9]{0,4}))?")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")


def check_redirect_uri(uri: object, *, private_schemes: bool = False) -> str:
    """Return a URI that may be registered. ValueError says what is wrong with any other."""
    text = _plain(uri)
    scheme, rest = _split_scheme(text)
    if scheme not in ("http", "https"):
        _check_private(scheme, rest, private_schemes)
    authority, path = _split(rest)
    if scheme in ("http", "https") and host_of(authority) is None:
        raise ValueError("must name a host after ://")
    if scheme == "http" and not is_loopback_host((host_of(authority) or "").strip("[]")):
        raise ValueError("must start with https:// (http is for localhost, 127.0.0.1 and [::1] alone)")
    if has_dot_segment(path):
        raise ValueError("must not contain the path segments . and ..")
    return text


def check_web_url(url: object) -> str:
    """Return a URL that people or the server may open: https, or http on loopback. ValueError says what is wrong."""
    return check_redirect_uri(url)


def has_dot_segment(path: str) -> bool:
    """Tell whether a path has a segment `.` or `..`, which browsers take out, so that it leads elsewhere (RFC 3986 section 5.2.4)."""
    return any(segment in (".", "..") for segment in re.sub("%2e", ".", path, flags=re.IGNORECASE).split("/"))


def matches(kind: str, registered: Iterable[str], uri: str) -> bool:
    """Tell whether a presented URI is one of the registered ones of a client of that kind."""
    known = list(registered)
    if uri in known:
        return True
    portless = _without_port(uri) if kind == "native" else None
    return portless is not None and portless in map(_without_port, known)


def origin_of(uri: str) -> str | None:
    """Return the origin of an http(s) URI as browsers write it (RFC 6454 section 6.1), or None."""
    scheme, rest = _split_scheme(uri)
    authority, _ = _split(rest)
    host = host_of(authority)
    if scheme not in ("http", "https") or host is None:
        return None
    port = authority[len(host) :].removeprefix(":")
    default = {"http": "80", "https": "443"}[scheme]
    return f"{scheme}://{host.lower()}" + (f":{port}" if port and port != default else "")


def host_of(authority: str) -> str | None:
    """Return the host of `host[:port]` as written; None where that is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None or int(match[2] or 0) > 65535:
        return None
    return match[1] if not match[1].startswith("[") or _is_ipv6(match[1][1:-1]) else None


def _plain(uri: object) -> str:
    if not isinstance(uri, str):
        raise ValueError("must be text")
    if len(uri) > LONGEST:
        raise ValueError(f"must be at most {LONGEST} characters long")
    for pattern, why in _REFUSED:
        if pattern.search(uri):
            raise ValueError(why)
    return uri


def _split_scheme(text: str) -> tuple[str, str]:
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise ValueError("must be an absolute URI that starts with its scheme in lower case, like https://")
    return match[1], match[2]


def _split(rest: str) -> tuple[str, str]:
    match = _HIERARCHY.fullmatch(rest)
    if match is None:
        raise ValueError("must have a slash after its scheme, like com.example.app:/callback")
    if "@" in (match[1] or ""):
        raise ValueError("must not contain a user name or password")
    return match[1] or "", match[2] or ""


def _check_private(scheme: str, rest: str, allowed: bool) -> None:
    if scheme in DANGEROUS_SCHEMES:
        raise ValueError(f"must not use the scheme {scheme}")
    if not allowed:
        raise ValueError("must start with https:// (schemes of apps are for native clients)")
    if "." not in scheme:
        raise ValueError("must use a scheme with a dot, a domain name in reverse, like com.example.app:/callback")
    if not rest.startswith("/"):
        raise ValueError("must have a slash after its scheme, like com.example.app:/callback")


def _without_port(uri: str) -> str | None:
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or 0) > 65535:
        return None
    return match[1] + match[3]


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
