"""An authorizer with a clock of its own; the project's server, and a server of JWK Sets, on loopback."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from authserver.authorizer.handler import Authorizer
from authserver.authorizer.settings import read_settings
from authserver.runtime import Runtime
from tests.authorizer import forge
from tests.authorizer.events import rest_token
from tests.authorizer.packaging import package
from tests.factories import Made, make_client, make_resource_server

Decide = Callable[..., Any]


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Now:
    """Epoch seconds that stand still until a test moves them."""

    seconds: float = forge.NOW

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Gate:
    """An authorizer, what it wrote to its log, and a short way to ask it."""

    authorizer: Authorizer
    now: Now
    lines: list[str] = field(default_factory=list)

    def ask(self, token: str, shape: Callable[..., Any] = rest_token, **route: str) -> Any:
        return self.authorizer.decide(shape(f"Bearer {token}", **route))

    @property
    def because(self) -> str:
        return str(json.loads(self.lines[-1])["because"])


@pytest.fixture
def gate() -> Callable[..., Gate]:
    """Set an authorizer up: `gate(scopes="read")`; its keys are those of `forge`, embedded, unless it is told otherwise."""

    def make(now: Now | None = None, **settings: Any) -> Gate:
        values = {"issuer": forge.ISSUER, "audience": forge.API, "jwks": forge.jwks(), **settings}
        environ = {f"AUTHORIZER_{name.upper()}": str(value) for name, value in values.items() if value is not None}
        clock, lines = now or Now(), []
        return Gate(Authorizer(read_settings(environ), clock, log=lines.append), clock, lines)

    return make


@dataclass
class KeyServer:
    """Serves one body at any path, and counts."""

    body: bytes
    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    pause: threading.Event | None = None
    drips: bool = False


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """A real HTTP server whose answers a test sets."""
    state = KeyServer(forge.jwks().encode())

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            if state.pause:
                state.pause.wait(5)
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for part in [state.body[at : at + 1] for at in range(100)] if state.drips else [state.body]:
                self.wfile.write(part)
                time.sleep(0.05 if state.drips else 0)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who gave up waiting is not there any more
    state.url = f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def served(app: Any) -> Iterator[str]:
    """The project's own server on loopback; its clock is the test's. Yields where it is."""
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def authorizer_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of `make authorizer-package`, for this interpreter."""
    file = tmp_path_factory.mktemp("authorizer") / "authorizer.zip"
    package(file)
    return file


@pytest.fixture
def checker(runtime: Runtime) -> Made:
    """The client that the authorizer introspects as."""
    made = make_client(runtime, "service", client_id="authorizer")
    make_resource_server(runtime, forge.API, introspected_by=[made.client_id])
    return made
