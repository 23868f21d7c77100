"""AWS on loopback: moto as a process of its own, with variables that lead there; and a server that says what a test wants."""

import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.smtp_server import write_certificate

REGION = "eu-central-1"
ACCOUNT = "123456789012"


class MotoServer:
    """moto's server at a port. Everything that was made in it is gone when it stops, or at `reset()`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "MotoServer":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUTHSERVER_", "COVERAGE_"))}
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, env={**kept, "AWS_ACCESS_KEY_ID": "testing"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def reset(self) -> None:
        """Forget everything that was made."""
        self._ask("POST", "/moto-api/reset")

    def environment(self) -> dict[str, str]:
        """The variables of a process whose AWS this is; `moto` answers any credentials."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """boto3's client for a service of it."""
        import boto3

        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )

    def _wait(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self._process is not None
            assert self._process.poll() is None, "moto's server has ended"
            try:
                if self._ask("GET", "/moto-api/") == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("moto's server does not answer")

    def _ask(self, method: str, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().status
        finally:
            connection.close()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Any
    body: bytes


class FakeAws:
    """A server that gives the answers that it was told, in turn. Status 0 breaks the connection off, and -1 says nothing."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.reset()

    def reset(self) -> None:
        self.requests: list[Asked] = []
        self._answers: deque[tuple[int, bytes]] = deque()

    def says(self, status: int, body: bytes) -> None:
        self._answers.append((status, body))

    @contextmanager
    def tls(self) -> Iterator[str]:
        """Listen with a certificate that nobody trusts as well, and yield the URL."""
        with tempfile.TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) as server:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*write_certificate(Path(folder), "127.0.0.1"))
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield f"https://127.0.0.1:{server.server_port}"
            server.shutdown()

    def __enter__(self) -> "FakeAws":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.requests.append(Asked(self.command, self.path, self.headers, body))
                status, answer = fake._answers.popleft()
                if status <= 0:
                    time.sleep(-status / 5)
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    pass

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass

        return Handler
