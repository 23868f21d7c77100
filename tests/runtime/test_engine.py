"""The engine on AWS Lambda: one connection, which may die while the container is frozen, and nothing that a pooler minds."""

import pytest
from sqlalchemy import text

from authserver.runtime import make_runtime
from authserver.store.base import transaction
from tests.factories import make_client, make_settings
from tests.http_client import InProcess
from tests.relying_party import RelyingParty
from tests.store.test_reconnection import close_all_others

pytestmark = pytest.mark.databases("postgresql")


@pytest.fixture
def settings(database_url):
    return make_settings(database_url=database_url, on_lambda=True)


@pytest.fixture
def operator(database_url):
    """Another process's connections to the same database."""
    made = make_runtime(make_settings(database_url=database_url))
    yield made
    made.engine.dispose()


def test_there_is_one_connection_and_no_statement_is_prepared_on_the_server(runtime):
    for _ in range(12):
        with transaction(runtime.engine) as db:
            assert db.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0
    assert runtime.engine.pool.size() == 1
    with runtime.engine.connect() as connection:
        mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert connection.execute(text(mine)).scalar() == 1
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "4s"


def test_elsewhere_statements_are_prepared(operator):
    with transaction(operator.engine) as db:
        for _ in range(12):
            found = db.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
    assert found > 0


def test_requests_do_not_notice_that_the_connection_died_while_the_container_was_frozen(runtime, operator, app, settings, clock):
    http = InProcess(app, settings.issuer)
    rp = RelyingParty(http, make_client(runtime, "service"), clock=clock)
    web = make_client(runtime, "web")
    for _ in range(3):
        close_all_others(operator, "postgresql")
        assert http.get("/readyz").status == 200
        close_all_others(operator, "postgresql")
        assert rp.client_credentials().status == 200
        close_all_others(operator, "postgresql")
        refused = http.post("/oauth2/token", data={"grant_type": "authorization_code", "code": "x", "client_id": web.client_id})
        assert refused.status in (400, 401), "whose row of a refusal is a write"


def test_a_write_is_not_lost_to_a_connection_that_died(runtime, operator):
    from authserver.store.client import find_client

    for _ in range(3):
        close_all_others(operator, "postgresql")
        made = make_client(runtime, "service")
        with transaction(operator.engine) as db:
            assert find_client(db, made.client_id) is not None


def test_one_connection_is_enough_for_the_checks_of_health(app, settings):
    answer = InProcess(app, settings.issuer).get("/readyz")
    assert (answer.status, answer.json["checks"]["tables"]) == (200, "ok")
