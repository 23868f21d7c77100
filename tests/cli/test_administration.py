"""Commands about administrators, the audit log, refused requests, invitations, and lists that are searched and long."""

import csv
import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from authserver.admin.authority import ROLES
from authserver.admin.operation import Operation
from authserver.cli import main
from authserver.store.base import transaction
from authserver.store.client import clients as table
from tests.factories import make_client
from tests.relying_party import RelyingParty
from tests.smtp_server import mail_server

REDIRECT = ("--redirect-uri", "https://app.example.com/cb")


# Administrators


def test_a_setup_link_can_be_made_any_time_and_the_one_before_opens_no_more(cli):
    first, second = cli.json("admins", "link"), cli.json("admins", "link")
    assert first["link"] != second["link"]
    assert second["link"].startswith("http://localhost:9000/admin/setup?token=")
    assert second["valid_seconds"] == 900
    assert "becomes owner" in cli("admins", "link").stderr


def test_roles_are_given_shown_and_taken_away(cli):
    cli("users", "create", "--email", "ada@example.com")
    assert cli.json("admins", "list") == []
    for role in ROLES:
        assert cli.json("admins", "grant", "ada@example.com", role) == {"email": "ada@example.com", "role": role}
    (ada,) = cli.json("admins", "list")
    assert (ada["email"], ada["role"], ada["granted_by"], ada["enabled"]) == ("ada@example.com", "owner", "cli", True)
    assert "ada@example.com" in cli("admins", "list").stdout
    assert [user["email"] for user in cli.json("users", "list", "--role", "owner")] == ["ada@example.com"]
    assert "is the only owner" in cli.error("admins", "revoke", "ada@example.com", code=5)
    cli("users", "create", "--email", "bob@example.com")
    cli("admins", "grant", "bob@example.com", "owner")
    assert cli.json("admins", "revoke", "ada@example.com")["role"] is None
    assert [admin["email"] for admin in cli.json("admins", "list")] == ["bob@example.com"]


def test_a_role_that_is_none_and_a_user_who_is_nobody_are_said(cli):
    assert "is not one of" in cli.error("admins", "grant", "ada@example.com", "boss", code=2)
    assert "there is no user" in cli.error("admins", "grant", "ada@example.com", "owner", code=3)
    assert "there is no user" in cli.error("admins", "revoke", "ada@example.com", code=3)


# Users by link


def test_an_invitation_is_shown_without_mail_and_sent_with_it(cli, runtime):
    shown = cli("users", "invite", "--email", "eve@example.com", "--name", "Eve", "--set", "locale=de")
    assert "http://localhost:9000/password?token=" in shown.stdout
    assert "works once" in shown.stderr
    assert "there is a user" in cli.error("users", "invite", "--email", "eve@example.com", code=5)
    with mail_server() as box:
        mail = {"AUTHSERVER_SMTP_URL": f"smtp://127.0.0.1:{box.port}", "AUTHSERVER_MAIL_FROM": "login@example.com"}
        sent = cli("users", "invite", "--email", "bob@example.com", **mail)
        assert "token=" not in sent.stdout
        assert "on its way" in sent.stderr
    (letter,) = box.letters
    assert letter["To"] == "bob@example.com"
    assert "http://localhost:9000/password?token=" in letter.get_content()


def test_a_reset_link_is_for_those_without_mail(cli):
    cli("users", "create", "--email", "ada@example.com")
    assert cli.json("users", "reset-link", "ada@example.com")["link"].startswith("http://localhost:9000/password?token=")
    assert "there is no user" in cli.error("users", "reset-link", "nobody@example.com", code=3)


# The audit log


@pytest.fixture
def happened(cli):
    """Some events, two of them of one client."""
    cli("clients", "create", "--kind", "web", "--name", "Shop", "--client-id", "shop", *REDIRECT)
    cli("clients", "update", "shop", "--name", '=HYPERLINK("x")')
    cli("users", "create", "--email", "ada@example.com")


ALL = ["client.create", "client.update", "user.create"]


def test_events_are_listed_and_filtered(cli, happened):
    assert sorted(event["action"] for event in cli.json("audit", "list")) == ALL
    assert sorted(event["action"] for event in cli.json("audit", "list", "--client", "shop")) == ALL[:2]
    (update,) = cli.json("audit", "list", "--action", "client.update", "--actor", "cli", "--outcome", "ok")
    assert update["details"]["before"]["client_name"] == "Shop"
    assert len(cli.json("audit", "list", "--limit", "1")) == 1
    assert "client.update" in cli("audit", "list").stdout
    assert "None." in cli("audit", "list", "--subject", "nobody").stderr


def test_events_are_filtered_by_when(cli, happened):
    assert len(cli.json("audit", "list", "--since", "1h")) == 3
    assert cli.json("audit", "list", "--until", "1h") == []
    assert len(cli.json("audit", "list", "--since", "2020-01-01", "--until", "2100-01-01T00:00")) == 3
    assert cli.json("audit", "list", "--since", "2100-01-01T00:00:00+02:00") == []
    assert "2026-12-01T08:30" in cli.error("audit", "list", "--since", "soon", code=2)


