"""Where a command works: on the settings of the environment, or on ./.authserver where none is set."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy.exc import ArgumentError

from authserver.admin.operation import Operation
from authserver.admin.outbox import send_now
from authserver.runtime import Runtime, make_runtime
from authserver.runtime.settings import PREFIX, Settings, SettingsError, Source, convert, environ, read_env_file, read_sources
from authserver.store.base import transaction

DATA = Path(".authserver")
SETTINGS = "settings.env"


def find_sources() -> Mapping[str, Source]:
    """Return the settings that are set, by field: the environment's, or those in ./.authserver. Raises SettingsError."""
    file, given = DATA / SETTINGS, [name for name in environ() if name.startswith(PREFIX)]
    if given:
        if file.is_file() and not any(name.startswith(f"{PREFIX}ISSUER") for name in given):
            known = f"{DATA} is used only where no {PREFIX}* variable is set"
            raise SettingsError(f"{PREFIX}ISSUER is not set, and {known}: set it, or unset {' '.join(given)}")
        return read_sources(environ())
    if not file.is_file():
        raise SettingsError(f"no {PREFIX}* variable is set and there is no {DATA} here: set {PREFIX}ISSUER, or run authserver dev")
    click.echo(f"Using {file}, since no {PREFIX}* variable is set.", err=True)
    return {name: replace(source, origin=str(file)) for name, source in read_sources(read_env_file(file)).items()}


def find_settings() -> Settings:
    """Return the settings. Raises SettingsError."""
    return convert(find_sources())


@contextmanager
def open_runtime(settings: Settings | None = None) -> Iterator[Runtime]:
    """Open a runtime for as long as a command takes."""
    try:
        runtime = make_runtime(settings or find_settings())
    except (ValueError, ArgumentError) as error:
        raise SettingsError(_readable(error)) from error
    try:
        yield runtime
    finally:
        runtime.engine.dispose()


@contextmanager
def operation(settings: Settings | None = None) -> Iterator[Operation]:
    """Run a command in one transaction, committed at its end; then mail that it wrote is sent."""
    with open_runtime(settings) as runtime:
        with transaction(runtime.engine) as db:
            yield Operation(db, runtime)
        send_now(runtime, db.outgoing)


def _readable(error: Exception) -> str:
    if isinstance(error, ArgumentError):
        return f"{PREFIX}DATABASE_URL must be like sqlite:///file.db, postgresql://… or mysql://…"
    return f"{PREFIX}SECRET_KEY: {error}" if "secret key" in str(error) else str(error)
