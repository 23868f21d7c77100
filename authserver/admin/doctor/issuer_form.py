"""What is wrong with an issuer as it is written (RFC 8414 section 2): everybody compares it byte by byte."""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from authserver.admin.doctor.finding import Seen, error, warning
from authserver.admin.uri_difference import nearest_difference
from authserver.runtime.settings import is_loopback_host

STAGED = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
DEFAULT_PORTS = {"http": 80, "https": 443}


def form_faults(issuer: str) -> Iterator[Seen]:
    """Yield why an issuer, as it is written, will not compare equal somewhere, or cannot be used."""
    parts, shown = parts_of(issuer), show(issuer)
    segments = [segment for segment in parts.path.split("/") if segment]
    if not parts.hostname:
        yield error(f"{shown} is no URL: its host or port is malformed")
    elif parts.scheme != "https" and not is_loopback_host(parts.hostname):
        yield error(f"{shown} is not https, so that tokens, codes and passwords can be read on the way")
    if issuer.endswith("/"):
        yield error(f"{shown} ends with a slash: AWS (API Gateway, IAM and STS) and most libraries compare issuers byte by byte")
    if (parts.hostname or "") not in parts.netloc:
        yield error(f"{shown} has capital letters in its host, which browsers and URL parsers write small")
    if parts.port and parts.port == DEFAULT_PORTS.get(parts.scheme):
        yield error(f"{shown} names the default port, which URL parsers leave out")
    if twice := [one for one, other in pairwise(segments) if one == other]:
        yield error(f"the path of {shown} has {twice[0]!r} twice: a base path or stage is added by two parts of the way")
    if segments and STAGED.fullmatch(parts.hostname or ""):
        why = "RFC 8414's address of its metadata lies outside of the stage, where nobody answers, and the host changes with the API"
        fix = "use a custom domain or a function URL, and set AUTHSERVER_ISSUER to it"
        yield warning(f"{shown} is under a stage of API Gateway's own host: {why}", fix=fix)


def unlike(issuer: object, expected: str) -> str:
    """Say how a text differs from the issuer; empty where it does not."""
    if issuer == expected:
        return ""
    difference = nearest_difference(issuer, [expected]) if isinstance(issuer, str) else None
    return f"{show(issuer)} is not {show(expected)}" + (f": {difference.what}" if difference else "")


def show(value: object) -> str:
    """Write what was found, in quotes, on one line and not endlessly."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def parts_of(url: str) -> SplitResult:
    """Take a URL apart that anybody may have written; what is none has no parts."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it refuses what is no number
    except ValueError:
        return urlsplit("")
    return parts
