"""What an endpoint answers: a document, where it is, its version, the next page, and a secret that is shown once.

Locations (RFC 9110 section 10.2.2) and links (RFC 8288) begin with the issuer; an entity tag is the version of the row
(RFC 9110 section 8.8.3).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from flask import Response, request

from authserver.admin.documents import Document
from authserver.admin.paging import Page
from authserver.web.context import runtime

JSON = "application/json"
LINES = "application/x-ndjson"
ROOT = "/admin/api/v1"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. `secret` is shown this once, and is never kept for a repetition; `lines` is sent instead of a document."""

    status: int = 200
    document: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, Any] = field(default_factory=dict)
    lines: Iterable[Mapping[str, Any]] | None = None


def found(document: Document, version: int | None = None, secret: Mapping[str, Any] | None = None) -> Answer:
    """Answer what was asked for, or what it is now."""
    return Answer(document=document, headers=_tag(version), secret=secret or {})


def created(document: Document, location: tuple[str, ...], version: int | None = None, secret: Mapping[str, Any] | None = None) -> Answer:
    """Answer what was made just now; `location` are the parts of its path."""
    return Answer(status=201, document=document, headers={"Location": locate(*location), **_tag(version)}, secret=secret or {})


def done() -> Answer:
    """Answer that it is done, and that there is nothing to say."""
    return Answer(status=204)


def listed(page: Page[Row], describe: Callable[[Row], Document]) -> Answer:
    """Answer a page of a list; the link to the next one asks for the same with its token."""
    document = {"items": list(map(describe, page.rows)), "next_page_token": page.next}
    if page.next is None:
        return Answer(document=document)
    query = urlencode({**request.args.to_dict(), "page_token": page.next})
    return Answer(document=document, headers={"Link": f'<{runtime().settings.issuer}{request.path}?{query}>; rel="next"'})


def locate(*parts: str) -> str:
    """Return the address of something below the root of the API."""
    return runtime().settings.issuer + ROOT + "".join("/" + quote(part, safe="") for part in parts)


def send(answer: Answer) -> Response:
    """Send an answer."""
    if answer.lines is not None:
        response = Response((json.dumps(line) + "\n" for line in answer.lines), answer.status, mimetype=LINES)
    elif answer.document is None:
        response = Response(status=answer.status)
        del response.headers["Content-Type"]
    else:
        response = Response(json.dumps({**answer.document, **answer.secret}), answer.status, mimetype=JSON)
    response.headers.extend(answer.headers)
    return response


def tag_of(version: int) -> str:
    """Write a row's version as an entity tag."""
    return f'"{version}"'


def _tag(version: int | None) -> dict[str, str]:
    return {} if version is None else {"ETag": tag_of(version)}
