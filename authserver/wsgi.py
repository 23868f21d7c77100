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

        settings = read_settings()
        configure(settings.log_level)
        return create_app(make_runtime(settings))
    finally:
        gc.freeze()
        gc.enable()


app = load()
