"""`authserver init`: the settings of a first production server, asked for, written, checked; and the first owner's link."""

import base64
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from authserver.admin.keys import ensure_needed_keys
from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.admin.own import migrate
from authserver.cli.config import masked
from authserver.cli.dev import find_program, write_private
from authserver.cli.failure import Failure
from authserver.cli.options import as_json
from authserver.cli.output import show
from authserver.cli.place import open_runtime
from authserver.cli.serve import refuse_unsafe
from authserver.oauth.signing_keys import load_ring
from authserver.runtime import Runtime
from authserver.runtime.settings import PREFIX, Settings, SettingsError, Source, check_issuer, convert
from authserver.store.admin_role import has_enabled_owner
from authserver.store.base import transaction
from authserver.store.schema import HEAD, find_revision
from authserver.store.signing_key import list_keys

ENV_FILE, KEY_FILE, DATABASE_FILE = "authserver.env", "authserver.key", "authserver.db"
KEPT = {"file": "in a file of its own, beside the settings", "env": "among the settings"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What was answered: the folder, and settings by name."""

    folder: Path
    values: dict[str, str]
    key: str
    is_new_key: bool

    @property
    def env_file(self) -> Path:
        """Where the settings go."""
        return self.folder / ENV_FILE

    def settings(self) -> Settings:
        """Return the settings. Raises SettingsError."""
        given = {name: value for name, value in self.values.items() if name != "secret_key_file"} | {"secret_key": self.key}
        return convert({name: Source(value, ENV_FILE) for name, value in given.items()})


@click.command()
@click.option("--issuer", envvar=f"{PREFIX}ISSUER", metavar="URL", help="The public URL of this server, like https://login.example.com.")
@click.option(
    "--database-url", envvar=f"{PREFIX}DATABASE_URL", metavar="URL", help="postgresql://…, mysql://… or sqlite:///FILE, the default."
)
@click.option(
    "--keys", type=click.Choice(list(KEPT)), help="Where the key is kept that seals secrets in the database: file, the default, or env."
)
@click.option("--folder", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write; by default this folder.")
@as_json
def init(issuer: str | None, database_url: str | None, keys: str | None, folder: Path, as_json: bool) -> None:
    """Write and check the settings of a first production server, and print the link for its first owner.

    Asks for what is not given by an option, where there is a terminal. Writes authserver.env and authserver.key, which
    only you can read, and overwrites neither; a key that is there already is used. The database is checked, and its
    tables are made if it is empty.

    \b
    Examples:
      authserver init
      authserver init --issuer https://login.example.com --folder /etc/authserver \\
          --database-url postgresql://authserver@db/authserver
    """
    choice = choose(folder, issuer, database_url, keys)
    settings = choice.settings()
    refuse_unsafe(settings)
    make_folder(choice.folder)
    with open_runtime(settings) as runtime:
        prepare_tables(runtime, choice)
        write(choice)
        link = begin(runtime)
    if as_json:
        show({"settings": str(choice.env_file), "key": choice.values.get("secret_key_file"), "revision": HEAD, "link": link}, as_json)
        return
    for line in describe(choice, settings, link):
        click.echo(line)


def choose(folder: Path, issuer: str | None, database_url: str | None, keys: str | None) -> Choice:
    """Ask for what is not given. Raises UsageError where it must be and nobody can be asked, SettingsError."""
    asks, place = sys.stdin.isatty(), folder.resolve()
    if (place / ENV_FILE).exists():
        raise Failure(f"{place / ENV_FILE} is there already: remove it first, or choose another --folder")
    if issuer is None and not asks:
        raise click.UsageError("say --issuer (and --database-url, --keys): there is no terminal to ask at")
    issuer = issuer or click.prompt("The public URL of this server, like https://login.example.com", err=True).strip().rstrip("/")
    check_issuer(issuer)
    usual = f"sqlite:///{place / DATABASE_FILE}"
    database_url = database_url or (click.prompt("Its database", default=usual, err=True).strip() if asks else usual)
    if keys is None:
        question = "Keep the key that seals secrets in a file of its own, or among the settings (env)?"
        keys = click.prompt(question, type=click.Choice(list(KEPT)), default="file", err=True) if asks else "file"
    key, is_new = read_key(place / KEY_FILE)
    values = {"issuer": issuer, "database_url": database_url} | proxies(issuer)
    return Choice(place, values | ({"secret_key_file": str(place / KEY_FILE)} if keys == "file" else {}), key, is_new)


def read_key(path: Path) -> tuple[str, bool]:
    """Return the key that lies there already, else a new one, and whether it is new."""
    try:
        return path.read_text().strip(), False
    except (FileNotFoundError, NotADirectoryError):
        return base64.b64encode(Runtime.new_secret(32)).decode(), True
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read") from error


def proxies(issuer: str) -> dict[str, str]:
    """Return the number of proxies: whoever serves https has one in front, since the server itself does not speak it."""
    return {"trusted_proxies": "1"} if issuer.startswith("https:") else {}


def make_folder(folder: Path) -> None:
    """Make the folder where it is not there. Raises Failure."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder} cannot be made: {error.strerror}") from error


