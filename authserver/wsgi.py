"""`app` for any WSGI server: AUTHSERVER_* → Settings → Runtime → create_app."""

import gc
from typing import Any


def load() -> Any:
    """Import and build the application. Nothing of it is ever garbage, and to look for some takes a fifth of a cold start."""
    gc.disable()
    try:
        from authserver.app import create_app
        from authserver.runtime import make_runtime
        from authserver.runtime.log import configure
        from authserver.runtime.settings import read_settings
        from authserver.web.upkeep import finish_at_exit

        settings = read_settings()
        configure(settings.log_level)
        runtime = make_runtime(settings)
        finish_at_exit(runtime)
        return create_app(runtime)
    finally:
        gc.freeze()
        gc.enable()


app = load()
