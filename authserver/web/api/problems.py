"""Problem details (RFC 9457): what went wrong, with a stable type, a text for people and the request's id.

A type is `{issuer}/admin/api#CODE`, where the page of the API explains it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response

from authserver.runtime.log import circumstances
from authserver.web.context import runtime

MEDIA_TYPE = "application/problem+json"
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: its status, its title, and what whoever gets it can do."""

    status: int
    title: str
    advice: str


PROBLEMS: Mapping[str, Problem] = {
    "malformed-request": Problem(400, "The request cannot be read", "Send what the document of this API describes."),
    "no-token": Problem(401, "An access token is needed", "Send `Authorization: Bearer TOKEN`, with a token of this server for this API."),
    "invalid-token": Problem(401, "The access token is not good", "Fetch a new one, with this API as its resource."),
    "sign-in-too-old": Problem(
        401,
        "A recent sign-in is needed",
        "Let the person sign in again, with the max_age that WWW-Authenticate names.",
    ),
    "insufficient-scope": Problem(403, "The access token lacks a scope", "Ask for a token with the scope that WWW-Authenticate names."),
    "forbidden": Problem(403, "This is not allowed to you", "Somebody with a higher role, or with more scopes, must do it."),
    "not-found": Problem(404, "There is no such thing", "Check the path and the id. What was deleted is gone for good."),
    "method-not-allowed": Problem(405, "This method is not offered here", "The Allow header names the methods that are."),
    "not-acceptable": Problem(406, "No acceptable form of the answer", "Accept the media type that the document of this API names."),
    "conflict": Problem(409, "It cannot be done as things are", "detail says what is in the way."),
    "key-in-use": Problem(409, "The first request with this key is under way", "Repeat the request in a moment."),
    "changed": Problem(412, "It was changed meanwhile", "Read it again, make your change to what it is now, and send its new ETag."),
    "too-large": Problem(413, "The body is too large", "Send less at once."),
    "unsupported-media-type": Problem(415, "The body has another media type", "Send JSON, and say so in Content-Type."),
    "invalid": Problem(422, "A value cannot be taken", "errors names each value that is wrong, and says what it must be."),
    "key-reused": Problem(
        422, "The Idempotency-Key belongs to another request", "Use a new key for each request that is not a repetition."
    ),
    "server-error": Problem(500, "Something went wrong", "The fault is ours. Tell the people who run this server the request_id."),
    "unavailable": Problem(503, "Not available at the moment", "Try again after the time that Retry-After names."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that cannot be taken: where it is (a JSON pointer as `#/a/b`, or the name of a query parameter), and why."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def document(self) -> dict[str, str]:
        """Describe it."""
        places = (("pointer", self.pointer), ("parameter", self.parameter))
        return {"detail": self.detail, **{name: place for name, place in places if place is not None}}


class Refused(Exception):
    """The request ends here, with a problem."""

    def __init__(self, code: str, detail: str = "", *, faults: Iterable[Fault] = (), headers: Headers = ()) -> None:
        """Keep what the answer says. `code` is one of PROBLEMS."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = tuple(headers)


def answer_problem(
    code: str, detail: str = "", *, faults: Iterable[Fault] = (), headers: Headers = (), status: int | None = None
) -> Response:
    """Answer a problem; its status is its kind's, unless another is given."""
    kind = PROBLEMS[code]
    status = status or kind.status
    body: dict[str, Any] = {"type": type_of(runtime().settings.issuer, code), "title": kind.title, "status": status}
    body |= {"detail": detail or kind.advice, "request_id": circumstances.get().request_id}
    errors = [fault.document() for fault in faults]
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    response.headers.extend(list(headers))
    return response


def type_of(issuer: str, code: str) -> str:
    """Return the type of a problem: a URL that stays the same, and that leads to its explanation."""
    return f"{issuer}/admin/api#{code}"


def point(*path: str | int) -> str:
    """Write a JSON pointer as a URI fragment (RFC 6901 section 6)."""
    return "#" + "".join("/" + quote(str(part).replace("~", "~0").replace("/", "~1"), errors="replace") for part in path)
