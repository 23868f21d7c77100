"""The admin application: the console at /admin and its API, a Flask application of its own, made at the first request for it.

A process that only mints tokens never imports it. What is refused here is rolled back: no refusal of an operator is worth
keeping, and none may leave half a change behind.
"""

from typing import Any

from flask import request

from authserver.runtime import Runtime
from authserver.web import errors, headers, operators, pages
from authserver.web.api import bearer, document
from authserver.web.api import routes as api_routes
from authserver.web.console import faults, sign_in
from authserver.web.console.routes import BLUEPRINTS
from authserver.web.context import EXTENSION, TransactionalFlask, begin_circumstances, end_request


class AdminFlask(TransactionalFlask):
    """Flask that commits what was done and nothing that was refused, and calls a view only for who may."""

    commits_below = 400

    def view(self) -> Any:
        """Call the view, if who calls has the permission that it declares."""
        if request.routing_exception is None:
            operators.guard()
        return super().view()


def create_admin_app(runtime: Runtime) -> AdminFlask:
    """Build the admin application of a runtime; it answers what is at or below /admin."""
    app = AdminFlask("authserver", **pages.FOLDERS)
    app.extensions[EXTENSION] = runtime
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = runtime.settings.body_limit_bytes
    app.url_map.merge_slashes = False  # an API's identifier has two of them
    app.before_request(begin_circumstances)
    app.teardown_request(end_request)
    for part in (errors, headers, pages, faults):
        part.register(app)
    operators.register(app, {"page": sign_in.admit, "api": bearer.admit})
    for blueprint in (*BLUEPRINTS, document.routes, api_routes.blueprint()):
        app.register_blueprint(blueprint)
    return app
