"""What a schedule or an operator calls: each job by its event and context."""

import hashlib
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from authserver import jobs
from authserver.admin import schema
from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.admin.outbox import send_letter
from authserver.runtime import make_runtime
from authserver.runtime.engine import make_engine
from authserver.runtime.settings import read_settings
from authserver.store.base import transaction
from authserver.store.client import find_client
from authserver.store.link import find_link
from authserver.store.replay import spent
from authserver.store.schema import HEAD
from authserver.store.signing_key import signing_keys
from tests.factories import ISSUER, SECRET_KEY, make_settings
from tests.smtp_server import mail_server

ROOT = Path(__file__).parent.parent


class Context:
    """Lambda's context, of which only the time that is left matters: it goes down each time that it is asked for."""

    def __init__(self, *seconds):
        self.left = list(seconds)

    def get_remaining_time_in_millis(self):
        return int(1000 * (self.left.pop(0) if len(self.left) > 1 else self.left[0]))


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


@pytest.fixture
def db(use, database_url):
    """A database that the jobs use too."""
    engine = use(database_url)
    with transaction(engine) as opened:
        yield opened
    engine.dispose()


def call(job, /, **arguments):
    return jobs.JOBS[job]({"arguments": arguments}, None)


def test_migrate_brings_the_tables_and_does_nothing_the_second_time(use, database_server):
    engine = use(database_server.empty())
    assert jobs.migrate({}, None) == jobs.migrate({}, None) == {"revision": HEAD, "needed": HEAD}
    assert schema.is_current(engine)
    engine.dispose()


@pytest.mark.databases("postgresql")
def test_two_migrations_at_once_are_safe(use, database_server):
    engine = use(database_server.empty())
    command = [sys.executable, "-c", "from authserver import jobs; print(jobs.migrate({}, None)['revision'])"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) for _ in range(2)]
    ended = [(one.communicate(timeout=60), one.returncode) for one in running]
    assert [(output[0], code) for output, code in ended] == [(HEAD.encode() + b"\n", 0)] * 2, ended
    assert schema.differences(engine) == []
    engine.dispose()


def test_mail_that_waits_is_delivered_while_there_is_time(use, database_url, monkeypatch):
    with mail_server() as box:
        for name, value in {"SMTP_URL": f"smtp://127.0.0.1:{box.port}", "MAIL_FROM": "login@example.com"}.items():
            monkeypatch.setenv(f"AUTHSERVER_{name}", value)
        engine = use(database_url)
        runtime = make_runtime(read_settings())
        with transaction(runtime.engine) as db:
            ends = runtime.now() + timedelta(days=1)
            for _ in range(3):
                send_letter(Operation(db, runtime), "reset", "ada@example.com", {"link": "https://x"}, expires_at=ends)
        runtime.engine.dispose()
        assert jobs.deliver({}, Context(60, 30, 2)) == {"letters_sent": 2, "letters_failed": 0, "letters_given_up": 0}
        assert jobs.deliver({}, Context(60))["letters_sent"] == 1
        assert jobs.deliver({}, None)["letters_sent"] == 0
    engine.dispose()
    assert len(box.letters) == 3


def expire(db, number):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    db.execute(insert(spent), [{"digest": index.to_bytes(32), "expires_at": yesterday} for index in range(number)])
    db.commit()


def test_the_janitor_deletes_what_has_expired_and_makes_the_keys(db):
    expire(db, 1)
    assert jobs.janitor({}, None)["spent"] == 1
    assert jobs.janitor({}, Context(60))["spent"] == 0
    assert db.execute(select(func.count()).select_from(signing_keys)).scalar_one() == 2


def test_the_janitor_leaves_to_the_next_round_what_there_is_no_time_for(db):
    expire(db, 2500)
    assert jobs.janitor({}, Context(2))["spent"] == 1000
    assert db.execute(select(func.count()).select_from(signing_keys)).scalar_one() == 2, "keys are made all the same"
    assert jobs.janitor({}, Context(60))["spent"] == 1500


