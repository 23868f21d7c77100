"""Hosts of applications: a web server with a single-page application, a program's listener on a loopback port."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Host:
    """A web server on a free port of this machine."""

    def __init__(self, handler: Any) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def send(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


class SpaHost(Host):
    """An origin of its own with the files of a folder; `config` is what the application reads as config.json."""

    def __init__(self, host: str, folder: Path, packages: Path) -> None:
        self.packages = packages
        self.config: dict[str, Any] = {}
        super().__init__(partial(_Files, host=self, directory=str(folder)))
        self.url = f"http://{host}:{self.port}/"


class _Files(_Handler):
    def __init__(self, *arguments: Any, host: SpaHost, **rest: Any) -> None:
        self.host = host
        super().__init__(*arguments, **rest)

    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith(".js") else super().guess_type(path)

    def translate_path(self, path: str) -> str:
        plain = path.partition("?")[0]
        if plain.startswith("/node_modules/"):
            return str(self.host.packages / plain.removeprefix("/node_modules/"))
        return super().translate_path(path)

    def do_GET(self) -> None:
        if self.path == "/config.json":
            self.send("application/json", json.dumps(self.host.config).encode())
        else:
            super().do_GET()


class Listener(Host):
    """What a native program does while its user signs in: it listens on whatever port is free."""

    def __init__(self) -> None:
        super().__init__(_Callback)
        self.redirect_uri = f"http://127.0.0.1:{self.port}/callback"


class _Callback(_Handler):
    def do_GET(self) -> None:
        self.send("text/html", b"<!doctype html><title>Done</title><p>You can close this window.</p>")
