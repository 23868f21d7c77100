"""Attacks on whoever lets `authserver doctor` look at a hostile server: to hold them, to break them off, to have secrets shown."""

import json
import time
from collections.abc import Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from authserver.admin.doctor import wire
from authserver.admin.doctor.catalogue import examine_deployment
from authserver.admin.doctor.deployment import Deployment, Visitor
from authserver.admin.doctor.finding import NotSeen
from authserver.admin.doctor.token_checks import token_text
from authserver.admin.doctor.wire import NoAnswer, Wire
from tests.admin.liar import TOKEN, served

VISITOR = Visitor(client_id="lent", client_secret="a-secret-that-was-lent")
TOKEN_TEXT = "eyJhbGciOiJub25lIn0.e30."


class Dripping(StreamRequestHandler):
    """Answers in bytes that never end, each soon enough behind the one before."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        try:
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            return


@pytest.fixture
def dripping() -> Iterator[int]:
    with ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_body_without_end_holds_nobody(dripping: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.2)
    began, connections = time.monotonic(), Wire(f"http://127.0.0.1:{dripping}")
    with pytest.raises(NoAnswer, match="the body took longer than"):
        connections.ask("/")
    assert time.monotonic() - began < 5
    connections.close()


def hostile(body: bytes, status: int, date: str) -> Any:
    """Answer everything alike, and the token endpoint with what was sent to it."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = f"{environ.get('HTTP_AUTHORIZATION')} ".encode() + body if environ["PATH_INFO"] == TOKEN else b"{}"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(answer))), ("Date", date)]
        start_response(f"{status if environ['PATH_INFO'] == TOKEN else 200} Told", headers)
        return [answer]

    return application


@pytest.mark.parametrize("date", ["Mon, 01 Jan 2024 99999999999999:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"])
def test_a_hostile_server_breaks_nothing_off_and_has_no_secret_shown(date: str) -> None:
    body = json.dumps({"access_token": TOKEN_TEXT, "client_secret": VISITOR.client_secret}).encode()
    for status in (203, 500):
        with served(hostile(body, status, date)) as port:
            server = Deployment(f"http://127.0.0.1:{port}", visitor=VISITOR)
            shown = json.dumps(examine_deployment(server, aws=True).document())
            server.close()
        assert f"the token endpoint answered {status}" in shown
        for secret in (VISITOR.client_secret, TOKEN_TEXT, "Basic "):
            assert secret not in shown


def test_no_secret_goes_to_another_machine_by_plain_http() -> None:
    """The URL is loopback; the place to connect to is not."""
    server = Deployment("http://127.0.0.1:9", visitor=VISITOR, connect_to="192.0.2.1:9")
    with pytest.raises(NotSeen, match="no secret is sent by plain http"):
        token_text(server)
