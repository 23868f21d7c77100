"""One SQLAlchemy engine for SQLite, PostgreSQL and MySQL/MariaDB; statements run on their own until a write begins."""

import sqlite3
import time
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.engine import URL, make_url

from authserver.runtime.aws import NO_AWS, Aws
from authserver.runtime.database_access import Access, is_proxied
from authserver.runtime.metrics import pool_waits
from authserver.runtime.settings import Settings

WAL_ATTEMPTS = 100
RECYCLE_SECONDS = 300
_TURNS: "WeakKeyDictionary[Engine, tuple[Lock, float]]" = WeakKeyDictionary()

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


def make_engine(settings: Settings, aws: Aws = NO_AWS) -> Engine:
    """Make the engine; no connection is opened. ValueError names an unknown database, or a file that is not there."""
    url = database_url(settings.database_url)
    engine = create_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True, **_options(url, settings))
    event.listen(engine, "connect", (_CONNECT_BY_PROXY if is_proxied(url) else _CONNECT)[url.get_backend_name()])
    if url.get_backend_name() != "sqlite":
        event.listen(engine, "do_connect", Access(url, settings, aws).connect)
    else:
        _TURNS[engine] = Lock(), settings.database_busy_timeout.total_seconds()
    return engine


def connect(engine: Engine) -> Connection:
    """Take a connection from the pool, counting where all are in use. TimeoutError where none comes back in 2 s."""
    pool = engine.pool
    if isinstance(pool, QueuePool) and pool.checkedout() >= pool.size():
        pool_waits()
    return engine.connect()


def take_turn(engine: Engine) -> "Lock | None":
    """Wait until no other thread of this process writes to SQLite; return what is to be released then, if it was got in time.

    SQLite lets one write at a time, and has the others sleep for longer and longer, whoever came first.
    """
    turn, seconds = _TURNS.get(engine, (None, 0))
    return turn if turn is not None and turn.acquire(timeout=seconds) else None


def database_url(text: str) -> URL:
    """Read a database URL and choose its driver."""
    url = make_url(text)
    if url.get_backend_name() not in DRIVERS:
        raise ValueError("AUTHSERVER_DATABASE_URL must start with sqlite:, postgresql: or mysql:")
    return url.set(drivername=DRIVERS[url.get_backend_name()])


def _options(url: URL, settings: Settings) -> dict[str, Any]:
    pool: dict[str, Any] = {"pool_size": settings.database_connections, "max_overflow": 0, "pool_timeout": 2}
    seconds, prepared = 2, {}
    if settings.on_lambda:  # one request at a time, and none while the container is frozen
        pool |= {"pool_size": 1, "pool_pre_ping": True, "pool_recycle": RECYCLE_SECONDS}
        seconds, prepared = 3, {"prepare_threshold": None}
    match url.get_backend_name():
        case "sqlite":
            busy = settings.database_busy_timeout.total_seconds()
            return {
                "pool_size": settings.database_connections,
                "pool_timeout": 2,
                "connect_args": {"timeout": busy, "check_same_thread": False},
            }
        case "postgresql":
            arguments = {"connect_timeout": seconds, "tcp_user_timeout": 5000, **prepared}
            return pool | {"connect_args": arguments, "use_native_hstore": False}
    return pool | {"connect_args": {"connect_timeout": seconds, "read_timeout": 30, "write_timeout": 30, "charset": "utf8mb4"}}


def _on_sqlite(connection: Any, _record: object) -> None:
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _switch_to_wal(connection: Any) -> None:
    """Use the write-ahead log; SQLite does not wait for its turn where several processes switch a new file at once."""
    for _ in range(WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError:
            time.sleep(0.02)
    connection.execute("PRAGMA journal_mode=WAL").close()


def _on_postgresql(connection: Any, _record: object) -> None:
    connection.execute("SELECT set_config('lock_timeout', '4s', false), set_config('statement_timeout', '5s', false)").close()


def _on_mysql(connection: Any, record: object) -> None:
    _on_mysql_by_proxy(connection, record)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 4")


def _on_mysql_by_proxy(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")


def _leave(_connection: Any, _record: object) -> None:
    """Set nothing."""


_CONNECT = {"sqlite": _on_sqlite, "postgresql": _on_postgresql, "mysql": _on_mysql}

# RDS Proxy gives a session that sets something a database connection of its own ("pinning"), which is what it is there
# to avoid. So the timeouts are the role's there: ALTER ROLE authserver SET statement_timeout = '5s'.
_CONNECT_BY_PROXY = {"postgresql": _leave, "mysql": _on_mysql_by_proxy}
