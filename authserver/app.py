"""create_app(runtime): blueprints, faults, headers, templates.

What only pages need (forms, limits, password hashing, texts) is imported by the first page that needs it, so that a
process that only mints tokens never pays for it. There is no SECRET_KEY: Flask's own session is not used.
"""

from authserver.runtime import Runtime
from authserver.web import authorize, consent, demo, endpoints, errors, headers, health, index, login, logout, pages
from authserver.web.context import EXTENSION, TransactionalFlask, begin_circumstances, end_request
from authserver.web.machine import Machine
from authserver.web.mount import mounted


def create_app(runtime: Runtime) -> TransactionalFlask:
    """Build the WSGI application of a runtime; nothing is connected yet."""
    app = TransactionalFlask("authserver", static_folder=str(pages.STATIC), template_folder=str(pages.TEMPLATES))
    app.extensions[EXTENSION] = runtime
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = runtime.settings.body_limit_bytes
    app.before_request(begin_circumstances)
    app.teardown_request(end_request)
    for part in (errors, headers, pages):
        part.register(app)
    for blueprint in (endpoints.blueprint(runtime), authorize.routes, health.routes):
        app.register_blueprint(blueprint)
    for blueprint in (index.routes, login.routes, consent.routes, logout.routes):
        app.register_blueprint(blueprint)
    if runtime.settings.dev:
        app.register_blueprint(demo.routes)
    app.wsgi_app = mounted(Machine(app.wsgi_app, runtime), runtime.settings)  # type: ignore[method-assign, assignment]
    return app
