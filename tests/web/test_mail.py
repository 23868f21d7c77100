"""Mail that a request writes: sent once its change is committed, and never before; the answer does not hang on it."""

import pytest

from authserver.admin.operation import Operation
from authserver.admin.users import invite_user
from authserver.app import create_app
from authserver.store.base import transaction
from authserver.store.outbox import outbox
from authserver.store.user import find_user_by_email
from authserver.web.context import db, runtime
from tests.factories import insert_keys, make_settings, make_test_runtime
from tests.http_client import InProcess
from tests.smtp_server import mail_server


@pytest.fixture
def box():
    with mail_server() as server:
        yield server


@pytest.fixture
def server(database_url, clock, box):
    """An application with a route that invites somebody, and answers with the status that it is asked for."""
    url = f"smtp://127.0.0.1:{box.port}"
    made = make_test_runtime(make_settings(database_url=database_url, smtp_url=url, mail_from="login@example.com"), clock)
    insert_keys(made)
    app = create_app(made)

    def invite(status):
        invite_user(Operation(db(), runtime()), "eve@example.com", {})
        return "", status

    app.add_url_rule("/invite/<int:status>", view_func=invite, methods=["POST"])
    yield made, InProcess(app, made.settings.issuer)
    made.engine.dispose()


def waiting(runtime):
    with transaction(runtime.engine) as database:
        return len(database.execute(outbox.select()).all())


@pytest.mark.databases
def test_it_goes_out_with_the_change(server, box):
    runtime, http = server
    assert http.post("/invite/200").status == 200
    assert [letter["To"] for letter in box.letters] == ["eve@example.com"]
    assert waiting(runtime) == 0


def test_it_does_not_go_out_without_the_change(server, box):
    runtime, http = server
    assert http.post("/invite/500").status == 500
    assert box.letters == []
    with transaction(runtime.engine) as database:
        assert find_user_by_email(database, "eve@example.com") is None


def test_a_mail_server_that_refuses_changes_no_answer_and_the_letter_waits(server, box):
    runtime, http = server
    box.refuse["MAIL"] = "451 busy"
    assert http.post("/invite/200").status == 200
    assert waiting(runtime) == 1


def test_one_connection_is_enough(database_url, clock, box):
    url = f"smtp://127.0.0.1:{box.port}"
    settings = make_settings(database_url=database_url, smtp_url=url, mail_from="login@example.com", database_connections=1)
    made = make_test_runtime(settings, clock)
    app = create_app(made)
    app.add_url_rule(
        "/invite", view_func=lambda: invite_user(Operation(db(), runtime()), "eve@example.com", {}).user.email, methods=["POST"]
    )
    assert InProcess(app, settings.issuer).post("/invite").text == "eve@example.com"
    made.engine.dispose()
    assert len(box.letters) == 1
