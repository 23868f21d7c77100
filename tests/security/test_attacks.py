"""Attacks on the whole product, each by what an attacker would send: consent that is stretched or borrowed, grants that
outlive what a client may have, hostile bytes, and what a slow or missing neighbour could be made to do."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from authserver.admin.clients import create_client
from authserver.admin.errors import Conflict
from authserver.admin.grants import end_grants
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import create_resource_server
from authserver.app import create_app
from authserver.runtime import Runtime
from authserver.runtime.fetch import FetchRefused
from authserver.store.base import Database, transaction
from authserver.store.client import clients
from authserver.store.replay import spend
from tests.clock import Clock
from tests.factories import API, PASSWORD, Made, Person, make_client, make_key, make_resource_server, make_user
from tests.http_client import InProcess
from tests.pages import follow, read
from tests.relying_party import ASSERTION_TYPE, TOKEN, RelyingParty

OTHER_API = "https://other.example.com"


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime)


@pytest.fixture
def apis(runtime: Runtime) -> None:
    make_resource_server(runtime)
    make_resource_server(runtime, OTHER_API, name="Other API")


@pytest.fixture
def spa(http: InProcess, runtime: Runtime, apis: None, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "spa", apis=[API, OTHER_API]), clock=clock)


@pytest.fixture
def service(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "service"), clock=clock)


def basic(client_id: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{quote_plus(client_id)}:x".encode()).decode()}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A JWT that nobody signed."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join([*parts, "AAAA"])


def change_client(runtime: Runtime, made: Made, **metadata: Any) -> None:
    """Change what a client may have, as an operator would."""
    with transaction(runtime.engine) as db:
        changed = {**made.client.metadata, **metadata}
        db.execute(update(clients).where(clients.c.client_id == made.client_id).values(metadata=changed, version=clients.c.version + 1))
    runtime.caches.clients.clear()


# Consent


@pytest.mark.spec("RFC 6749", "3.3")
def test_consent_for_a_scope_at_one_api_is_no_consent_for_it_at_another(spa: RelyingParty, person: Person) -> None:
    assert spa.authorize(person, scope="openid read", resource=API).error is None
    assert spa.authorize(person, scope="openid write", resource=OTHER_API).error is None
    assert spa.authorize(None, scope="openid read", resource=API, prompt="none").error is None
    assert spa.authorize(None, scope="openid write", resource=OTHER_API, prompt="none").error is None
    assert spa.authorize(None, scope="openid write", resource=API, prompt="none").error == "consent_required"
    assert spa.authorize(None, scope="openid write", resource=[API, OTHER_API], prompt="none").error == "consent_required"


def test_what_one_person_allowed_is_nothing_that_another_allowed_in_the_same_browser(
    spa: RelyingParty, person: Person, runtime: Runtime
) -> None:
    begun = spa.begin(prompt="select_account")
    consent = spa.http.get(str(spa.fill(read(follow(spa.http, begun.answer)), person, "").location)).location
    page = read(follow(spa.http, spa.http.get(str(consent))))
    allowed = page.forms[0].submit(spa.http, "allow")
    another = make_user(runtime)
    login = read(spa.http.get(str(allowed.location).replace("/oauth2/authorize?", "/login?other=1&")))
    spa.fill(login, another, "")
    chosen = read(spa.http.get(str(allowed.location).replace("/oauth2/authorize?", "/login/account?")))
    assert another.email in chosen.text
    answer = follow(spa.http, chosen.forms[0].submit(spa.http, "continue"))
    assert answer.status == 200
    assert f"Allow {spa.made.client.client_name}" in read(answer).text


# What a client may have


@pytest.mark.spec("RFC 6749", "3.3")
def test_a_scope_that_was_taken_from_a_client_is_in_no_token_that_it_refreshes(spa: RelyingParty, person: Person, runtime: Runtime) -> None:
    token = spa.sign_in(person, scope="openid read write offline_access", resource=API)["refresh_token"]
    change_client(runtime, spa.made, scope="openid read offline_access")
    refreshed = spa.refresh(token).json
    assert refreshed["scope"].split() == ["openid", "read", "offline_access"]
    assert "write" not in spa.verify(refreshed["access_token"])["scope"].split()


@pytest.mark.spec("RFC 8707", "2.2")
def test_an_api_that_was_taken_from_a_client_is_in_no_token_that_it_refreshes(spa: RelyingParty, person: Person, runtime: Runtime) -> None:
    token = spa.sign_in(person, scope="openid read offline_access", resource=[API, OTHER_API])["refresh_token"]
    change_client(runtime, spa.made, apis=[API])
    assert spa.refresh(token, resource=OTHER_API).error == "invalid_target"
    refreshed = spa.refresh(token).json
    assert OTHER_API not in spa.verify(refreshed["access_token"])["aud"]
    change_client(runtime, spa.made, apis=[])
    assert spa.refresh(refreshed["refresh_token"]).error == "invalid_target"


@pytest.mark.spec("RFC 7662", "5")
def test_introspection_tells_no_client_an_email_address_that_was_not_granted(
    http: InProcess, runtime: Runtime, person: Person, clock: Clock
) -> None:
    web = RelyingParty(http, make_client(runtime, "web"), clock=clock)
    tokens = web.sign_in(person, scope="openid offline_access")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert person.email not in web.introspect(token).text
    assert web.introspect(web.sign_in(person, scope="openid email")["access_token"]).json["username"] == person.email


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("whose", ["user", "client", "both"])
def test_a_code_that_waits_ends_with_the_grants_that_an_operator_ends(
    spa: RelyingParty, person: Person, runtime: Runtime, whose: str
) -> None:
    callback = spa.authorize(person, scope="openid offline_access")
    with transaction(runtime.engine) as db:
        user, client_id = person.email if whose != "client" else None, spa.made.client_id if whose != "user" else None
        end_grants(Operation(db, runtime), user, client_id)
    assert spa.redeem(callback).error == "invalid_grant"


@pytest.mark.spec("RFC 9068", "5")
def test_no_client_is_named_like_an_api(runtime: Runtime, apis: None) -> None:
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        for name in (API, runtime.settings.issuer):
            with pytest.raises(Conflict):
                create_client(operation, "web", "Mimic", {"redirect_uris": ["https://mimic.example/cb"]}, client_id=name)
        create_client(operation, "service", "First", {}, client_id="https://third.example.com")
        with pytest.raises(Conflict):
            create_resource_server(operation, "https://third.example.com", "Third", {})


# Hostile bytes


@pytest.mark.databases("sqlite", "postgresql", "mariadb")
def test_a_client_id_that_no_client_can_have_is_an_unknown_client(http: InProcess) -> None:
    for client_id in ("a\0b", "é", "\u202e", "x" * 5000):
        answer = http.post(TOKEN, {"grant_type": "client_credentials"}, headers=basic(client_id))
        assert (answer.status, answer.error) == (401, "invalid_client")
        begun = http.post("/oauth2/authorize", {"client_id": client_id})
        assert follow(http, begun).status == 400
    lonely = unsigned({"alg": "RS256"}, {"sub": "\ud800", "iss": "\ud800"})
    answer = http.post(TOKEN, {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": lonely})
    assert (answer.status, answer.error) == (401, "invalid_client")


def test_client_ids_that_no_client_can_have_do_not_fill_the_cache(http: InProcess, runtime: Runtime) -> None:
    for number in range(5):
        http.post(TOKEN, {"grant_type": "client_credentials", "client_id": f"{number}" + "x" * 10_000, "client_secret": "x"})
        http.request("OPTIONS", TOKEN, headers={"Origin": f"https://{number}" + "x" * 10_000})
    assert not runtime.caches.clients._entries
    assert not runtime.caches.origins._entries


@pytest.mark.databases("sqlite", "postgresql", "mariadb")
@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "a\0b"},
        {"state": "a\0b"},
        {"unknown": "a\0b"},
        {"claims": '{"userinfo":{"email":{"value":NaN}}}'},
        {"claims": '{"userinfo":{"email":{"value":1e999}}}'},
        {"claims": '{"userinfo":{"email":{"value":"\\ud800"}}}'},
        {"claims": '{"userinfo":{"email":{"value":"\\u0000"}}}'},
    ],
)
def test_what_no_database_can_hold_is_an_invalid_request(spa: RelyingParty, change: dict[str, str]) -> None:
    assert spa.authorize(None, **change).error == "invalid_request"


def test_a_stranger_cannot_have_more_stored_than_any_request_needs(spa: RelyingParty) -> None:
    padding = {f"x{number}": "y" * 10_000 for number in range(4)}
    assert spa.authorize(None, **padding).error == "invalid_request"


# Faults that an attacker could cause or use


def test_a_retried_request_still_has_its_body(service: RelyingParty, runtime: Runtime) -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    lost: list[str] = []

    def lose_the_first_two_races(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if len(lost) < 2:
            lost.append(statement)
            raise OperationalError(statement, {}, Deadlock())

    runtime.caches.clients.clear()
    event.listen(runtime.engine, "before_cursor_execute", lose_the_first_two_races)
    assert service.client_credentials().status == 200
    assert len(lost) == 2


@pytest.mark.databases("sqlite", "postgresql", "mariadb")
def test_nothing_is_acknowledged_where_a_statement_of_its_transaction_failed(runtime: Runtime) -> None:
    def spend_it(db: Database) -> bool:
        return spend(db, "assertion", "client", "jti", runtime.now() + timedelta(minutes=1))

    def spend_it_and_overlook_a_fault() -> None:
        with transaction(runtime.engine) as db:
            assert spend_it(db)
            with suppress(DBAPIError):
                db.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError):
        spend_it_and_overlook_a_fault()
    with transaction(runtime.engine) as db:
        assert spend_it(db)


def test_keys_that_cannot_be_fetched_are_not_fetched_for_every_request(runtime: Runtime, clock: Clock) -> None:
    fetched: list[str] = []

    def fail(url: str) -> bytes:
        fetched.append(url)
        raise FetchRefused("could not be fetched")

    changed = replace(runtime, fetch=fail)
    http = InProcess(create_app(changed), runtime.settings.issuer)
    made = make_client(runtime, "service", token_endpoint_auth_method="private_key_jwt", jwks_uri="https://client.example/keys")
    party = RelyingParty(http, Made(made.client, None, make_key()), clock=clock)
    assert {party.client_credentials().status for _ in range(5)} == {401}
    assert len(fetched) == 1
    clock.advance(seconds=11)
    party.client_credentials()
    assert len(fetched) == 2


def test_no_cache_is_told_to_keep_a_missing_file_for_good(http: InProcess) -> None:
    answer = http.get("/static/missing.js?v=1")
    assert answer.status == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.spec("RFC 8414", "3.1")
def test_metadata_of_an_issuer_that_we_are_not_is_not_found(http: InProcess) -> None:
    assert http.get("/.well-known/oauth-authorization-server/tenant").status == 404
    assert http.get("/.well-known/oauth-authorization-server").status == 200


@pytest.mark.spec("RFC 6750", "2.2")
def test_userinfo_takes_no_token_from_the_body_of_a_get(spa: RelyingParty, person: Person) -> None:
    token = spa.sign_in(person)["access_token"]
    assert spa.back.post("/oidc/userinfo", {"access_token": token}).status == 200
    assert spa.back.request("GET", "/oidc/userinfo", data={"access_token": token}).status == 401


@pytest.mark.spec("RFC 6749", "5.2")
def test_the_challenge_of_a_refused_client_names_a_realm(service: RelyingParty) -> None:
    answer = service.token(grant_type="client_credentials", authenticate=False, headers={"Authorization": "Basic eDp4"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="')


# Attacks that must go on failing


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "%(email)s"])
def test_a_client_name_is_text_on_every_page(http: InProcess, runtime: Runtime, person: Person, clock: Clock, name: str) -> None:
    party = RelyingParty(http, make_client(runtime, "web", client_name=name), clock=clock)
    begun = party.begin(login_hint=name, ui_locales="de")
    login = follow(http, begun.answer)
    consent = follow(http, party.fill(read(login), person, ""))
    for answer in (login, consent, http.get(f"/logout?client_id={party.made.client_id}")):
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert name in read(answer).text


@pytest.mark.parametrize("value", ['"><script>alert(1)</script>', "a\r\nSet-Cookie: x=1", "a\u2028b", "é" * 50])
def test_state_is_text_however_it_travels(http: InProcess, runtime: Runtime, person: Person, clock: Clock, value: str) -> None:
    party = RelyingParty(http, make_client(runtime, "web"), clock=clock)
    assert party.authorize(person, state=value).parameters["state"] == value
    assert party.authorize(None, state=value, response_mode="form_post").parameters["state"] == value
    raw = party.begin(state=value, prompt="none").answer
    assert "Set-Cookie" not in raw.headers
    assert "\r" not in str(raw.headers["Location"])


def test_a_signed_in_browser_is_not_signed_in_by_a_form_that_another_browser_was_given(
    http: InProcess, runtime: Runtime, person: Person
) -> None:
    attacker = http.fresh()
    form = read(attacker.get("/login")).form("password")
    http.get("/login")
    answer = http.post("/login", {**form.fields, "email": person.email, "password": PASSWORD})
    assert answer.status == 400
    assert not any("session" in name for name in http.cookies())


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "application/at+jwt", None])
def test_no_token_of_ours_is_taken_for_another_kind_of_token(spa: RelyingParty, person: Person, typ: str | None) -> None:
    tokens = spa.sign_in(person)
    assert spa.userinfo(tokens["id_token"]).status == 401
    assert spa.authorize(None, id_token_hint=tokens["access_token"], prompt="none").error == "invalid_request"
    header = {"alg": "none"} | ({"typ": typ} if typ else {})
    forged = unsigned(header, {"iss": spa.issuer, "sub": person.subject, "aud": spa.issuer, "scope": "openid"})
    assert spa.userinfo(forged).status == 401
    assert spa.authorize(None, id_token_hint=forged, prompt="none").error == "invalid_request"
