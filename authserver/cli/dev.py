"""`authserver dev`: a server to try things out. Asks nothing, keeps its data in one folder, listens on loopback only."""

import socket
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from authserver.admin.demo import API, EMAIL, Demo, ensure_demo
from authserver.admin.keys import ensure_needed_keys
from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.admin.own import migrate
from authserver.cli.place import SETTINGS, open_runtime
from authserver.cli.serve import apply_file
from authserver.runtime import Runtime
from authserver.runtime.keys import encode_dev_key
from authserver.runtime.settings import (
    PREFIX,
    Settings,
    SettingsError,
    convert,
    environ,
    export,
    is_loopback_host,
    read_env_file,
    read_sources,
)
from authserver.store.admin_role import has_enabled_owner
from authserver.store.base import transaction

SECONDS_TO_START = 20
KEY_FILE = "secret.key"
OWN = ("ISSUER", "DATABASE_URL", "DATABASE_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE", "DEV")


@click.command()
@click.option("--port", default=9000, show_default=True, type=click.IntRange(1, 65535), help="Where to listen.")
@click.option("--data", default=".authserver", show_default=True, type=click.Path(path_type=Path), help="Folder for all its data.")
@click.option("--host", default="localhost", show_default=True, help="A name or address of this machine's loopback.")
def dev(port: int, data: Path, host: str) -> None:
    """Start a server to try things out; asks nothing.

    Makes a database with a demo user, three demo clients and a demo API in a folder, and listens on this machine only.
    A second start goes on with the same data; delete the folder to begin anew.

    \b
    Example:  authserver dev --port 9001
    """
    from authserver.cli.server import LOOPBACK, check_port, make_server

    if not is_loopback_host(host):
        raise SettingsError(f"authserver dev listens on this machine alone, not on {host}; for others to reach it, use authserver serve")
    address = LOOPBACK if host == "localhost" else host
    check_port(address, port)
    settings = prepare_folder(data, f"http://{f'[{host}]' if ':' in host else host}:{port}")
    with open_runtime(settings) as runtime:
        demo, link = fill(runtime)
    server = make_server(settings, address, port, workers=1, quiet=True)
    server.on_started = lambda: _announce(address, port, list(describe(settings, data, demo, link)))
    server.run()


def prepare_folder(data: Path, issuer: str) -> Settings:
    """Make the folder with its key and settings, give the settings to the server's processes and return them. Raises SettingsError."""
    given = {name: value for name, value in environ().items() if name.startswith(PREFIX)}
    for name in OWN:
        if PREFIX + name in given:
            raise SettingsError(f"authserver dev has an issuer, database and key of its own: unset {PREFIX}{name}, or use authserver serve")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    if not (data / KEY_FILE).exists():
        write_private(data / KEY_FILE, encode_dev_key(Runtime.new_secret(32)) + "\n")
        write_private(data / ".gitignore", "*\n")
    folder = data.resolve()
    own = (issuer, f"sqlite:///{folder}/authserver.db", f"{folder}/{KEY_FILE}", "true")
    lines = zip(("ISSUER", "DATABASE_URL", "SECRET_KEY_FILE", "DEV"), own, strict=True)
    write_private(data / SETTINGS, "".join(f"{PREFIX}{name}={value}\n" for name, value in lines))
    variables = {**read_env_file(data / SETTINGS), **given}
    settings = convert(read_sources(variables))
    export(variables)
    return settings


def fill(runtime: Runtime) -> tuple[Demo | None, str | None]:
    """Migrate, and make keys and demo data where they are missing; return what was made, and a link while nobody is owner."""
    migrate(runtime)
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        ensure_needed_keys(operation)
        made = ensure_demo(operation), None if has_enabled_owner(db) else setup_link(operation)
    apply_file(runtime)
    return made


def describe(settings: Settings, data: Path, demo: Demo | None, link: str | None) -> Iterator[str]:
    """Yield at most 14 lines that tell what there is and what to do next."""
    issuer, program = settings.issuer, find_program()
    kept = "new" if demo else "kept from before"
    yield f"authserver {version('authserver')} · for development, on this machine only · data in {data} ({kept})"
    yield f"Issuer       {issuer}"
    yield f"Discovery    {issuer}/.well-known/openid-configuration"
    yield f"Console      {issuer}/admin" + ("" if link is None else "   you become its first owner by this link, within 15 minutes:")
    if link is not None:
        yield f"  {link}"
    yield f"Try a login  {issuer}/demo"
    if demo is None:
        yield f"  as         {EMAIL}, with the password shown at the first start"
        yield f"               (a new one: {program} users set-password {EMAIL})"
        yield "Clients      demo-spa, demo-web, demo-service, with the secrets shown at the first start"
        yield f"               (a new one: {program} clients rotate-secret demo-service)"
    else:
        yield f"  as         {EMAIL}   password  {demo.password}"
        yield f"Clients      demo-spa · demo-web, secret {demo.web_secret} · demo-service"
        yield "A token for a service, with curl (passwords and secrets are shown this once):"
        yield f"  curl -s -u demo-service:{demo.service_secret} -d grant_type=client_credentials {issuer}/oauth2/token"
    yield f"Demo API     {API}"
    yield f"Next         {program} clients create --help   ·   for production: {program} init   ·   Ctrl-C stops"


def find_program() -> str:
    """Return what to type in this folder to call this command: its path where it lies below, else its name."""
    path, here = Path(sys.argv[0]), Path.cwd()
    return str(path.relative_to(here)) if path.name == "authserver" and path.is_relative_to(here) else "authserver"


def _announce(address: str, port: int, lines: list[str]) -> None:
    for _ in range(SECONDS_TO_START * 20):
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        for line in lines:
            click.echo(line)
        return


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
