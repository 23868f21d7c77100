"""One request: its runtime, its database, and the wrapper that commits, retries and rolls back around the view."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.runtime import Runtime
from authserver.runtime.log import Circumstances, circumstances
from authserver.store.base import Database
from authserver.web.upkeep import keep_up

log = logging.getLogger("authserver.web")

EXTENSION = "authserver.runtime"
FAULT = "authserver.fault"
"""Where the WSGI environment has what went wrong in the first attempt, made in front of Flask by machine.py."""
MOST_RETRIES = 3
RETRIABLE_SQLSTATES = {"40001", "40P01"}
RETRIABLE_MYSQL = {1213, 1020}


class Unavailable(Exception):
    """The database cannot answer now: 503 with Retry-After."""


def runtime() -> Runtime:
    """The process's runtime."""
    found: Runtime = current_app.extensions[EXTENSION]
    return found


def db() -> Database:
    """This request's database, connected at its first statement."""
    if "db" not in g:
        g.db = Database(runtime().engine)
    found: Database = g.db
    return found


class TransactionalFlask(Flask):
    """Flask whose every view is one unit of work: committed before the answer leaves, if its status is below `commits_below`."""

    commits_below = 500

    def dispatch_request(self) -> Any:
        """Run the view; retry it at most three times where the database lost a race, else answer 503."""
        for attempt in range(MOST_RETRIES + 1):
            try:
                return self._once()
            except (DBAPIError, PoolTimeout) as error:
                _undo()
                if attempt == MOST_RETRIES or not is_retriable(error):
                    log.warning("database unavailable", extra={"because": name_fault(error)})
                    raise Unavailable from error
                _wait(attempt)
        raise AssertionError("unreachable")

    def view(self) -> Any:
        """Call the view of this request's route."""
        return super().dispatch_request()

    def _once(self) -> Response:
        answer: Response = self.make_response(self._answer())
        if answer.status_code < self.commits_below:
            db().commit()
            db().release()
            _send_mail()
            keep_up(runtime())
        else:
            db().rollback()
        return answer

    def _answer(self) -> Any:
        try:
            fault: Exception | None = request.environ.pop(FAULT, None)
            if fault is not None:
                raise fault
            return self.view()
        except (DBAPIError, PoolTimeout):
            raise
        except Exception as error:  # a refusal is a decision: its handler's answer is committed like any other
            return self.handle_user_exception(error)


def is_retriable(error: Exception) -> bool:
    """Tell whether the database only lost a race: a serialization failure or a deadlock. A lock that was waited for in
    vain is not one: whoever waits that long is told so."""
    original: Any = getattr(error, "orig", None)
    if original is None:
        return False
    return getattr(original, "sqlstate", None) in RETRIABLE_SQLSTATES or next(iter(original.args), None) in RETRIABLE_MYSQL


def name_fault(error: Exception) -> str:
    """Name a database's fault by its classes and number, never by its text, which may hold values."""
    original: Any = getattr(error, "orig", None)
    number = getattr(original, "sqlstate", None) or next((item for item in getattr(original, "args", ()) if isinstance(item, int)), "")
    return f"{type(error).__name__} {type(original).__name__ if original else ''} {number}".strip()


def begin_circumstances() -> None:
    """Name the request and remember who calls, for logs and audit."""
    spent = circumstances.get() if FAULT in request.environ else None
    g.circumstances = circumstances.set(spent or circumstances_of(runtime(), request.environ))


def circumstances_of(runtime: Runtime, environ: Mapping[str, Any]) -> Circumstances:
    """Name a request and say who calls."""
    return Circumstances(
        request_id=runtime.new_secret(9).hex(),
        address=environ.get("REMOTE_ADDR", ""),
        user_agent=environ.get("HTTP_USER_AGENT", "")[:200],
    )


def end_request(_error: BaseException | None) -> None:
    """Give back the connection, whatever happened."""
    opened: Database | None = g.pop("db", None)
    if opened is not None:
        try:
            opened.close()
        except DBAPIError:
            log.warning("connection lost at the end of a request")
    token = g.pop("circumstances", None)
    if token is not None:
        circumstances.reset(token)


def _send_mail() -> None:
    outgoing, db().outgoing = db().outgoing, []
    if outgoing:
        from authserver.admin.outbox import send_now

        send_now(runtime(), outgoing)


def _undo() -> None:
    try:
        db().rollback()
    except DBAPIError:
        pass
    try:
        db().close()
    except DBAPIError:
        pass


def _wait(attempt: int) -> None:
    jitter = runtime().new_secret(1)[0] / 255
    time.sleep(0.01 * 2**attempt * (1 + jitter))
