"""Servers that lie: a WSGI application on a real socket, in a thread, whose answers a test changes before they leave."""

import json
import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
JWKS, SIGN_IN, TOKEN, USERINFO, AUTHORIZE = "/.well-known/jwks.json", "/login", "/oauth2/token", "/oidc/userinfo", "/oauth2/authorize"


@dataclass
class Told:
    """One answer, to be changed; `asked` is the WSGI environment."""

    asked: dict[str, Any]
    path: str
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @json.setter
    def json(self, document: Any) -> None:
        self.body = json.dumps(document).encode()


Lie = Callable[[Told], None]


class Liar:
    """A WSGI application in front of another; `before` changes what is asked, `lie` what is answered."""

    def __init__(self, app: Any, mount: str = "") -> None:
        self.app, self.mount = app, mount
        self.lie: Lie | None = None
        self.before: Callable[[dict[str, Any]], None] | None = None
        self.asked: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        told = Told(environ, environ["PATH_INFO"].removeprefix(self.mount), 0, Headers(), b"")
        self.asked.append((environ["REQUEST_METHOD"], told.path))
        if self.before:
            self.before(environ)

        def started(status: str, headers: Any, _fault: Any = None) -> None:
            told.status, told.headers = int(status[:3]), Headers(headers)

        told.body = b"".join(self.app(environ, started))
        if self.lie:
            self.lie(told)
        told.headers["Content-Length"] = str(len(told.body))
        start_response(f"{told.status} Told", list(told.headers))
        return [told.body]

    @contextmanager
    def lying(self, lie: Lie | None = None, before: Any = None) -> Any:
        self.lie, self.before, self.asked = lie, before, []
        yield
        self.lie, self.before = None, None


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that are kept, so that a test does not spend its time on handshakes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    app: Any

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        base = "https://loopback" if isinstance(self.connection, ssl.SSLSocket) else "http://loopback"
        headers = [(name, value) for name, value in self.headers.items() if name != "Content-Length"]
        environ = EnvironBuilder(path, base, query_string=query, method=self.command, headers=headers, data=body).get_environ()
        environ["REMOTE_ADDR"] = self.client_address[0]

        def start_response(status: str, headers: Any, _fault: Any = None) -> None:
            self.send_response_only(int(status[:3]))
            given = Headers(headers)
            given.setdefault("Date", self.date_time_string())
            given.setdefault("Content-Length", "0")
            for name, value in given:
                self.send_header(name, value)
            self.end_headers()

        self.wfile.write(b"".join(self.app(environ, start_response)))

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_OPTIONS(self) -> None:
        self.serve()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_arguments: Any) -> None:
        """Clients that go away in a handshake are what is tested."""


@contextmanager
def served(app: Any, context: ssl.SSLContext | None = None, port: int = 0) -> Any:
    """Serve an application on loopback; yield its port."""
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"app": staticmethod(app)}))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


# Lies


def member(path: str, **changes: Any) -> Lie:
    """Change members of the JSON document at a path; `...` takes one away."""

    def lie(told: Told) -> None:
        if told.path == path and told.status == 200:
            told.json = {name: value for name, value in {**told.json, **changes}.items() if value is not ...}

    return lie


def in_both(**changes: Any) -> Lie:
    """Change members of both discovery documents."""
    return together(member(OPENID, **changes), member(OAUTH, **changes))


def keys(change: Callable[[list[dict[str, Any]]], Any]) -> Lie:
    """Change the list of published keys in place, or return another."""

    def lie(told: Told) -> None:
        if told.path == JWKS:
            document = told.json
            changed = change(document["keys"])
            told.json = {"keys": document["keys"] if changed is None else changed}

    return lie


def header(path: str, name: str, value: str | None) -> Lie:
    """Set a header of the answers at a path, or take it away."""

    def lie(told: Told) -> None:
        if told.path == path:
            told.headers.remove(name)
            if value is not None:
                told.headers.add(name, value)

    return lie


def answer(path: str, status: int, body: bytes = b"", **headers: str) -> Lie:
    """Answer something else at a path."""

    def lie(told: Told) -> None:
        if told.path == path:
            told.status, told.body, told.headers = status, body, Headers({"Content-Type": "text/html", **headers})

    return lie


def replaced(path: str, old: str, new: str) -> Lie:
    """Replace a text in the body at a path."""

    def lie(told: Told) -> None:
        if told.path == path:
            assert old.encode() in told.body
            told.body = told.body.replace(old.encode(), new.encode())

    return lie


def together(*lies: Lie) -> Lie:
    def lie(told: Told) -> None:
        for one in lies:
            one(told)

    return lie