def test_keys_that_are_due_are_made_once_and_others_when_they_are_asked_for(db):
    first = jobs.rotate_keys({}, None)["keys"]
    assert sorted((key["alg"], key["state"]) for key in first) == [("RS256", "signing"), ("refresh", "signing")]
    assert jobs.rotate_keys({}, None)["keys"] == first
    announced = call("rotate_keys", when="announce", alg="RS256")["keys"]
    assert [key["state"] for key in announced if key["alg"] == "RS256"] == ["signing", "announced"]
    rotated = call("rotate_keys", when="now", alg=["refresh"])["keys"]
    assert [key["state"] for key in rotated if key["alg"] == "refresh"][1:] == ["signing"]
    revoked = call("rotate_keys", when="revoke", alg=["RS256"])["keys"]
    assert [key["state"] for key in revoked if key["alg"] == "RS256"][-1] == "signing"
    assert first[0]["kid"] not in [key["kid"] for key in revoked if key["state"] == "signing"]


def test_keys_are_sealed_under_a_new_secret_key_after_which_the_old_one_may_go(db, monkeypatch):
    jobs.janitor({}, None)
    new = "B" * 43
    monkeypatch.setenv("AUTHSERVER_SECRET_KEY", f"{new} {SECRET_KEY}")
    assert [jobs.call("reseal_keys", {}, None) for _ in range(2)] == [{"resealed": 2}, {"resealed": 0}]
    monkeypatch.setenv("AUTHSERVER_SECRET_KEY", new)
    assert jobs.health({}, None)["keys"] == 2


def test_keys_stay_as_they_are_where_the_old_secret_key_is_missing(db, monkeypatch):
    jobs.janitor({}, None)
    monkeypatch.setenv("AUTHSERVER_SECRET_KEY", "B" * 43)
    with pytest.raises(jobs.JobFailed, match=r"^reseal_keys: .*AUTHSERVER_SECRET_KEY"):
        jobs.call("reseal_keys", {}, None)
    monkeypatch.setenv("AUTHSERVER_SECRET_KEY", SECRET_KEY)
    assert jobs.health({}, None)["keys"] == 2


def test_a_client_is_registered_by_the_rules_of_the_command_line(db):
    made = call(
        "create_client",
        kind="web",
        name="Wiki & Söhne",
        client_id="wiki",
        redirect_uri=["https://wiki.example.com/cb", "https://wiki.example.com/cb2"],
        scope="openid email",
        auth_method="client_secret_post",
        require_pkce="false",
        default_max_age="3600",
        contacts='["ops@example.com"]',
    )
    client = find_client(db, "wiki")
    assert client.client_name == "Wiki & Söhne"
    assert client.metadata["redirect_uris"] == ["https://wiki.example.com/cb", "https://wiki.example.com/cb2"]
    assert [client.metadata[name] for name in ("require_pkce", "default_max_age", "contacts")] == [False, 3600, ["ops@example.com"]]
    assert client.find_secret(hashlib.sha256(made["client_secret"].encode()).digest(), datetime.now(UTC))


def test_a_clients_secret_need_not_leave_the_operators_machine(db):
    secret = "a secret of the operator's own"
    digest = hashlib.sha256(secret.encode())
    made = call("create_client", kind="service", name="Billing", client_id="billing", secret_sha256=digest.hexdigest().upper())
    assert "client_secret" not in made
    assert find_client(db, "billing").find_secret(digest.digest(), datetime.now(UTC))


def test_the_first_owners_link_is_made_with_a_token_of_theirs_or_of_ours(db):
    shown = call("setup_link")["link"]
    assert find_link(db, shown.partition("token=")[2]).purpose == "setup"
    token = "a token that the owner made"
    address = call("setup_link", token_sha256=hashlib.sha256(token.encode()).hexdigest())
    assert address == {"address": f"{ISSUER}/admin/setup?token="}
    assert find_link(db, token).purpose == "setup"
    assert find_link(db, shown.partition("token=")[2]) is None


def test_a_user_is_invited_by_a_link(db):
    invited = call("invite_user", email="ada@example.com", name="Ada")
    assert find_link(db, invited["link"].partition("token=")[2]).purpose == "invite"
    assert (invited["email"], invited["claims"]["name"]) == ("ada@example.com", "Ada")


def test_an_invitation_is_mailed_where_mail_is_set_up(db, monkeypatch):
    with mail_server() as box:
        for name, value in {"SMTP_URL": f"smtp://127.0.0.1:{box.port}", "MAIL_FROM": "login@example.com"}.items():
            monkeypatch.setenv(f"AUTHSERVER_{name}", value)
        assert call("invite_user", email="ada@example.com")["link"] is None
    assert len(box.letters) == 1


