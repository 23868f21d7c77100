"""`authserver serve`: the server for production. Refuses to start on what would be unsafe, naming the setting to change."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authserver.cli.place import find_settings, open_runtime
from authserver.oauth.signing_keys import load_ring
from authserver.runtime import Runtime
from authserver.runtime.log import configure
from authserver.runtime.metrics import FOLDER
from authserver.runtime.settings import COMPONENTS, PREFIX, Settings, SettingsError, export
from authserver.specs import specs_on
from authserver.store.base import transaction
from authserver.store.schema import schema_is_current

if TYPE_CHECKING:
    from authserver.cli.server import DrainedServer


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 or :: for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes; one per processor is a good number.")
@click.option(
    "--only", type=click.Choice(COMPONENTS), help="Serve one part alone: tokens and the pages of users, or the console and its API."
)
def serve(host: str, port: int, workers: int, only: str | None) -> None:
    """Start the server for production, behind a proxy that speaks https.

    SIGTERM: /readyz says 503 for AUTHSERVER_DRAIN_DELAY while requests are still taken, then the listener closes,
    requests in flight finish, and the exit code is 0. Under systemd set KillMode=mixed, so that only the main process
    is signalled. AUTHSERVER_APPLY=FILE applies a configuration file first (`authserver apply`); a bad one stops the start.

    \b
    Example:
      export AUTHSERVER_ISSUER=https://login.example.com
      export AUTHSERVER_DATABASE_URL=postgresql://authserver@db/authserver
      export AUTHSERVER_SECRET_KEY_FILE=/run/secrets/authserver.key    # openssl rand -base64 32
      export AUTHSERVER_TRUSTED_PROXIES=1
      authserver db upgrade && authserver serve --workers 2
    """
    from authserver.cli.server import check_port, make_server

    settings = choose_components(find_settings(), only)
    refuse_unsafe(settings)
    check_port(host, port)
    with open_runtime(settings) as runtime, tempfile.TemporaryDirectory(prefix="authserver-") as folder:
        refuse_unready(runtime)
        apply_file(runtime)
        server = make_server(settings, host, port, workers)
        prepare_drain(server, settings, Path(folder))
        prepare_metrics(runtime, Path(folder))
        server.run()


def choose_components(settings: Settings, only: str | None) -> Settings:
    """Return the settings with one component alone, for this process and its workers."""
    if only is None:
        return settings
    export({f"{PREFIX}COMPONENTS": only})
    return replace(settings, components=(only,))


def apply_file(runtime: Runtime) -> None:
    """Apply the file of AUTHSERVER_APPLY where one is set. Raises SettingsError, BadFile, NotFound, Conflict."""
    if runtime.settings.apply:
        from authserver.admin.configuration.start import apply_at_start

        configure(runtime.settings.log_level)
        apply_at_start(runtime)


def prepare_drain(server: "DrainedServer", settings: Settings, folder: Path) -> None:
    """Agree with the workers on the file that says that they drain."""
    server.drain_delay = settings.drain_delay.total_seconds()
    server.drain_marker = Path(settings.drain_marker or folder / "draining")
    server.drain_marker.unlink(missing_ok=True)
    export({f"{PREFIX}DRAIN_MARKER": str(server.drain_marker)})


def prepare_metrics(runtime: Runtime, folder: Path) -> None:
    """Let the workers count in one folder where metrics are on, and serve their port where there is one. Raises SettingsError."""
    from authserver.cli.metrics_port import serve_metrics

    if not runtime.settings.metrics_token and not runtime.settings.metrics_port:
        return
    (folder / "metrics").mkdir()
    export({FOLDER: str(folder / "metrics")})
    if runtime.settings.metrics_port:
        serve_metrics(runtime, runtime.settings.metrics_port)


def refuse_unsafe(settings: Settings) -> None:
    """Refuse settings that are for development or incomplete. Raises SettingsError."""
    if settings.dev:
        raise SettingsError(
            f"these are the settings of authserver dev: unset {PREFIX}DEV and set {PREFIX}ISSUER, DATABASE_URL and SECRET_KEY"
        )
    if not settings.secret_key:
        raise SettingsError(f"{PREFIX}SECRET_KEY is not set: make a key with openssl rand -base64 32, and keep it outside the database")
    specs_on(settings)
    if any(key.startswith("dev_") for key in settings.secret_key):
        raise SettingsError(f"{PREFIX}SECRET_KEY has a key that authserver dev made: make another with openssl rand -base64 32")


def refuse_unready(runtime: Runtime) -> None:
    """Refuse a database that is not migrated, or whose keys do not open.

    Raises SettingsError, SealBroken, KeyUnavailable, DBAPIError.
    """
    runtime.keys.current()  # where AWS has it, this asks
    with transaction(runtime.engine) as db:
        if not schema_is_current(db):
            raise SettingsError(f"the tables of {PREFIX}DATABASE_URL are not there or too old: run authserver db upgrade")
        load_ring(runtime, db)
