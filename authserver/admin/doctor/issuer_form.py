"""What is wrong with an issuer as it is written (RFC 8414 section 2): everybody compares it byte by byte."""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from authserver.runtime.settings import is_loopback_host

STAGED = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


def unlike(issuer: object, expected: str) -> str:
    """Say how a text differs from the issuer; empty where it does not."""
    if issuer == expected:
        return ""
    return f"{show(issuer)} is not {show(expected)}{_hint(issuer, expected)}"


def show(value: object) -> str:
    """Write what was found, in quotes, on one line and not endlessly."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def parts_of(url: str) -> SplitResult:
    """Take a URL apart that anybody may have written; what is none has no parts."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # may be no number
    except ValueError:
        return urlsplit("")
    return parts


def faults(issuer: str) -> Iterator[str]:
    """Yield why an issuer, as it is written, will not compare equal somewhere."""
    parts = parts_of(issuer)
    if not parts.hostname:
        yield f"{show(issuer)} is no URL: its host or port is malformed"
    if issuer.endswith("/"):
        yield f"{show(issuer)} ends with a slash: AWS (API Gateway, IAM and STS) and most libraries compare issuers byte by byte"
    if (parts.hostname or "") not in parts.netloc:
        yield f"{show(issuer)} has capital letters in its host, which browsers and URL parsers write small"
    if parts.port == {"http": 80, "https": 443}.get(parts.scheme):
        yield f"{show(issuer)} names the default port, which URL parsers leave out"
    segments = [segment for segment in parts.path.split("/") if segment]
    if twice := [one for one, other in pairwise(segments) if one == other]:
        yield f"the path of {show(issuer)} has {twice[0]!r} twice: a base path or stage is added by two parts of the way"


def stage_fault(issuer: str) -> str:
    """Say why an issuer under a stage of API Gateway cannot be discovered; empty where it is not one."""
    parts = parts_of(issuer)
    if not STAGED.fullmatch(parts.hostname or "") or not parts.path.strip("/"):
        return ""
    return (
        f"{show(issuer)} is under a stage of API Gateway's own host: RFC 8414's address of its metadata lies outside of the stage, "
        "where nobody answers, and the host changes with the API"
    )


def plain_http_fault(issuer: str) -> str:
    """Say that an issuer is not https though its host is not this machine; empty where it is as it should be."""
    parts = parts_of(issuer)
    if parts.scheme == "https" or is_loopback_host(parts.hostname):
        return ""
    return f"{show(issuer)} is not https, so that tokens, codes and passwords can be read on the way"


def _hint(issuer: object, expected: str) -> str:
    if not isinstance(issuer, str):
        return ""
    if issuer.rstrip("/") == expected.rstrip("/"):
        return ": a slash at the end makes them two issuers"
    if issuer.lower() == expected.lower():
        return ": capital letters make them two issuers"
    one, other = parts_of(issuer), parts_of(expected)
    if one.hostname == other.hostname and one.path == other.path:
        return ": scheme or port differ"
    if one.netloc == other.netloc:
        return ": the path differs, as where a stage or base path is added or taken away on the way"
    return ""
