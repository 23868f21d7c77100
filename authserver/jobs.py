"""What a schedule or a deployment calls: migrate, deliver mail, the janitor's round. Each reads AUTHSERVER_*, commits for itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from authserver.admin import outbox, own
from authserver.admin.janitor import sweep
from authserver.runtime import Runtime, make_runtime
from authserver.runtime.log import configure
from authserver.runtime.settings import read_settings


def migrate() -> None:
    """Bring the tables to this version's revision, and apply the file of AUTHSERVER_APPLY where one is set."""
    with _runtime() as runtime:
        own.migrate(runtime)
        if runtime.settings.apply:
            from authserver.admin.configuration.start import apply_at_start

            apply_at_start(runtime)


def deliver() -> dict[str, int]:
    """Send the mail that is due; return how many letters were sent, failed and given up. Every few minutes is a good schedule."""
    with _runtime() as runtime:
        return outbox.deliver(runtime)


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
