"""What all tables share: column types that fit three databases, one request's `Database`, and spending once.

Instants are integers of epoch seconds, digests and ids binary, texts compare by byte (MySQL: ascii_bin, utf8mb4_bin).
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import (
    BINARY,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    CursorResult,
    Delete,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    Update,
    bindparam,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

from authserver.runtime.engine import connect, take_turn

Row = TypeVar("Row")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ON_MYSQL = ("mysql", "mariadb")
BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN", "mysql": "BEGIN", "mariadb": "BEGIN"}


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole seconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: object) -> int | None:
        """To the database; a fraction of a second is dropped."""
        return None if value is None else int(value.timestamp())

    def process_result_value(self, value: int | None, _dialect: object) -> datetime | None:
        """From the database."""
        return None if value is None else datetime.fromtimestamp(value, UTC)


class Words(TypeDecorator[tuple[str, ...]]):
    """Words without spaces in them (scope, audiences), stored as one text."""

    impl = Text().with_variant(Text(collation="utf8mb4_bin"), *ON_MYSQL)
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, _dialect: object) -> str | None:
        """To the database."""
        return None if value is None else " ".join(value)

    def process_result_value(self, value: str | None, _dialect: object) -> tuple[str, ...] | None:
        """From the database."""
        return None if value is None else tuple(value.split())


def binary(length: int) -> Any:
    """A fixed number of bytes: 32 for a digest, 16 for an id."""
    return LargeBinary(length).with_variant(BINARY(length), *ON_MYSQL)


def blob() -> Any:
    """Some bytes."""
    return LargeBinary()


def ascii_text(length: int) -> Any:
    """A text of ASCII characters that compares by byte."""
    return String(length).with_variant(String(length, collation="ascii_bin"), *ON_MYSQL)


def text(length: int) -> Any:
    """A text in any language that compares by byte."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), *ON_MYSQL)


def ordered_text(length: int) -> Any:
    """A text in any language that compares and sorts by byte, so that a range of it is a prefix."""
    return text(length).with_variant(String(length, collation="C"), "postgresql")


def long_text() -> Any:
    """A text without a limit."""
    return Text().with_variant(Text(collation="utf8mb4_bin"), *ON_MYSQL)


def document() -> Any:
    """A JSON document."""
    return JSON()


def new_id(secret: bytes) -> bytes:
    """Turn 16 random bytes into a random UUID (RFC 9562 section 5.4)."""
    return uuid.UUID(bytes=secret, version=4).bytes


def show_id(identifier: bytes) -> str:
    """Write a UUID as text."""
    text = identifier.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def read_id(shown: str) -> bytes | None:
    """Read a UUID from text; None for anything else."""
    try:
        identifier = uuid.UUID(shown)
    except ValueError:
        return None
    return identifier.bytes if str(identifier) == shown else None


