"""The tables brought to the revision that this program needs, by Alembic, which nothing else imports."""

from typing import Any

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from authserver.runtime.folders import find_folder
from authserver.store.base import BEGIN, transaction
from authserver.store.schema import schema_is_current

LATEST = "head"
NOTHING = "base"


def upgrade(engine: Engine, revision: str = LATEST) -> None:
    """Run the migrations that are missing, in one transaction where the database has such (MySQL has not).

    Another process that does the same at the same time is no failure: who comes second waits, and finds nothing to do.
    """
    from alembic import command

    try:
        _run(engine, lambda config: command.upgrade(config, revision))
    except DBAPIError:
        if not is_current(engine):
            raise


def is_current(engine: Engine) -> bool:
    """Tell whether the tables are at the revision that this program needs, or newer."""
    with transaction(engine) as db:
        return schema_is_current(db)


def downgrade(engine: Engine, revision: str) -> None:
    """Undo migrations down to `revision`."""
    from alembic import command

    _run(engine, lambda config: command.downgrade(config, revision))


def differences(engine: Engine) -> list[Any]:
    """Return how the tables differ from what this program declares, as Alembic describes it; empty where they do not."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from authserver.store import metadata

    with engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    return found


def _run(engine: Engine, run: Any) -> None:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(find_folder("migrations")).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql(BEGIN[engine.dialect.name])
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # a migration may take its time
            _wait_for_turn(connection)
        try:
            run(config)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise


def _wait_for_turn(connection: Connection) -> None:
    """Wait until no other process migrates: whoever does has locked the row of the revision, from the second migration on."""
    if not inspect(connection).has_table("alembic_version"):
        return
    usual = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql("SELECT version_num FROM alembic_version FOR UPDATE")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")