def test_health_says_what_is_there(db):
    jobs.janitor({}, None)
    assert jobs.health({}, None) == {"version": "0.1.0", "revision": HEAD, "needed": HEAD, "keys": 2}


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("migrate", {"now": "1"}, "now is not known here"),
        ("deliver", {"x" * 100: "1"}, f"{'x' * 40} is not known here"),
        ("janitor", {"a": "1"}, "a is not known here"),
        ("health", {"a": "1"}, "a is not known here"),
        ("reseal_keys", {"a": "1"}, "a is not known here"),
        ("rotate_keys", {"when": "yesterday"}, "when must be due, or announce, now, revoke"),
        ("rotate_keys", {"alg": "RS256"}, "when must be due, or announce, now, revoke"),
        ("rotate_keys", {"when": "now", "alg": "HS256"}, "alg must be one of RS256"),
        ("rotate_keys", {"when": ["now", "now"]}, "when is given twice"),
        ("create_client", {}, "kind must be one of spa"),
        ("create_client", {"kind": "service"}, "name must be a text of 1 to 200 characters"),
        ("create_client", {"kind": "service", "name": "x", "scop": "x"}, "scop is not client metadata; did you mean scope?"),
        ("create_client", {"kind": "service", "name": "x", "secret": "x" * 40}, "secret may stay in the logs of whoever invokes"),
        ("create_client", {"kind": "service", "name": "x", "secret_sha256": "x" * 64}, "secret_sha256 must be the 64 hexadecimal digits"),
        ("create_client", {"kind": "service", "name": "x", "secret_sha256": "ab" * 31}, "secret_sha256 must be the 64 hexadecimal digits"),
        (
            "create_client",
            {"kind": "spa", "name": "x", "secret_sha256": "ab" * 32, "redirect_uri": "https://x.example/"},
            "secret is of no use",
        ),
        (
            "create_client",
            {"kind": "spa", "name": "x", "redirect_uri": "https://x.example/", "redirect_uris": "[]"},
            "redirect_uris is given twice",
        ),
        ("create_client", {"kind": "web", "name": "x", "redirect_uris": "[" * 20_000}, "redirect_uris must be a list"),
        ("setup_link", {"token": "x"}, "token is not known here"),
        ("invite_user", {}, "email must"),
        ("invite_user", {"email": "a@example.com", "roles": "x"}, "roles is not known here"),
    ],
)
def test_a_wrong_word_is_named_with_what_to_change(name, arguments, why, db, capsys):
    with pytest.raises(jobs.JobFailed) as failed:
        jobs.call(name, {"arguments": arguments}, None)
    assert str(failed.value).startswith(f"{name}: {why}"), str(failed.value)
    assert (failed.value.__cause__, failed.value.__suppress_context__) == (None, True)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [7, "when=now", ["when"], {"when": 7}, {"when": [None]}, {7: "x"}])
def test_arguments_that_are_no_words_are_refused(arguments, db):
    with pytest.raises(Invalid, match="must be texts, or lists of texts, by name"):
        jobs.rotate_keys({"arguments": arguments}, None)


def test_without_tables_a_job_says_to_make_them(use, database_server):
    use(database_server.empty())
    with pytest.raises(
        jobs.JobFailed, match=r"^setup_link: the database cannot do it \(.*\); without tables, invoke authserver.jobs.migrate first$"
    ):
        jobs.call("setup_link", {}, None)


def test_a_wrong_setting_and_another_key_are_named(db, monkeypatch):
    jobs.janitor({}, None)
    monkeypatch.setenv("AUTHSERVER_SECRET_KEY", "B" * 43)
    with pytest.raises(jobs.JobFailed, match="AUTHSERVER_SECRET_KEY"):
        jobs.call("health", {}, None)
    monkeypatch.setenv("AUTHSERVER_ISSUR", "x")
    with pytest.raises(jobs.JobFailed, match=r"^health: AUTHSERVER_ISSUR is not a setting; did you mean AUTHSERVER_ISSUER\?$"):
        jobs.call("health", {}, None)


def test_a_fault_of_ours_leaves_its_traceback_in_the_log_and_not_in_the_answer(db, capsys):
    expire(db, 1000)
    with pytest.raises(jobs.JobFailed) as failed:
        jobs.call("janitor", {}, Context("no number"))
    assert str(failed.value) == "janitor: ValueError, see the log"
    assert "Traceback" in capsys.readouterr().err


def test_every_job_takes_exactly_an_event_and_a_context():
    for job in jobs.JOBS.values():
        assert (job.__code__.co_varnames[: job.__code__.co_argcount], job.__defaults__) == (("event", "context"), None)
    assert jobs.SCHEDULED.issubset(jobs.JOBS)
