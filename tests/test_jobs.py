"""What a schedule or a deployment calls."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from authserver import jobs
from authserver.admin import schema
from authserver.admin.operation import Operation
from authserver.admin.outbox import send_letter
from authserver.runtime import make_runtime
from authserver.runtime.engine import make_engine
from authserver.runtime.settings import read_settings
from authserver.store.base import transaction
from authserver.store.replay import spent
from tests.factories import ISSUER, SECRET_KEY, make_settings
from tests.smtp_server import mail_server


@pytest.fixture
def use(monkeypatch):
    """Point AUTHSERVER_* at a database."""
    handlers, level = logging.root.handlers[:], logging.root.level

    def point(url):
        for name, value in {"ISSUER": ISSUER, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}.items():
            monkeypatch.setenv(f"AUTHSERVER_{name}", value)
        return make_engine(make_settings(database_url=url))

    yield point
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_migrate_brings_the_tables(use, database_server):
    url = database_server.empty()
    engine = use(url)
    jobs.migrate()
    assert schema.is_current(engine)
    engine.dispose()


def test_mail_that_waits_is_delivered(use, database_url, monkeypatch):
    with mail_server() as box:
        for name, value in {"SMTP_URL": f"smtp://127.0.0.1:{box.port}", "MAIL_FROM": "login@example.com"}.items():
            monkeypatch.setenv(f"AUTHSERVER_{name}", value)
        engine = use(database_url)
        runtime = make_runtime(read_settings())
        with transaction(runtime.engine) as db:
            ends = runtime.now() + timedelta(days=1)
            send_letter(Operation(db, runtime), "reset", "ada@example.com", {"link": "https://x"}, expires_at=ends)
        runtime.engine.dispose()
        assert jobs.deliver() == {"letters_sent": 1, "letters_failed": 0, "letters_given_up": 0}
        assert jobs.deliver()["letters_sent"] == 0
    engine.dispose()
    assert len(box.letters) == 1


def test_the_janitor_deletes_what_has_expired(use, database_url):
    engine = use(database_url)
    with transaction(engine) as db:
        db.execute(insert(spent).values(digest=bytes(32), expires_at=datetime.now(UTC) - timedelta(days=1)))
    assert jobs.janitor()["spent"] == 1
    engine.dispose()
