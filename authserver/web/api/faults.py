"""What admin/ refuses, and what this API refuses, as problems."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from authserver.admin.errors import Changed, Conflict, Forbidden, Invalid, NotFound
from authserver.web.api.answers import tag_of
from authserver.web.api.preconditions import is_conditional
from authserver.web.api.problems import PROBLEMS, Fault, Refused, answer_problem, point
from authserver.web.context import Unavailable
from authserver.web.errors import RETRY_SECONDS

log = logging.getLogger("authserver.web")

Place = tuple[str, ...]

BY_STATUS = {PROBLEMS[code].status: code for code in ("not-found", "method-not-allowed", "too-large", "unsupported-media-type")}

PARAMETERS = {"email": "user"}
"""The parameters that admin/ names otherwise."""


@contextmanager
def placing(places: Mapping[str, Place]) -> Iterator[None]:
    """Say where in the body the values are that admin/ names otherwise."""
    try:
        yield
    except Invalid as error:
        place = places.get(error.field, (error.field,))
        raise Refused("invalid", faults=[Fault(error.why, pointer=point(*place))]) from None


def register(routes: Blueprint) -> None:
    """Answer what is refused in the views of these routes."""
    for kind, answer in ANSWERS.items():
        routes.register_error_handler(kind, answer)


def _refused(error: Refused) -> Response:
    return answer_problem(error.code, error.detail, faults=error.faults, headers=error.headers)


def _invalid(error: Invalid) -> Response:
    parameter = PARAMETERS.get(error.field, error.field)
    if parameter in request.args and request.method in ("GET", "DELETE"):
        return answer_problem("invalid", faults=[Fault(error.why, parameter=parameter)])
    return answer_problem("invalid", faults=[Fault(error.why, pointer=point(error.field))])


def _changed(error: Changed) -> Response:
    """Without If-Match nothing was expected: then two changes met (409), and the caller can simply try again."""
    if not is_conditional():
        return answer_problem("conflict", str(error))
    current = getattr(error.current, "version", None)
    headers = [] if current is None else [("ETag", tag_of(current))]
    return answer_problem("changed", str(error), headers=headers)


def on_http_exception(error: HTTPException) -> Response:
    """Answer what Werkzeug refuses."""
    status = error.code or 500
    code = BY_STATUS.get(status) or ("malformed-request" if status < 500 else "server-error")
    return answer_problem(code, headers=[pair for pair in error.get_headers() if pair[0] == "Allow"], status=status)


def on_unavailable(_error: Unavailable) -> Response:
    """Answer while the database is away."""
    return answer_problem("unavailable", headers=[("Retry-After", str(RETRY_SECONDS))])


def on_bug(error: Exception) -> Response:
    """Answer what nobody has thought of; only the log says what it is."""
    log.error("server error", exc_info=error)
    return answer_problem("server-error")


ANSWERS: Mapping[type[Exception], Callable[[Any], Response]] = {
    Refused: _refused,
    Invalid: _invalid,
    NotFound: lambda error: answer_problem("not-found", str(error)),
    Conflict: lambda error: answer_problem("conflict", str(error)),
    Changed: _changed,
    Forbidden: lambda error: answer_problem("forbidden", str(error)),
    HTTPException: on_http_exception,
    Unavailable: on_unavailable,
    Exception: on_bug,
}
