"""Connections that the database has closed while they lay in the pool: nobody notices."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.replay import spend, spent

THEIRS = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


def close_all_others(runtime: Runtime, kind: str) -> None:
    """Have the database close every connection of its own but the one that says so."""
    with runtime.engine.connect() as connection:
        found = connection.execute(text(THEIRS[kind])).all()
        if kind == "mariadb":
            for (identifier,) in found:
                connection.execute(text(f"KILL {identifier}"))
        connection.invalidate()


def fill_the_pool(runtime: Runtime) -> None:
    opened = [runtime.engine.connect() for _ in range(3)]
    for connection in opened:
        connection.execute(text("SELECT 1"))
    for connection in opened:
        connection.close()


@pytest.mark.databases("postgresql", "mariadb")
def test_a_connection_that_was_closed_in_the_pool_is_replaced(runtime: Runtime, database_kind: str, clock: Any) -> None:
    for _ in range(2):
        fill_the_pool(runtime)
        close_all_others(runtime, database_kind)
        with transaction(runtime.engine) as db:
            assert db.execute(select(spent)).all() == []
        fill_the_pool(runtime)
        close_all_others(runtime, database_kind)
        with transaction(runtime.engine) as db:
            spend(db, "assertion", "web", "one", clock.now())
            db.rollback()


@pytest.mark.databases("postgresql", "mariadb")
def test_a_connection_that_is_closed_later_is_a_fault(runtime: Runtime, database_kind: str, clock: Any) -> None:
    db = Database(runtime.engine)
    spend(db, "assertion", "web", "one", clock.now())
    close_all_others(runtime, database_kind)
    with pytest.raises(DBAPIError):
        db.execute(select(spent))
    db.rollback()
    db.close()
    with transaction(runtime.engine) as another:
        assert another.execute(select(spent)).all() == []
