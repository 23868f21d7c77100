"""Introspection (RFC 7662) and revocation (RFC 7009)."""

from typing import Any

import pytest

from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime)


@pytest.fixture
def api(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    """The API's own client, which may introspect its tokens."""
    made = make_client(runtime, "service")
    make_resource_server(runtime, introspected_by=[made.client_id])
    return RelyingParty(http, made, clock=clock)


@pytest.fixture
def web(api: RelyingParty, http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "web", apis=[API]), clock=clock)


@pytest.fixture
def stranger(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, "service"), clock=clock)


@pytest.mark.spec("RFC 7662", "2.2")
def test_an_api_and_the_client_itself_learn_of_a_token_and_nobody_else(
    web: RelyingParty, api: RelyingParty, stranger: RelyingParty, person: Person
) -> None:
    token = web.sign_in(person, scope="openid email read")["access_token"]
    for caller in (web, api):
        shown = caller.introspect(token).json
        assert shown["active"] is True
        assert shown["sub"] == person.subject
        assert shown["username"] == person.email
        assert (shown["client_id"], shown["scope"], shown["token_type"]) == (web.made.client_id, "openid email read", "Bearer")
        assert API in shown["aud"]
    assert stranger.introspect(token).json == {"active": False}


def test_a_refresh_token_is_shown_to_its_client_alone(web: RelyingParty, api: RelyingParty, person: Person, clock: Clock) -> None:
    token = web.sign_in(person, scope="openid offline_access")["refresh_token"]
    shown = web.introspect(token).json
    assert (shown["active"], shown["sub"], shown["scope"]) == (True, person.subject, "openid offline_access")
    assert shown["exp"] > clock.timestamp()
    assert api.introspect(token).json == {"active": False}
    clock.advance(days=15)
    assert web.introspect(token).json == {"active": False}


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "a.AAAAAAAAAAAAAAAAAAAAAA.0.AA", "at_unknown", "é", "x" * 20_000])
def test_what_is_no_token_is_inactive(api: RelyingParty, token: str) -> None:
    answer = api.introspect(token)
    assert answer.status == (400 if not token or len(token) > 16384 else 200)
    assert answer.json.get("active") is (False if answer.status == 200 else None)


def test_an_id_token_is_no_access_token(web: RelyingParty, person: Person) -> None:
    tokens = web.sign_in(person)
    assert web.introspect(tokens["id_token"]).json == {"active": False}
    assert web.userinfo(tokens["id_token"]).status == 401


def test_an_expired_token_is_inactive(web: RelyingParty, person: Person, clock: Clock) -> None:
    token = web.sign_in(person)["access_token"]
    clock.advance(seconds=600)
    assert not web.is_active(token)


@pytest.mark.spec("RFC 7662", "2.1")
def test_a_public_client_cannot_introspect(http: InProcess, runtime: Runtime, person: Person) -> None:
    spa = RelyingParty(http, make_client(runtime, "spa"))
    answer = spa.introspect(spa.sign_in(person)["access_token"])
    assert (answer.status, answer.error) == (400, "unauthorized_client")
    assert http.post("/oauth2/introspect", {"token": "x"}).status == 401


def test_introspection_writes_nothing_and_a_hint_is_only_a_hint(web: RelyingParty, person: Person, counts: Counts) -> None:
    token = web.sign_in(person)["access_token"]
    with counts.measure() as tally:
        assert web.introspect(token, token_type_hint="nonsense").json["active"] is True
    assert tally.writes == []
    assert len(tally.reads) <= 2


@pytest.mark.spec("RFC 7009", "2.1")
def test_a_client_revokes_its_access_token_alone(web: RelyingParty, person: Person, runtime: Runtime) -> None:
    tokens = web.sign_in(person)
    for _ in range(2):
        answer = web.revoke(tokens["access_token"], token_type_hint="whatever")
        assert (answer.status, answer.json) == (200, {})
    assert not web.is_active(tokens["access_token"])
    assert web.userinfo(tokens["access_token"]).status == 401
    assert web.refresh(tokens["refresh_token"]).status == 200
    with transaction(runtime.engine) as db:
        assert [event.action for event in list_events(db)].count("token.revoke") == 1


@pytest.mark.spec("RFC 7009", "2.1")
def test_revoking_a_refresh_token_ends_the_grant_with_its_access_tokens(web: RelyingParty, person: Person) -> None:
    tokens = web.sign_in(person)
    for _ in range(2):
        assert web.revoke(tokens["refresh_token"]).status == 200
    assert web.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert not web.is_active(tokens["access_token"])


def test_opaque_tokens_are_revoked_too(http: InProcess, runtime: Runtime, person: Person) -> None:
    make_resource_server(runtime, token_format="opaque")
    web = RelyingParty(http, make_client(runtime, "web", apis=[API]))
    token = web.sign_in(person, scope="openid read")["access_token"]
    assert web.userinfo(token).status == 200
    for _ in range(2):
        assert web.revoke(token).status == 200
    assert not web.is_active(token)


@pytest.mark.spec("RFC 7009", "2.2")
def test_an_unknown_token_is_no_error_and_a_foreign_one_is_refused(web: RelyingParty, stranger: RelyingParty, person: Person) -> None:
    tokens = web.sign_in(person)
    assert stranger.revoke("nonsense").status == 200
    for name in ("access_token", "refresh_token"):
        assert stranger.revoke(tokens[name]).error == "invalid_grant"
    assert web.is_active(tokens["access_token"])
    assert web.refresh(tokens["refresh_token"]).status == 200


def test_a_public_client_revokes_by_naming_itself(http: InProcess, runtime: Runtime, person: Person) -> None:
    spa = RelyingParty(http, make_client(runtime, "spa"))
    tokens = spa.sign_in(person)
    assert http.post("/oauth2/revoke", {"token": tokens["refresh_token"]}).status == 401
    assert spa.revoke(tokens["refresh_token"]).status == 200
    assert spa.refresh(tokens["refresh_token"]).error == "invalid_grant"


@pytest.mark.settings(specifications_off=("RFC-7009", "rfc-7662"))
def test_a_specification_that_is_off_is_neither_served_nor_announced(http: InProcess) -> None:
    document: dict[str, Any] = http.get("/.well-known/openid-configuration").json
    assert "revocation_endpoint" not in document
    assert "introspection_endpoint" not in document
    assert http.post("/oauth2/revoke", {}).status == 404
