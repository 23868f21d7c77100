"""Fixtures of the tests that look at pages in a real browser: the application on loopback, and an application's pages."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from authserver.app import create_app
from authserver.runtime import Runtime
from tests.clock import Clock
from tests.factories import insert_keys, make_settings, make_test_runtime
from tests.servers import free_port


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""


@dataclass
class Live:
    """The application on loopback, on the clock of the test."""

    runtime: Runtime
    clock: Clock
    issuer: str


@dataclass
class Elsewhere:
    """Another origin: it answers every request with a page, and remembers what arrived."""

    origin: str
    page: str = "<!doctype html><title>Application</title><h1>Application</h1>"
    arrived: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def live(database_url: str, clock: Clock) -> Iterator[Live]:
    port = free_port()
    settings = make_settings(issuer=f"http://localhost:{port}", database_url=database_url, dev=True)
    runtime = make_test_runtime(settings, clock)
    insert_keys(runtime)
    server = make_server("127.0.0.1", port, create_app(runtime), threaded=True, request_handler=Quiet)
    with running(server):
        yield Live(runtime, clock, settings.issuer)
    runtime.engine.dispose()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    known: list[Elsewhere] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, body: str) -> None:
            if self.path != "/favicon.ico":
                known[0].arrived.append((self.command, self.path, body))
            page = known[0].page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.append(Elsewhere(f"http://127.0.0.1:{server.server_address[1]}"))
    with running(server):
        yield known[0]


@contextmanager
def running(server: Any) -> Iterator[None]:
    """Serve in a thread for as long as the block lasts."""
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def browse(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a browser window of a fresh profile: `browse(color_scheme="dark")`. What it complains about fails the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_window(**options: Any) -> Any:
        context = chromium.new_context(**options)
        context.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []
