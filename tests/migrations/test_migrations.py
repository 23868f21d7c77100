"""Migrations up, down and equal to the tables, on each database."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, select, text

from authserver.admin import schema
from authserver.runtime.engine import make_engine
from authserver.runtime.folders import find_folder
from authserver.store import metadata
from authserver.store.base import transaction
from authserver.store.client import clients
from authserver.store.schema import HEAD, find_revision, schema_is_current
from tests.clock import START
from tests.factories import make_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine(database_server):
    """An empty database."""
    url = database_server.empty()
    made = make_engine(make_settings(database_url=url))
    yield made
    made.dispose()
    database_server.drop(url)


def revision(engine):
    with transaction(engine) as db:
        return find_revision(db)


def tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


@pytest.mark.databases
def test_migrations_go_up_and_down_and_up_again_and_equal_the_tables(engine):
    assert revision(engine) is None
    schema.upgrade(engine)
    assert revision(engine) == HEAD
    assert tables(engine) == set(metadata.tables)
    assert schema.differences(engine) == []
    schema.downgrade(engine, schema.NOTHING)
    assert tables(engine) == set()
    assert not schema.is_current(engine)
    schema.upgrade(engine)
    assert schema.differences(engine) == []


@pytest.mark.databases
def test_each_migration_can_be_undone_alone(engine):
    revisions = [script.revision for script in reversed(list(scripts().walk_revisions()))]
    for number, name in enumerate(revisions):
        schema.upgrade(engine, name)
        schema.downgrade(engine, revisions[number - 1] if number else schema.NOTHING)
        schema.upgrade(engine, name)
        assert revision(engine) == name


@pytest.mark.databases
def test_a_difference_between_tables_and_migrations_is_found(engine):
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN extra INTEGER"))
    assert "extra" in str(schema.differences(engine))


@pytest.mark.databases
def test_upgrading_again_changes_nothing(engine):
    schema.upgrade(engine)
    add_client(engine, "one")
    schema.upgrade(engine)
    with transaction(engine) as db:
        assert db.execute(select(clients.c.client_id)).scalars().all() == ["one"]


@pytest.mark.databases("sqlite", "postgresql")
def test_several_processes_may_upgrade_at_the_same_time(engine):
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", "import sys; from tests.migrated import migrate; migrate(sys.argv[1])", url]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT) for _ in range(3)]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 3
    assert schema.differences(engine) == []


@pytest.mark.databases("postgresql")
def test_who_migrates_second_waits_however_long_the_first_takes(engine):
    schema.upgrade(engine)
    event.listen(engine, "connect", lambda connection, _record: connection.execute("SET lock_timeout = '50ms'").close())
    engine.dispose()
    with engine.connect() as first:
        first.exec_driver_sql("BEGIN")
        first.exec_driver_sql("SELECT version_num FROM alembic_version FOR UPDATE")
        second = threading.Thread(target=schema.upgrade, args=[engine])
        second.start()
        second.join(0.3)
        assert second.is_alive()
        first.exec_driver_sql("COMMIT")
    second.join(10)
    assert not second.is_alive()


@pytest.mark.databases("sqlite", "postgresql")
def test_a_migration_that_fails_leaves_nothing_behind(engine):
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER)"))
    with pytest.raises(Exception, match="users"):
        schema.upgrade(engine)
    assert tables(engine) == {"users"}
    assert revision(engine) is None


@pytest.mark.databases
def test_text_compares_by_byte(engine):
    schema.upgrade(engine)
    for client_id in ("client", "Client", "CLIENT"):
        add_client(engine, client_id)
    with transaction(engine) as db:
        assert db.execute(select(clients.c.client_id).where(clients.c.client_id == "Client")).scalars().all() == ["Client"]


def test_an_older_program_works_on_a_newer_schema(runtime):
    with transaction(runtime.engine) as db:
        assert schema_is_current(db)
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert schema_is_current(db)
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        assert not schema_is_current(db)


def test_head_is_the_last_of_one_line_of_numbered_migrations():
    revisions = [script.revision for script in reversed(list(scripts().walk_revisions()))]
    assert scripts().get_heads() == [HEAD]
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    files = sorted(file.name for file in (find_folder("migrations") / "versions").glob("*.py"))
    assert [name[:4] for name in files] == revisions


def scripts():
    config = Config()
    config.set_main_option("script_location", str(find_folder("migrations")))
    return ScriptDirectory.from_config(config)


def add_client(engine, client_id):
    row = {"client_id": client_id, "kind": "web", "client_name": client_id, "metadata": {}, "version": 1}
    with transaction(engine) as db:
        db.execute(clients.insert().values(**row, created_at=START, updated_at=START, disabled_at=None))
