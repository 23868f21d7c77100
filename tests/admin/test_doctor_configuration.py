"""Each check of settings and database: silent where all is well, and the only one to speak where that one thing is wrong."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from authserver.admin.doctor.aws_checks import AWS, AWS_INSIDE
from authserver.admin.doctor.catalogue import CONFIGURATION, READING, examine_configuration, examine_settings
from authserver.admin.doctor.finding import OUTCOMES
from authserver.crypto.key_ring import REFRESH
from authserver.oauth.signing_keys import make_key as make_signing_key
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.client import client_secrets, clients
from authserver.store.schema import HEAD
from authserver.store.signing_key import signing_keys
from tests.admin.doctored import ids, problems, skips
from tests.clock import START
from tests.factories import SECRET_KEY, key_rows, make_client, make_key, make_resource_server, make_settings, make_test_runtime

OTHER_KEY = "B" * 43
SOUND = {"trusted_proxies": 1, "smtp_url": "smtps://mail.example.com:465", "mail_from": "login@example.com"}
DAY = timedelta(days=1)

Break = Callable[[Runtime], Any]


@pytest.fixture
def look(database_url, clock, runtime) -> Callable[..., Any]:
    """Look at the test's database by sound settings, but for `changes`."""

    def examine(*, aws: bool = False, **changes: Any) -> Any:
        settings = make_settings(**{"database_url": database_url, **SOUND, **changes})
        looking = make_test_runtime(settings, clock)
        report = examine_configuration(looking, aws=aws)
        looking.engine.dispose()
        return report

    return examine


def sound(runtime: Runtime) -> None:
    """Clients of every kind, and APIs, that nothing can be said against."""
    make_resource_server(runtime)
    make_resource_server(runtime, "https://opaque.example.com", token_format="opaque", introspected_by=["reader"])
    make_client(runtime, "service", client_id="reader")
    make_client(runtime, "web", consent="skipped", redirect_uris=["https://shop.example.com/callback"])
    make_client(runtime, "spa", refresh_token_lifetime=3600)
    make_client(runtime, "native", redirect_uris=["http://127.0.0.1/callback", "com.example.app:/callback"])
    make_client(runtime, "device")
    make_client(runtime, "web", key=make_key())


def test_a_sound_configuration_has_no_finding_that_is_a_problem_and_every_check_looked(look, runtime):
    sound(runtime)
    report = look()
    assert problems(report) == {}
    assert skips(report) == {}
    assert sorted(finding.id for finding in report.findings) == ids(READING, *CONFIGURATION)


@pytest.mark.databases("postgresql")
def test_a_sound_configuration_for_aws_has_no_finding_that_is_a_problem(look, runtime):
    make_resource_server(runtime)
    balancer = {"redirect_uris": [BALANCER], "require_pkce": False}
    made = make_client(runtime, "web", **balancer)
    report = look(aws=True, trusted_proxies=0)
    assert set(problems(report)) == {"clients.pkce"}, "a load balancer can do no better"
    with transaction(runtime.engine) as db:
        db.execute(delete(clients).where(clients.c.client_id == made.client_id))
    assert problems(look(aws=True, trusted_proxies=0)) == {}


# Settings


def sets(name: str, text: str, /, **changes: Any) -> Any:
    """Settings, the finding that they must lead to, and a text of it."""
    return pytest.param(name, text, changes, id=f"{name}-{text[:24]}")


LEFT = {"cognito_user_pool": "eu-west-1_AbCdEf", "cognito_client_id": "app", "cognito_until": "2026-11-30"}
SETTINGS = (
    sets("settings.issuer", "default port", issuer="https://login.example.com:443"),
    sets("settings.issuer", "capital letters", issuer="https://Login.example.com"),
    sets("settings.issuer", "is no URL", issuer="https://login.example.com:99999"),
    sets("settings.issuer", "has 'auth' twice", issuer="https://login.example.com/auth/auth"),
    sets("settings.issuer", "warning:", issuer="https://abc123.execute-api.eu-west-1.amazonaws.com/dev"),
    sets("settings.dev", "error:", dev=True),
    sets("settings.dev", "warning:", dev=True, issuer="http://localhost:9000", trusted_proxies=0),
    sets("settings.dev", "that authserver dev made", secret_key=(SECRET_KEY, f"dev_{OTHER_KEY}")),
    sets("keys.open", "is not set", secret_key=()),
    sets("settings.log_level", "DEBUG", log_level="debug"),
    sets("settings.mail", "not mailed", smtp_url="", mail_from=""),
    sets("settings.access_token_lifetime", "is 2h, expected at most 1h", access_token_lifetime=timedelta(hours=2)),
    sets("settings.id_token_lifetime", "is 2d, expected at most 1d", id_token_lifetime=2 * DAY),
    sets("settings.code_lifetime", "warning:", authorization_code_lifetime=timedelta(minutes=5)),
    sets("settings.code_lifetime", "error:", authorization_code_lifetime=timedelta(minutes=11)),
    sets("settings.announcement", "warning:", signing_key_announcement=timedelta(hours=1)),
    sets("settings.key_cache", "for 3h, an announcement lasts 150m", key_ring_cache_lifetime=timedelta(hours=3)),
    sets("settings.proxies", "share one limit", trusted_proxies=0),
    sets("settings.proxies", "choose their own address", issuer="http://localhost:9000"),
    sets("settings.cognito", "is 2026-11-30: Cognito is no longer asked", **LEFT),
)


