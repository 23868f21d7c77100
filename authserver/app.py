"""create_app(runtime): blueprints, faults, headers, templates.

What only pages need (forms, limits, password hashing, texts) is imported by the first page that needs it, so that a
process that only mints tokens never pays for it; so is the admin application, by the first request below /admin. There is
no SECRET_KEY: Flask's own session is not used.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from authserver.runtime import Runtime
from authserver.web import authorize, consent, demo, endpoints, errors, headers, health, index, login, logout, pages, password
from authserver.web.context import EXTENSION, TransactionalFlask, begin_circumstances, end_request
from authserver.web.machine import Machine
from authserver.web.mount import Application, Environ, mounted
from authserver.web.upkeep import begin

ADMIN = "/admin"


def create_app(runtime: Runtime) -> TransactionalFlask:
    """Build the WSGI application of a runtime; nothing is connected yet."""
    app, components = TransactionalFlask("authserver", **pages.FOLDERS), runtime.settings.components
    app.extensions[EXTENSION] = runtime
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = runtime.settings.body_limit_bytes
    app.before_request(begin_circumstances)
    app.teardown_request(end_request)
    for part in (errors, headers, pages):
        part.register(app)
    app.register_blueprint(health.routes)
    behind: Application = app.wsgi_app
    if "admin" in components:
        behind = Deferred(behind, ADMIN, lambda: _create_admin_app(runtime))
    if "protocol" in components:
        _speak(app, runtime)
        behind = Machine(behind, runtime)
    begin(runtime)
    app.wsgi_app = mounted(behind, runtime.settings, runtime.aws)  # type: ignore[method-assign, assignment]
    return app


class Deferred:
    """A WSGI application that hands what is at or below a path to another one, which is made when the first request comes."""

    def __init__(self, rest: Application, path: str, create: Callable[[], Application]) -> None:
        """Keep how it is made; `rest` answers everything else."""
        self._rest = rest
        self._path = path
        self._create = create
        self._made: Application | None = None
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        if not (environ["PATH_INFO"] + "/").startswith(self._path + "/"):
            return self._rest(environ, start_response)
        with self._lock:
            if self._made is None:
                self._made = self._create()
        return self._made(environ, start_response)


def _speak(app: TransactionalFlask, runtime: Runtime) -> None:
    """Register the endpoints of the protocols, and the pages of users."""
    for blueprint in (endpoints.blueprint(runtime), authorize.routes, index.routes, login.routes, consent.routes, logout.routes):
        app.register_blueprint(blueprint)
    app.register_blueprint(password.routes)
    if runtime.settings.dev:
        app.register_blueprint(demo.routes)


def _create_admin_app(runtime: Runtime) -> Application:
    from authserver.web.administration import create_admin_app

    made: Application = create_admin_app(runtime).wsgi_app
    return made