def prepare_tables(runtime: Runtime, choice: Choice) -> None:
    """Make the tables of an empty database. Raises Failure for one that is too old, or sealed by another key."""
    with transaction(runtime.engine) as db:
        revision = find_revision(db)
        is_sealed = revision is not None and bool(list_keys(db))
    if revision is None:
        migrate(runtime)
    elif revision < HEAD:
        raise Failure("the tables of this database are from an older version: run authserver db upgrade with its settings")
    if is_sealed and choice.is_new_key:
        raise Failure(f"this database has sealed keys already: put the key that opens them into {choice.folder / KEY_FILE} first")


def write(choice: Choice) -> None:
    """Write the settings, and the key where it has a file. Raises Failure."""
    lines = [f"{PREFIX}{name.upper()}={shlex.quote(value)}" for name, value in choice.values.items()]
    if "secret_key_file" not in choice.values:
        lines.append(f"{PREFIX}SECRET_KEY={choice.key}")
    place = shlex.quote(str(choice.env_file))
    head = f"# Settings of authserver. For a shell: set -a; . {place}; set +a   For systemd: EnvironmentFile={choice.env_file}"
    try:
        if "secret_key_file" in choice.values and choice.is_new_key:
            write_private(choice.folder / KEY_FILE, choice.key + "\n")
        write_private(choice.env_file, "\n".join([head, *lines]) + "\n")
    except OSError as error:
        raise Failure(f"{choice.folder} cannot be written to: {error.strerror}") from error


def begin(runtime: Runtime) -> str | None:
    """Make the first keys, and the first owner's link; None where somebody is owner. Raises SealBroken."""
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        load_ring(runtime, db)
        ensure_needed_keys(operation)
        return None if has_enabled_owner(db) else setup_link(operation)


def describe(choice: Choice, settings: Settings, link: str | None) -> Iterator[str]:
    """Yield the lines that tell what was done and what comes next."""
    program = find_program()
    yield f"Settings   {choice.env_file}"
    key = choice.values.get("secret_key_file", "among the settings")
    yield f"Key        {key}: keep a copy elsewhere, a backup is worthless without it"
    yield f"Database   {masked(settings.database_url)}, its tables are at revision {HEAD}"
    yield ""
    yield "Start it, behind a proxy that speaks https:" if not settings.is_loopback else "Start it:"
    yield f"  set -a; . {shlex.quote(str(choice.env_file))}; set +a"
    yield f"  {program} serve"
    if link is None:
        yield f"Somebody is owner already; they sign in at {settings.issuer}/admin"
    else:
        yield "Then open this within 15 minutes, once, to become its first owner:"
        yield f"  {link}"
    yield f"Next: {program} admins link (another such link) · {program} config show · {program} janitor (every hour)"