@pytest.mark.parametrize(("name", "expected", "changes"), SETTINGS)
def test_what_is_wrong_with_a_setting_is_found_and_nothing_else(look, name, expected, changes):
    report = look(**changes)
    assert expected in problems(report)[name]
    assert set(problems(report)) == {name}
    assert "canary" not in str(report.document())


def test_for_aws_a_short_announcement_is_an_error_and_no_proxy_is_missed(look):
    found = problems(look(aws=True, signing_key_announcement=timedelta(hours=1), trusted_proxies=0))
    assert set(found) == {"settings.announcement", "database.shared"}
    assert "error: " in found["settings.announcement"]


def test_a_cognito_that_is_still_asked_is_well(look):
    assert problems(look(**{**LEFT, "cognito_until": "2026-12-01"})) == {}


def test_settings_that_cannot_be_read_are_one_error():
    report = examine_settings("AUTHSERVER_ISSUER is not set")
    assert problems(report) == {"settings.valid": "error:  AUTHSERVER_ISSUER is not set\n"}
    assert report.has_failed()


# The database and its keys


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://canary:canary@127.0.0.1:1/authserver"])
def test_a_database_that_does_not_answer_is_one_error_without_its_password(look, url):
    report = look(database_url=url)
    assert set(problems(report)) == {"database.answers"}
    assert {"keys.open", "clients.pkce", "apis.lifetime"} <= set(skips(report))
    assert "canary" not in str(report.document())


def test_looking_at_a_file_that_is_not_there_does_not_make_it(look, tmp_path):
    look(database_url=f"sqlite:///{tmp_path / 'none.db'}")
    assert not Path(tmp_path / "none.db").exists()


