"""The endpoints for machines answered in front of Flask, which takes longer for a request than a token does.

Only what is plain is answered here: an endpoint's own method, a form of known length, no fault; and at /authorize
(RFC 6749 section 3.1) what needs no page. Whatever else comes goes on to Flask, which has the same endpoints; and so
does whatever goes wrong, as a request whose first attempt is spent.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders

from authserver.oauth.request import Message
from authserver.oauth.server import Answer, Server
from authserver.runtime import Runtime
from authserver.runtime.log import circumstances
from authserver.runtime.metrics import answered
from authserver.specs import authorization_server, registry
from authserver.store.base import transaction
from authserver.web.authorize import answer_at_once
from authserver.web.context import FAULT, circumstances_of
from authserver.web.endpoints import FORM, endpoints, parse, write
from authserver.web.headers import Kind, kind_of, standing_headers
from authserver.web.mount import OPENED, Application, Environ, is_issuer_host
from authserver.web.upkeep import keep_up

STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Plain(NamedTuple):
    """What is answered here at one path: by `act`, unless that leaves it to Flask. `label` is Flask's name of it in metrics."""

    label: str
    kind: Kind
    act: Callable[[Server, Message], Answer | None]


def plain_endpoints(runtime: Runtime) -> Mapping[tuple[str, str], Plain]:
    """Return what is answered here, by method and path."""
    machines = {
        (method, path): Plain(f"endpoints.{endpoint.name}", kind_of(path), endpoint.act)
        for path, endpoint in endpoints(registry(runtime)).items()
        for method in endpoint.methods
    }
    return {**machines, ("GET", "/oauth2/authorize"): Plain("authorize.authorize", "page", answer_at_once)}


class Machine:
    """A WSGI application in front of another."""

    def __init__(self, behind: Application, runtime: Runtime) -> None:
        """Serve the endpoints of a runtime; `behind` has them too."""
        self._behind = behind
        self._runtime = runtime
        self._endpoints = plain_endpoints(runtime)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request, or let it through."""
        found = self._endpoints.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        message = None if found is None else self._read(environ, found.kind)
        if found is None or message is None:
            return self._behind(environ, start_response)
        before = circumstances.set(circumstances_of(self._runtime, environ))
        try:
            body = self._send(environ, start_response, found, message)
        except Exception as fault:
            environ[FAULT] = fault
            return self._behind(environ, start_response)
        finally:
            circumstances.reset(before)
        return self._behind(environ, start_response) if body is None else body

    def _send(self, environ: Environ, start_response: Any, plain: Plain, message: Message) -> Iterable[bytes] | None:
        runtime = self._runtime
        with transaction(runtime.engine) as db:
            headers = standing_headers(runtime, db, plain.kind, environ.get("HTTP_ORIGIN"))
            answer = plain.act(authorization_server(runtime, db), message)
            if answer is None:
                return None
            body = write(answer)  # nothing may go wrong after the commit
        keep_up(runtime)
        answered(plain.label, answer.status)
        about = [("Content-Type", answer.content_type), ("Content-Length", str(len(body)))]
        start_response(STATUS[answer.status], [*about, *answer.headers, *headers])
        return (body,)

    def _read(self, environ: Environ, kind: Kind) -> Message | None:
        """Read a plain request and leave its body to be read again; None for one that is not plain."""
        method, headers = environ["REQUEST_METHOD"], EnvironHeaders(environ)
        if kind == "page":
            is_plain = is_issuer_host(self._runtime.settings, environ[OPENED]) and environ["QUERY_STRING"].isascii()
            return Message(method, _query(environ), headers) if is_plain else None  # type: ignore[arg-type]
        if method == "GET":
            return Message(method, None, headers)  # type: ignore[arg-type]
        length = environ.get("CONTENT_LENGTH", "")
        is_form = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == FORM
        if not is_form or not length.isdecimal() or int(length) > self._runtime.settings.body_limit_bytes:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        return Message(method, parse(body), headers) if len(body) == int(length) else None  # type: ignore[arg-type]


def _query(environ: Environ) -> tuple[tuple[str, str], ...]:
    """Read the query as Flask does."""
    return tuple(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True, errors="werkzeug.url_quote"))