class Database:
    """One request's (or job's) connection, opened at its first statement.

    Reads run on their own; the first write begins the transaction, which its owner commits or rolls back.
    """

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; nothing is connected."""
        self.engine = engine
        self.writes = 0
        self.outgoing: list[bytes] = []  # rows of the outbox, to be sent once this is committed
        self._connection: Connection | None = None
        self._begun = False
        self._turn: Lock | None = None
        self._fault: DBAPIError | None = None

    @property
    def has_begun(self) -> bool:
        """Tell whether something was written that is not committed."""
        return self._begun

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement, beginning the transaction before the first that writes."""
        if isinstance(statement, UpdateBase):
            self._begin()
            self.writes += 1
        try:
            return self._run(lambda connection: connection.execute(statement, parameters))
        except DBAPIError as fault:
            self._fault = fault
            raise

    def commit(self) -> None:
        """Make the writes durable. Raises the fault of a statement among them: PostgreSQL would undo them all and not say so."""
        if self._begun and self._connection is not None:
            if self._fault is not None:
                raise self._fault
            self._connection.exec_driver_sql("COMMIT")
        self._end()

    def rollback(self) -> None:
        """Undo the writes; safe on a broken connection."""
        if self._begun and self._connection is not None and not self._connection.invalidated:
            self._connection.exec_driver_sql("ROLLBACK")
        self._end()

    def release(self) -> None:
        """Give the connection back while something outside is waited for, unless something is written already."""
        if not self._begun:
            self.close()

    def close(self) -> None:
        """Undo what is not committed and give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None and self._begun:
            connection.invalidate()
        self._end()
        if connection is not None:
            connection.close()

    def _begin(self) -> None:
        if not self._begun:
            self._turn = self._turn or take_turn(self.engine)
            self._run(lambda connection: connection.exec_driver_sql(BEGIN[self.engine.dialect.name]))
            self._begun, self._fault = True, None

    def _end(self) -> None:
        turn, self._turn, self._begun = self._turn, None, False
        if turn is not None:
            turn.release()

    def _run(self, act: Callable[[Connection], CursorResult[Any]]) -> CursorResult[Any]:
        """Act on the connection. Where it comes from the pool and the server has closed it since, act on a new one: nothing is lost yet."""
        if self._connection is not None:
            return act(self._connection)
        self._connection = connect(self.engine)
        try:
            return act(self._connection)
        except DBAPIError as fault:
            if not fault.connection_invalidated:
                raise
        self._connection.close()
        self._connection = connect(self.engine)
        return act(self._connection)


@contextmanager
def transaction(engine: Engine) -> Iterator[Database]:
    """Run a unit of work of its own: committed at the end, rolled back on an exception."""
    db = Database(engine)
    try:
        yield db
        db.commit()
    except BaseException:
        db.rollback()
        raise
    finally:
        db.close()


def one(db: Database, kind: type[Row], query: Select[Any], **parameters: object) -> Row | None:
    """Return the query's row as a `kind`, or None. Statements that run at every request are built once, with parameters."""
    found = db.execute(query, parameters).first()
    return None if found is None else kind(**dict(zip(found._fields, found, strict=True)))


def rows(db: Database, kind: type[Row], query: Select[Any]) -> list[Row]:
    """Return the query's rows as a list of `kind`."""
    return [kind(**found) for found in db.execute(query).mappings()]


def changed(db: Database, statement: Update | Delete, **parameters: object) -> bool:
    """Run a guarded UPDATE or DELETE and tell whether it hit exactly one row."""
    return db.execute(statement, parameters).rowcount == 1


def consume(db: Database, table: Table, key: Column[Any], value: object, now: datetime) -> bool:
    """Spend the row whose `key` is `value`: True for the one caller that does, False for all others."""
    return changed(db, _consuming(table, key), wanted=value, at=now)


def insert_once(db: Database, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row unless its key is taken; True for the one caller that does. Never an error inside the transaction."""
    return db.execute(_insert_ignoring(db.engine.dialect.name, table), values).rowcount == 1


def behind(columns: Sequence[Column[Any]], values: Sequence[object], *, descending: bool = False) -> ColumnElement[bool]:
    """Return the condition of rows that come after the one with these values, in the order of these columns."""
    here, there = tuple_(*columns), tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    return here < there if descending else here > there


def count(db: Database, table: Table) -> int:
    """Count a table's rows."""
    return int(db.execute(select(func.count()).select_from(table)).scalar_one())


@cache
def _consuming(table: Table, key: Column[Any]) -> Update:
    unspent = (key == bindparam("wanted")) & table.c.consumed_at.is_(None) & (table.c.expires_at > bindparam("at"))
    return table.update().where(unspent).values(consumed_at=bindparam("at"))


@cache
def _insert_ignoring(dialect: str, table: Table) -> Any:
    insert = insert_into(dialect, table)
    ignoring = insert.prefix_with("IGNORE") if dialect in ON_MYSQL else insert.on_conflict_do_nothing()
    return ignoring.execution_options(preserve_rowcount=True)  # psycopg's cursor forgets it


def insert_into(dialect: str, table: Table) -> Any:
    """Begin the dialect's own INSERT. Its package loads all of its drivers, so that only the one in use is imported."""
    package = import_module(f"sqlalchemy.dialects.{'mysql' if dialect in ON_MYSQL else dialect}")
    return package.insert(table)