def test_tables_that_are_missing_are_one_error(look, tmp_path):
    (tmp_path / "empty.db").touch()
    found = problems(look(database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    assert found == {"database.tables": f"error:  the tables are at no revision, expected {HEAD}\n"}


def test_tables_of_an_older_version_are_one_error(look, runtime):
    with transaction(runtime.engine) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    report = look()
    assert problems(report) == {"database.tables": f"error:  the tables are at 0001, expected {HEAD}\n"}
    assert skips(report)["keys.open"] == "the tables are not there or too old"


def test_sqlite_is_a_warning_for_aws_because_the_server_itself_may_be_elsewhere(look):
    report = look(aws=True)
    assert problems(report)["database.shared"].startswith("warning: ")
    assert "on Lambda codes, sessions and keys would be lost with each container" in problems(report)["database.shared"]
    assert not report.has_failed()


def change_key(alg: str, **changes: Any) -> Break:
    def change(runtime: Runtime) -> None:
        with transaction(runtime.engine) as db:
            db.execute(update(signing_keys).where(signing_keys.c.alg == alg).values(**changes))

    return change


def swap_seals(runtime: Runtime) -> None:
    """Put what seals one key into the row of another, as somebody who can write to the database might."""
    change_key("ES256", sealed=next(row["sealed"] for row in key_rows() if row["alg"] == "RS256"))(runtime)


KEYS = (
    ("keys.open", "is not in AUTHSERVER_SECRET_KEY", lambda runtime: None, {"secret_key": (OTHER_KEY,)}),
    ("keys.open", "was changed since it was sealed", swap_seals, {}),
    (
        "keys.open",
        "sealed under a secret key that is not the first of",
        lambda runtime: None,
        {"secret_key": (OTHER_KEY, SECRET_KEY)},
    ),
    ("keys.age", "error: rs256-1", change_key("RS256", signs_at=START - 91 * DAY), {}),
    ("keys.age", "warning: refresh-1", change_key(REFRESH, signs_at=START - 90 * DAY + timedelta(hours=2)), {}),
    ("clock.processes", "warning: rs256-1", change_key("RS256", created_at=START + timedelta(minutes=5)), {}),
)


@pytest.mark.parametrize(("name", "expected", "break_it", "changes"), KEYS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_with_a_key_is_found_and_nothing_else(look, runtime, name, expected, break_it, changes):
    break_it(runtime)
    report = look(**changes)
    assert expected in problems(report)[name]
    assert set(problems(report)) == {name}


def test_a_key_whose_successor_is_announced_in_time_is_well(look, runtime):
    change_key("ES256", signs_at=START - 90 * DAY + timedelta(hours=2))(runtime)
    with transaction(runtime.engine) as db:
        make_signing_key(runtime, db, "ES256", 2, START + timedelta(hours=2))
    assert problems(look()) == {}


# Clients and APIs


def registered(kind: str, **metadata: Any) -> Break:
    """Register a client by the rules."""
    return lambda runtime: make_client(runtime, kind, client_id="mine", **metadata)


def rewritten(kind: str, **metadata: Any) -> Break:
    """Write a client's metadata past the rules, as an older version or somebody by SQL may have."""

    def write(runtime: Runtime) -> None:
        made = make_client(runtime, kind, client_id="mine")
        with transaction(runtime.engine) as db:
            db.execute(update(clients).where(clients.c.client_id == "mine").values(metadata={**made.client.metadata, **metadata}))

    return write


def secret_until(span: timedelta | None) -> Break:
    def change(runtime: Runtime) -> None:
        make_client(runtime, "service", client_id="mine")
        with transaction(runtime.engine) as db:
            mine = client_secrets.c.client_id == "mine"
            db.execute(delete(client_secrets).where(mine) if span is None else update(client_secrets).values(expires_at=START + span))

    return change


def last_used(at: Any, created_at: Any = START - 800 * DAY) -> Break:
    def change(runtime: Runtime) -> None:
        make_client(runtime, "service", client_id="mine")
        with transaction(runtime.engine) as db:
            db.execute(update(clients).values(last_used_at=at, created_at=created_at))

    return change


def api(**values: Any) -> Break:
    return lambda runtime: make_resource_server(runtime, **values)


CLIENTS = (
    ("clients.registration", "redirect_uris must start with https://", rewritten("web", redirect_uris=["http://app.example.com/"])),
    ("clients.registration", "allowed_origins must", rewritten("spa", allowed_origins=["http://app.example.com"])),
    ("clients.registration", "must not contain a wildcard", rewritten("web", redirect_uris=["https://*.example.com/"])),
    ("clients.registration", "require_pkce can only be false", rewritten("spa", require_pkce=False)),
    ("clients.registration", "grant_types cannot contain", rewritten("service", grant_types=["password"])),
    ("clients.redirect_loopback", "of a web client", registered("web", redirect_uris=["http://localhost:3000/callback"])),
    ("clients.redirect_loopback", "of a spa client", registered("spa", redirect_uris=["http://127.0.0.1:3000/callback"])),
    ("clients.pkce", "warning: mine", registered("web", require_pkce=False)),
    ("clients.secrets", "cannot authenticate", secret_until(None)),
    ("clients.secrets", "cannot authenticate", secret_until(-DAY)),
    ("clients.secrets", "ends on 2026-12-06", secret_until(5 * DAY)),
    ("clients.used", "was last used on 2025-01-20", last_used(START - 680 * DAY)),
    ("clients.used", "was never used since 2024-", last_used(None)),
    ("clients.consent", "any app can pose", registered("native", consent="skipped", redirect_uris=["com.example.app:/callback"])),
    ("clients.rotation", "is never", registered("spa", refresh_token_rotation="never")),
    ("clients.refresh_lifetime", "is 7d, expected at most 1d", registered("spa", refresh_token_lifetime=7 * 86400)),
    ("clients.assertion_audience", "token endpoint", registered("service", key=make_key(), assertion_audience="token_endpoint")),
    ("apis.lifetime", "https://api.example.com its tokens live for 2h", api(token_lifetime_seconds=7200)),
    ("apis.introspection", "no client may introspect", api(token_format="opaque", token_lifetime_seconds=86400)),
)


@pytest.mark.parametrize(("name", "expected", "break_it"), CLIENTS)
def test_what_is_wrong_with_a_client_or_api_is_found_and_nothing_else(look, runtime, name, expected, break_it):
    break_it(runtime)
    report = look()
    assert expected in problems(report)[name]
    assert set(problems(report)) == {name}


def test_clients_that_are_turned_off_and_those_of_the_server_itself_are_passed_over(look, runtime):
    rewritten("spa", require_pkce=False, redirect_uris=["http://*/"])(runtime)
    with transaction(runtime.engine) as db:
        db.execute(update(clients).values(disabled_at=START))
    make_client(runtime, "spa", client_id="own", consent="skipped")
    with transaction(runtime.engine) as db:
        db.execute(update(clients).where(clients.c.client_id == "own").values(managed_by="authserver", created_at=START - 800 * DAY))
    assert problems(look()) == {}


# AWS


BALANCER = "https://app.example.com/oauth2/idpresponse"
COGNITO = "https://x.auth.eu-west-1.amazoncognito.com/oauth2/idpresponse"
REFUSED_BY_AWS = (
    ("aws.issuer", "names port 8443", lambda runtime: None, {"issuer": "https://login.example.com:8443"}),
    ("aws.issuer", "is not https", lambda runtime: None, {"issuer": "http://localhost", "trusted_proxies": 0}),
    ("aws.issuer", "IAM takes 255", lambda runtime: None, {"issuer": f"https://login.example.com/{'a' * 250}"}),
    ("aws.apis", "signed by ES256, which HTTP API's JWT", api(signing_alg="ES256"), {}),
    ("aws.apis", "signed by PS256, which HTTP API's and REST", api(signing_alg="PS256"), {}),
    ("aws.apis", "signed by Ed25519, which", api(signing_alg="Ed25519"), {}),
    ("aws.apis", "are opaque", api(token_format="opaque", introspected_by=["reader"]), {}),
    (
        "aws.relying_parties",
        "error: mine require_pkce is true, and a load balancer",
        registered("web", redirect_uris=["https://app.example.com/oauth2/idpresponse"]),
        {},
    ),
    (
        "aws.relying_parties",
        "by client_secret_basic, Cognito by",
        registered("web", redirect_uris=[COGNITO]),
        {},
    ),
    (
        "aws.relying_parties",
        "signed by Ed25519",
        registered("web", id_token_signed_response_alg="Ed25519", redirect_uris=["https://app.example.com/oauth2/idpresponse"]),
        {},
    ),
)


@pytest.mark.parametrize(("name", "expected", "break_it", "changes"), REFUSED_BY_AWS)
def test_what_aws_does_not_take_is_found_and_nothing_else(look, runtime, name, expected, break_it, changes):
    break_it(runtime)
    found = problems(look(aws=True, **changes))
    assert expected in found[name]
    assert set(found) == {name, "database.shared"}


# The report


def test_every_check_of_a_configuration_has_a_broken_one():
    elsewhere = {"settings.valid", "database.answers", "database.tables", "database.shared"}
    broken = {*(param.values[0] for param in SETTINGS), *(row[0] for row in (*KEYS, *CLIENTS, *REFUSED_BY_AWS))}
    assert set(ids(READING, *CONFIGURATION, AWS, AWS_INSIDE)) == broken | elsewhere


def test_nothing_is_written_by_an_examination(runtime, counts):
    sound(runtime)
    with counts.measure() as tally:
        examine_configuration(runtime, aws=True)
    assert tally.reads
    assert tally.writes == []


def test_the_document_has_the_same_shape_whatever_was_found(look):
    document = look(log_level="DEBUG", trusted_proxies=0).document()
    assert list(document) == ["version", "target", "counts", "findings"]
    assert document["version"] == 1
    assert document["target"] == "https://login.example.com"
    assert document["counts"]["warning"] == 2
    assert all(list(finding) == ["id", "outcome", "about", "reason", "section", "fix"] for finding in document["findings"])
    outcomes = [finding["outcome"] for finding in document["findings"]]
    assert outcomes == sorted(outcomes, key=OUTCOMES.index)
    for finding in document["findings"]:
        assert finding["reason"]
        assert finding["section"]
        assert bool(finding["fix"]) == (finding["outcome"] in ("error", "warning"))


def test_a_warning_is_a_failure_only_to_be_strict(look):
    report = look(log_level="DEBUG")
    assert not report.has_failed()
    assert report.has_failed(strict=True)
    assert look(dev=True).has_failed()
