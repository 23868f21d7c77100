"""Liveness, readiness and metrics."""

import pytest
from sqlalchemy import text

from authserver.runtime.keys import KeyEncryptionKeys
from authserver.store.base import transaction
from authserver.store.signing_key import signing_keys
from tests.factories import make_client, make_settings, make_test_runtime, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty

TOKEN = "metrics token"


def statement(runtime, sql):
    with transaction(runtime.engine) as db:
        db.execute(text(sql))


def test_livez_answers_without_a_statement(http, counts):
    with counts.measure() as counted:
        answer = http.get("/livez")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert counted.statements == []


def test_readyz_names_its_checks(http):
    answer = http.get("/readyz")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "checks": dict.fromkeys(("database", "tables", "signing_key", "draining"), "ok")}


def test_readyz_misses_the_migrations(http, runtime):
    statement(runtime, "UPDATE alembic_version SET version_num = '0000'")
    assert failing(http) == {"tables": "the tables are at 0000, not 0002: run authserver db upgrade"}
    statement(runtime, "DELETE FROM alembic_version")
    assert "no revision" in failing(http)["tables"]
    statement(runtime, "UPDATE alembic_version SET version_num = '9999'")


def test_readyz_serves_a_newer_schema(http, runtime):
    statement(runtime, "UPDATE alembic_version SET version_num = '9999'")
    assert http.get("/readyz").status == 200


def test_readyz_makes_the_first_key(http, runtime):
    with transaction(runtime.engine) as db:
        db.execute(signing_keys.delete())
    assert http.get("/readyz").status == 200
    assert len(http.get("/.well-known/jwks.json").json["keys"]) == 1


@pytest.mark.parametrize("secret_key", [(), ("B" * 43,)])
def test_readyz_misses_the_secret_key(settings, clock, runtime, secret_key):
    from authserver.app import create_app

    if not secret_key:
        with transaction(runtime.engine) as db:
            db.execute(signing_keys.delete())
    other = make_test_runtime(make_settings(database_url=settings.database_url, secret_key=secret_key), clock)
    assert KeyEncryptionKeys(secret_key).find("none") is None
    assert "AUTHSERVER_SECRET_KEY" in failing(InProcess(create_app(other), settings.issuer))["signing_key"]
    other.engine.dispose()


def test_readyz_misses_the_database(clock):
    from authserver.app import create_app

    runtime = make_test_runtime(make_settings(database_url="sqlite:////nowhere/at/all.db"), clock)
    http = InProcess(create_app(runtime), runtime.settings.issuer)
    assert set(failing(http).values()) == {"the database does not answer"}
    assert http.get("/livez").status == 200
    runtime.engine.dispose()


def test_readyz_says_that_the_process_drains(settings, clock, runtime, tmp_path):
    from authserver.app import create_app

    marker = tmp_path / "draining"
    draining = make_test_runtime(make_settings(database_url=settings.database_url, drain_marker=str(marker)), clock)
    http = InProcess(create_app(draining), settings.issuer)
    assert http.get("/readyz").status == 200
    marker.touch()
    assert failing(http) == {"draining": "shutting down"}
    assert http.get("/livez").status == 200
    draining.engine.dispose()


def failing(http):
    answer = http.get("/readyz")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["status"] == "unavailable"
    return {name: outcome for name, outcome in answer.json["checks"].items() if outcome != "ok"}


def test_metrics_are_closed_without_a_token_in_the_settings(http):
    assert http.get("/metrics", headers={"Authorization": "Bearer "}).status == 404


@pytest.mark.settings(metrics_token=TOKEN)
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer wrong", "Basic x", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN} ", "Bearer ä"]
)
def test_metrics_need_the_token(http, header):
    answer = http.get("/metrics", headers={} if header is None else {"Authorization": header})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in answer.text


@pytest.mark.settings(metrics_token=TOKEN, sign_in_limit_account="2/hour")
def test_metrics_count_what_happens(http, runtime, clock):
    made, person = make_client(runtime, "spa"), make_user(runtime)
    rp, before = RelyingParty(http, made, clock=clock), read(http)
    tokens = rp.sign_in(person, scope="openid offline_access")
    rp.refresh(tokens["refresh_token"])
    clock.advance(minutes=1)
    rp.refresh(tokens["refresh_token"])
    rp.client_credentials()
    fresh = RelyingParty(http.fresh(), made, clock=clock)
    for _ in range(3):
        with pytest.raises(AssertionError):
            fresh.authorize(type(person)(person.user, "other@example.com", "wrong"))
    after = read(http)

    def grown(name):
        return after[name] - before.get(name, 0)

    assert grown('authserver_tokens_issued_total{grant_type="authorization_code"}') == 1
    assert grown('authserver_tokens_issued_total{grant_type="refresh_token"}') == 1
    assert grown("authserver_refresh_reuse_detected_total") == 1
    assert grown('authserver_requests_refused_total{endpoint="token",error="invalid_grant"}') == 1
    assert grown('authserver_sign_ins_total{outcome="ok"}') == 1
    assert grown('authserver_sign_ins_total{outcome="refused"}') >= 2
    assert grown('authserver_sign_ins_total{outcome="limited"}') >= 1
    assert grown('authserver_events_total{action="refresh_token.reuse",outcome="revoked"}') == 1
    assert grown('authserver_responses_total{endpoint="endpoints.token",status="2xx"}') == 2
    assert after['authserver_signing_key_age_seconds{alg="RS256"}'] == 60


def read(http):
    answer = http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    pairs = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in pairs}
