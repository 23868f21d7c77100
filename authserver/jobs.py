"""What a schedule or a deployment calls: migrate, and the janitor's round. Each reads AUTHSERVER_* and commits for itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from authserver.admin import schema
from authserver.admin.janitor import sweep
from authserver.runtime import Runtime, make_runtime
from authserver.runtime.log import configure
from authserver.runtime.settings import read_settings


def migrate() -> None:
    """Bring the tables to this version's revision."""
    with _runtime() as runtime:
        schema.upgrade(runtime.engine)


def janitor() -> dict[str, int]:
    """Delete what has expired and make the keys that are due; return how many rows, by table."""
    with _runtime() as runtime:
        return sweep(runtime)


@contextmanager
def _runtime() -> Iterator[Runtime]:
    settings = read_settings()
    configure(settings.log_level)
    runtime = make_runtime(settings)
    try:
        yield runtime
    finally:
        runtime.engine.dispose()
