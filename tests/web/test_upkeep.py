"""What a process writes now and then: figures in one statement a minute, the day of a client's last use."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from authserver.admin.clients import get_client
from authserver.admin.figures import overview, series, table_sizes
from authserver.admin.operation import Operation
from authserver.store.base import transaction
from authserver.store.refusal import refusals
from authserver.store.upkeep import overdue
from authserver.web.upkeep import _finish, finish_at_exit
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty


@pytest.fixture
def service(http, runtime):
    return RelyingParty(http, make_client(runtime, "service"))


@pytest.fixture
def read(runtime):
    def run(function, *arguments):
        with transaction(runtime.engine) as db:
            return function(Operation(db, runtime), *arguments)

    return run


@pytest.fixture
def totals(read, clock):
    def of(name, since=timedelta(hours=1), step=timedelta(minutes=10)):
        return {one.label: one.total for one in read(series, name, clock.now() - since, step)}

    return of


@pytest.mark.databases
def test_tokens_sign_ins_and_refusals_are_counted_by_label(http, runtime, clock, service, totals):
    http.get("/livez")
    for _ in range(3):
        service.client_credentials()
    service.client_credentials(scope="nonsense")
    person = make_user(runtime)
    rp = RelyingParty(http, make_client(runtime))
    rp.authorize(person)
    assert totals("tokens") == {}, "not a minute has passed"
    clock.advance(minutes=1)
    http.get("/")
    assert totals("tokens") == {"client_credentials": 3}
    assert totals("refusals") == {"invalid_scope": 1}
    assert totals("sign_ins") == {"ok": 1}
    service.client_credentials()
    clock.advance(minutes=1)
    http.get("/")
    assert totals("tokens") == {"client_credentials": 4}


def test_the_figures_cost_one_statement_a_minute(http, clock, service, counts):
    http.get("/livez")
    with counts.measure() as tally:
        service.client_credentials()
        service.client_credentials(scope="nonsense")
    assert not [statement for statement in tally.writes if "INTO figures" in statement]
    clock.advance(minutes=1)
    with counts.measure() as tally:
        http.get("/")
    assert len([statement for statement in tally.writes if "INTO figures" in statement]) == 1


def test_two_processes_add_up(runtime, clock, service, totals):
    http = service.back
    http.get("/livez")
    service.client_credentials()
    _finish(runtime)
    service.client_credentials()
    _finish(runtime)
    _finish(runtime)
    assert totals("tokens") == {"client_credentials": 2}


def test_a_series_has_a_point_for_every_step(runtime, clock, service, read):
    service.back.get("/livez")
    service.client_credentials()
    _finish(runtime)
    clock.advance(hours=5)
    (one,) = read(series, "tokens", clock.now() - timedelta(hours=6), timedelta(hours=1))
    assert [count for _, count in one.points] == [0, 1, 0, 0, 0, 0, 0]
    assert one.points[0][0].minute == 0


def test_figures_are_kept_for_31_days(http, runtime, clock, service, totals):
    http.get("/livez")
    service.client_credentials()
    _finish(runtime)
    clock.advance(days=31, minutes=11)
    http.get("/")
    assert totals("tokens", since=timedelta(days=40)) == {}


def test_at_the_end_a_broken_database_is_no_error(runtime, service):
    service.client_credentials()
    runtime.engine.dispose()
    with transaction(runtime.engine) as db:
        from sqlalchemy import text

        db.execute(text("DROP TABLE figures"))
    _finish(runtime)


def test_the_day_of_a_client_s_last_use_is_written_once_a_day(http, runtime, clock, read, counts):
    made = make_client(runtime, "spa")
    rp = RelyingParty(http, made)
    http.get("/livez")
    rp.redeem(rp.authorize(make_user(runtime)))
    assert read(get_client, made.client_id).last_used_at is None
    with counts.measure() as tally:
        clock.advance(minutes=1)
        http.get("/")
    assert len([statement for statement in tally.writes if statement.startswith("UPDATE clients")]) == 1
    assert read(get_client, made.client_id).last_used_at == clock.now().replace(hour=0, minute=0)
    assert read(get_client, made.client_id).version == 1
    rp.redeem(rp.authorize(None))
    with counts.measure() as tally:
        clock.advance(minutes=1)
        http.get("/")
    assert not [statement for statement in tally.writes if statement.startswith("UPDATE clients")]


@pytest.mark.databases
def test_the_overview_knows_the_tables_and_the_keys(runtime, read):
    sizes = read(table_sizes)
    assert {"clients", "users", "audit_events", "grants"} <= set(sizes)
    found = read(overview)
    assert found["revision"] == found["needed_revision"]
    assert {key["state"] for key in found["keys"]} == {"signing"}


def on_lambda(test):
    """Run a test as in a container of Lambda, which takes no SQLite."""
    return pytest.mark.databases("postgresql")(pytest.mark.settings(on_lambda=True)(test))


@on_lambda
def test_on_lambda_only_the_day_of_a_last_use_is_written_and_once(http, runtime, clock, service, read, counts, totals):
    http.get("/livez")
    service.client_credentials()
    written = []
    for _ in range(3):
        clock.advance(minutes=1)
        with counts.measure() as tally:
            service.client_credentials()
            http.get("/")
        written.append([statement.split(" SET ")[0] for statement in tally.writes])
    assert sorted(written[0]) == ["UPDATE client_secrets", "UPDATE clients"]
    assert written[1:] == [[], []]
    assert totals("tokens") == {}
    assert read(get_client, service.made.client_id).last_used_at == clock.now().replace(hour=0, minute=0)
    clock.advance(days=1)
    with counts.measure() as tally:
        service.client_credentials()
    assert len(tally.writes) == 2


@on_lambda
def test_on_lambda_an_expired_row_waits_for_the_janitor(http, runtime, clock):
    RelyingParty(http, make_client(runtime)).authorize(make_user(runtime))
    clock.advance(days=200)
    http.get("/")
    with transaction(runtime.engine) as db:
        assert overdue(db, clock.now()) > timedelta(days=100)


@on_lambda
def test_on_lambda_refused_requests_are_kept_to_be_explained(http, runtime, service):
    service.client_credentials(scope="nonsense")
    http.get("/")
    with transaction(runtime.engine) as db:
        assert db.execute(select(func.count()).select_from(refusals)).scalar() == 1


@on_lambda
def test_on_lambda_nothing_waits_for_the_end_of_the_process(runtime, monkeypatch):
    registered = []
    monkeypatch.setattr("atexit.register", lambda *arguments: registered.append(arguments))
    finish_at_exit(runtime)
    assert registered == []
