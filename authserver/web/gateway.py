"""HTTP events of AWS Lambda answered by a WSGI application (PEP 3333): REST API, HTTP API, function URL, load balancer.

gateway_request.py reads an event, gateway_answer.py writes what Lambda hands back. Nothing is imported but the standard
library. One line is logged for each request: method, path, status and duration; never a query, a header or a body.
"""

import logging
from time import perf_counter
from typing import Any

from authserver.web.gateway_answer import Outcome, TooLarge, refusal, run, write
from authserver.web.gateway_request import Application, Environ, Kind, Malformed, kind_of, read_request

log = logging.getLogger("authserver.access")

LONGEST_PATH = 200

TOO_LARGE = refusal(500, "server_error", "The answer is larger than what Lambda can hand back: ask for less at once.")
FAILED = refusal(500, "server_error", "The fault is ours, not yours.")


def is_http(event: object) -> bool:
    """Tell whether an event is an HTTP request; one that asks an authorizer for a decision is none."""
    return kind_of(event) is not None


def answer(application: Application, event: dict[str, Any]) -> dict[str, Any]:
    """Answer an HTTP event as Lambda's proxy integrations want it. Never raises for what an event holds. ValueError where it is none."""
    kind, began = kind_of(event), perf_counter()
    if kind is None:
        raise ValueError("not an HTTP event")
    environ: Environ = {}
    outcome = _outcome(application, event, kind, environ)
    is_empty = environ.get("REQUEST_METHOD") == "HEAD"
    try:
        written = write(outcome, kind, event, is_empty=is_empty)
    except TooLarge:
        outcome = TOO_LARGE
        written = write(outcome, kind, event, is_empty=is_empty)
    _note(environ, outcome, perf_counter() - began)
    return written


def _outcome(application: Application, event: dict[str, Any], kind: Kind, environ: Environ) -> Outcome:
    """Run the application; `environ` is filled for the log."""
    try:
        environ.update(read_request(event, kind))
        shown = {name: environ[name] for name in ("REQUEST_METHOD", "PATH_INFO")}
        outcome = run(application, environ, kind)
        environ.update(shown)  # which middleware may have changed
    except Malformed as error:
        outcome = refusal(400, "invalid_request", str(error))
    except TooLarge:
        outcome = TOO_LARGE
    except Exception as fault:
        log.error("the application failed", extra={"because": type(fault).__name__})
        outcome = FAILED
    return outcome


def _note(environ: Environ, outcome: Outcome, seconds: float) -> None:
    method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")[:LONGEST_PATH]
    cleaned = "".join(character if " " < character <= "~" else "?" for character in path)
    answered_as = next((value for name, value in outcome.headers if name.lower() == "x-request-id"), "")
    about = {"method": method, "path": cleaned, "status": outcome.status, "milliseconds": round(seconds * 1000, 1)}
    log.info("request", extra={**about, "answered_as": answered_as})
