"""/metrics on a port of its own, on loopback and without a token: served by the main process, which has nothing else to do."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqlalchemy.exc import SQLAlchemyError

from authserver.cli.server import LOOPBACK, check_port
from authserver.oauth.signing_keys import key_ages
from authserver.runtime import Runtime
from authserver.runtime.metrics import CONTENT_TYPE, exposition
from authserver.store.base import transaction


def serve_metrics(runtime: Runtime, port: int) -> None:
    """Serve /metrics in the background, until the process ends. Raises SettingsError where the port is taken."""
    check_port(LOOPBACK, port, "AUTHSERVER_METRICS_PORT")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_found = self.path == "/metrics"
            body = exposition(_ages(runtime)) if is_found else b"see /metrics\n"
            self.send_response(200 if is_found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: a scrape is no news."""

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _ages(runtime: Runtime) -> dict[str, float]:
    try:
        with transaction(runtime.engine) as db:
            return key_ages(runtime, db)
    except SQLAlchemyError:
        return {}