def test_an_export_is_one_document_a_line_or_a_table_that_no_spreadsheet_runs(cli, happened):
    lines = cli("audit", "export", "--client", "shop").stdout.splitlines()
    assert sorted(json.loads(line)["action"] for line in lines) == ALL[:2]
    table = {row["action"]: row for row in csv.DictReader(io.StringIO(cli("audit", "export", "--format", "csv").stdout))}
    assert sorted(table) == ALL
    assert json.loads(table["client.update"]["details"])["after"]["client_name"] == '=HYPERLINK("x")'
    from authserver.admin.audit_export import defused

    for cell in ("=1+1", "+1", "-1", "@x", " =1", "\t=1"):
        assert defused(cell) == f"'{cell}"


# Why a request was refused


def test_a_refusal_is_explained_by_its_error_id(cli, runtime, http, clock):
    made = make_client(runtime, "spa", client_id="shop", redirect_uris=["https://shop.example.com/cb"])
    rp = RelyingParty(http, made, clock=clock)
    answer = rp.begin(redirect_uri="https://shop.example.com/cb/").answer
    error_id = answer.headers["X-Request-Id"]
    assert error_id in answer.text
    document = cli.json("explain", error_id)
    assert (document["error_id"], document["client_id"]) == (error_id, "shop")
    shown = cli("explain", error_id).stdout
    assert shown.splitlines()[0] == document["title"]
    for sentence in document["explanation"]:
        assert f"  {sentence}\n" in shown
    assert "asked       redirect_uri = https://shop.example.com/cb/" in shown
    assert "registered  redirect_uri = https://shop.example.com/cb\n" in shown
    assert "mend        Add this URI" in shown
    assert "no refused request has the error id" in cli.error("explain", "nothing", code=3)


# Lists


@pytest.fixture
def many(runtime):
    """1,200 clients, straight into the table."""
    made = make_client(runtime, "service", client_id="model")
    with transaction(runtime.engine) as db:
        row = {column.name: getattr(made.client, column.name) for column in table.columns}
        some = [{**row, "client_id": f"c{number:04}", "client_name": f"Client {number}"} for number in range(1200)]
        db.execute(table.insert(), some)


def test_a_long_list_is_shown_whole_and_a_limit_cuts_it(cli, many):
    assert len(cli.json("clients", "list")) == 1201
    lines = cli("clients", "list").stdout.splitlines()
    assert sum(" service " in line or "  service" in line for line in lines) == 1201
    assert len(cli.json("clients", "list", "--limit", "5")) == 5
    assert len(cli.json("clients", "list", "--kind", "service", "--status", "enabled")) == 1201
    assert cli.json("clients", "list", "--kind", "spa") == []


def test_a_list_is_written_as_it_is_read(cli, many, monkeypatch):
    read, shown = [], []
    from authserver.admin import clients

    original = clients.list_clients

    def noting(*arguments, **named):
        read.append(len(shown))
        return original(*arguments, **named)

    monkeypatch.setattr(clients, "list_clients", noting)
    monkeypatch.setattr("authserver.cli.output.click.echo", lambda *_, **__: shown.append(1))
    CliRunner().invoke(main, ["clients", "list", "--json"], env=cli.environment)
    assert read[2] >= 100, "the third page is read after the first is shown"


def test_clients_and_users_are_found_by_the_beginning_of_a_word(cli):
    cli("clients", "create", "--kind", "web", "--name", "Big Shop", "--client-id", "a1", "--redirect-uri", "https://till.example.com/cb")
    cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "b2")
    for sought in ("sho", "a1", "till.ex", "BIG"):
        assert [client["client_id"] for client in cli.json("clients", "list", "--q", sought)] == ["a1"]
    cli("clients", "disable", "b2")
    assert [client["client_id"] for client in cli.json("clients", "list", "--status", "disabled")] == ["b2"]
    cli("users", "create", "--email", "ada@example.com", "--name", "Ada Lovelace")
    cli("users", "create", "--email", "bob@example.com")
    assert [user["email"] for user in cli.json("users", "list", "--q", "lovel")] == ["ada@example.com"]
    assert "ada@example.com" in cli("users", "list", "--q", "ada").stdout
    assert "is not one of" in cli.error("users", "list", "--status", "gone", code=2)


# Mistyped


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(["client"], "clients"), (["exprot"], "export"), (["aply"], "apply"), (["clients", "lst"], "list"), (["audit", "exprt"], "export")],
)
def test_a_mistyped_command_gets_the_nearest_one(cli, typed, meant):
    assert f"'{meant}'" in cli.error(*typed, code=2).partition("Did you mean")[2]


def test_mail_that_waits_is_sent_by_the_janitor(cli, runtime):
    from authserver.admin.outbox import send_letter

    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        send_letter(operation, "reset", "ada@example.com", {"link": "https://x"}, expires_at=runtime.now() + timedelta(days=10_000))
    with mail_server() as box:
        mail = {"AUTHSERVER_SMTP_URL": f"smtp://127.0.0.1:{box.port}", "AUTHSERVER_MAIL_FROM": "login@example.com"}
        assert cli.json("janitor", AUTHSERVER_ISSUER="https://login.example.com", **mail)["letters_sent"] == 0, "its day has not come"
    assert box.letters == []
