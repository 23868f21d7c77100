"""Tokens at the admin API: ours, for it, alive, and no more than their bearer may still do (RFC 6750, RFC 9068 section 4)."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.admin import clients as admin_clients
from authserver.admin import users as admin_users
from authserver.admin.authority import Authority
from authserver.admin.operation import Operation
from authserver.admin.sessions import end_user_sessions
from authserver.runtime import Runtime
from authserver.store.base import transaction
from tests.clock import Clock
from tests.factories import API, ISSUER, Person, make_client, make_resource_server, make_user
from tests.http_client import Answer, InProcess
from tests.relying_party import RelyingParty
from tests.web.api.conftest import AUDIENCE, Caller, code_of


def is_refused(answer: Answer) -> bool:
    """Tell whether the token was refused, with the challenge of RFC 6750 section 3.1."""
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    return (answer.status, code_of(answer)) == (401, "invalid-token")


@pytest.fixture
def admin(runtime: Runtime) -> Callable[..., Any]:
    """Do something on the command line: `admin(disable_client, "shop")`."""

    def act(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with transaction(runtime.engine) as db:
            done = function(Operation(db, runtime, Authority("tester")), *arguments, **named)
        for cache in (runtime.caches.clients, runtime.caches.resource_servers):
            cache.clear()
        return done

    return act


@pytest.mark.spec("RFC 6750", "3")
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "DPoP x", "x"])
def test_without_a_bearer_token_the_challenge_names_the_scheme_alone(http: InProcess, authorization: str | None) -> None:
    caller = Caller(http, headers={} if authorization is None else {"Authorization": authorization})
    answer = caller.get("/clients")
    assert (answer.status, code_of(answer)) == (401, "no-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="admin API"'


@pytest.mark.parametrize("token", ["x", "a.b.c", "at_unknown", "é", "x" * 20_000, "a, b"])
def test_what_is_no_token_is_refused(http: InProcess, admin_api_exists: None, token: str) -> None:
    assert is_refused(Caller(http, token).get("/clients"))


def test_a_token_in_the_query_or_in_a_form_is_not_looked_at(http: InProcess, api: Caller) -> None:
    answer = Caller(http).get("/clients", access_token=api.token)
    assert (answer.status, code_of(answer)) == (401, "no-token")


def test_a_token_for_another_api_is_refused(http: InProcess, runtime: Runtime, admin_api_exists: None, clock: Clock) -> None:
    make_resource_server(runtime, scopes={"clients:read": "A scope of the same name"})
    other = RelyingParty(http.fresh(), make_client(runtime, "service", apis=[API, AUDIENCE]), clock=clock)
    token = other.token(grant_type="client_credentials", scope="clients:read", resource=API).json["access_token"]
    assert is_refused(Caller(http, token).get("/clients"))
    token = other.token(grant_type="client_credentials", scope="clients:read", resource=AUDIENCE).json["access_token"]
    assert Caller(http, token).get("/clients").status == 200


def test_a_token_for_userinfo_is_refused(http: InProcess, runtime: Runtime, admin_api_exists: None) -> None:
    tokens = RelyingParty(http.fresh(), make_client(runtime, "web")).sign_in(make_user(runtime), scope="openid")
    assert is_refused(Caller(http, tokens["access_token"]).get("/clients"))


def test_an_id_token_and_a_refresh_token_are_refused(
    http: InProcess, runtime: Runtime, application: Callable[..., RelyingParty], give_role: Callable[..., Person]
) -> None:
    owner = give_role(make_user(runtime), "owner")
    tokens = application().sign_in(owner, scope="openid offline_access clients:read", resource=AUDIENCE)
    assert Caller(http, tokens["access_token"]).get("/clients").status == 200
    for name in ("id_token", "refresh_token"):
        assert is_refused(Caller(http, tokens[name]).get("/clients"))


def test_an_expired_token_is_refused(api: Caller, clock: Clock) -> None:
    assert api.get("/clients").status == 200
    clock.advance(minutes=10)
    assert is_refused(api.get("/clients"))


def test_a_revoked_token_is_refused(http: InProcess, service: Callable[..., RelyingParty]) -> None:
    client = service("clients:read")
    caller = Caller(http, client.token(grant_type="client_credentials").json["access_token"])
    assert caller.get("/clients").status == 200
    headers, own = client.credentials()
    assert client.back.post("/oauth2/revoke", {**own, "token": caller.token}, headers=headers).status == 200
    assert is_refused(caller.get("/clients"))


@pytest.mark.parametrize("end", [admin_clients.disable_client, admin_clients.delete_client])
def test_the_token_of_a_client_that_is_gone_is_refused(
    http: InProcess, service: Callable[..., RelyingParty], admin: Callable[..., Any], end: Any
) -> None:
    client = service("clients:read")
    caller = Caller(http, client.token(grant_type="client_credentials").json["access_token"])
    admin(end, client.made.client_id)
    assert is_refused(caller.get("/clients"))


@pytest.mark.parametrize("changes", [{"scope": "apis:read"}, {"apis": [], "scope": ""}])
def test_a_client_loses_a_scope_that_is_taken_from_it_before_its_token_expires(
    http: InProcess, service: Callable[..., RelyingParty], admin: Callable[..., Any], changes: dict[str, Any]
) -> None:
    client = service("clients:read", "apis:read")
    caller = Caller(http, client.token(grant_type="client_credentials").json["access_token"])
    admin(admin_clients.update_client_metadata, client.made.client_id, changes)
    answer = caller.get("/clients")
    assert (answer.status, code_of(answer)) == (403, "insufficient-scope")


@pytest.fixture
def signed_in(
    http: InProcess, runtime: Runtime, application: Callable[..., RelyingParty], give_role: Callable[..., Person]
) -> tuple[Person, Caller]:
    """An administrator, and their token."""
    someone = give_role(make_user(runtime), "admin")
    tokens = application().sign_in(someone, scope="openid clients:read clients:write", resource=AUDIENCE)
    return someone, Caller(http, tokens["access_token"])


@pytest.mark.parametrize("end", [admin_users.disable_user, admin_users.delete_user, end_user_sessions])
def test_the_token_of_somebody_who_is_gone_is_refused(signed_in: tuple[Person, Caller], admin: Callable[..., Any], end: Any) -> None:
    someone, caller = signed_in
    assert caller.get("/clients").status == 200
    admin(end, someone.subject)
    assert is_refused(caller.get("/clients"))


def test_a_demotion_takes_effect_at_once(signed_in: tuple[Person, Caller], give_role: Callable[..., Person]) -> None:
    someone, caller = signed_in
    body = {"kind": "service", "client_name": "Made"}
    assert caller.post("/clients", body).status == 201
    give_role(someone, "auditor")
    answer = caller.post("/clients", body)
    assert (answer.status, code_of(answer)) == (403, "forbidden")
    assert caller.get("/clients").status == 200
    give_role(someone, None)
    assert caller.get("/clients").status == 403


def test_roles_that_applications_see_mean_nothing_here(http: InProcess, runtime: Runtime, application: Callable[..., RelyingParty]) -> None:
    someone = make_user(runtime, roles=["owner"], attributes={"role": "owner"})
    token = application().sign_in(someone, scope="openid clients:read", resource=AUDIENCE)["access_token"]
    assert Caller(http, token).get("/clients").status == 403


def test_the_log_says_why_and_the_answer_does_not(http: InProcess, admin_api_exists: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    answer = Caller(http, "a.b.c").get("/clients")
    (record,) = [record for record in caplog.records if record.getMessage() == "api.refuse"]
    assert vars(record)["because"] == "not a compact JWS of a JSON object"
    assert "JWS" not in answer.text + answer.headers["WWW-Authenticate"]


def test_an_opaque_token_opens_too(http: InProcess, api: Caller, service: Callable[..., RelyingParty], admin: Callable[..., Any]) -> None:
    from dataclasses import replace

    from authserver.admin.resource_servers import change_resource_server

    admin(lambda operation: change_resource_server(replace(operation, owner="authserver"), AUDIENCE, {"token_format": "opaque"}))
    token = service("clients:read").token(grant_type="client_credentials").json["access_token"]
    assert token.startswith("at_")
    assert Caller(http, token).get("/clients").status == 200
    assert ISSUER + "/admin/api/v1" == AUDIENCE


# Acting on others


def test_a_client_that_may_write_users_cannot_act_on_an_owner(
    caller: Callable[..., Caller], runtime: Runtime, give_role: Callable[..., Person]
) -> None:
    writer = caller("users:read", "users:write", "sessions:write")
    owner = f"/users/{give_role(make_user(runtime), 'owner').subject}"
    before = writer.get(owner).json
    tries = [
        writer.patch(owner, {"enabled": False}),
        writer.patch(owner, {"email": "mine@example.net"}),
        writer.delete(owner),
        writer.post(f"{owner}/password-reset"),
        writer.delete("/sessions", user=owner.rpartition("/")[2]),
    ]
    assert [(answer.status, code_of(answer)) for answer in tries[:4]] == [(403, "forbidden")] * 4
    assert writer.get(owner).json == before


@pytest.mark.parametrize("role", ["auditor", "support", "admin", "owner"])
def test_a_client_that_may_write_roles_alone_makes_nobody_an_administrator(
    caller: Callable[..., Caller], runtime: Runtime, role: str
) -> None:
    answer = caller("roles:write").put(f"/users/{make_user(runtime).subject}/role", {"role": role})
    assert (answer.status, code_of(answer)) == (403, "forbidden")


@pytest.mark.parametrize("metadata", [{}, {"scope": "clients:read clients:write"}, {"scope": "keys:write"}])
def test_a_client_cannot_make_another_that_may_do_more(caller: Callable[..., Caller], metadata: dict[str, str]) -> None:
    writer = caller("clients:read", "clients:write")
    wanted = {"kind": "service", "client_name": "Made", "apis": [AUDIENCE], **metadata}
    answer = writer.post("/clients", wanted)
    is_within = metadata.get("scope") == "clients:read clients:write"
    assert answer.status == (201 if is_within else 403), answer.text


def test_a_client_cannot_raise_itself_nor_touch_one_that_may_do_more(
    http: InProcess, service: Callable[..., RelyingParty], api: Caller
) -> None:
    mine, above = service("clients:write"), service("clients:write", "keys:write")
    writer = Caller(http, mine.token(grant_type="client_credentials").json["access_token"])
    above_path = f"/clients/{above.made.client_id}"
    before = api.get(above_path).json
    tries = [
        writer.patch(f"/clients/{mine.made.client_id}", {"scope": "clients:write keys:write"}),
        writer.patch(f"/clients/{mine.made.client_id}", {"scope": ""}),
        writer.patch(above_path, {"client_name": "Mine"}),
        writer.patch(above_path, {"enabled": False}),
        writer.delete(above_path),
        writer.post("/client-secrets", {"client_id": above.made.client_id}),
        writer.delete(f"/client-secrets/{before['secrets'][0]['id']}", client_id=above.made.client_id),
    ]
    assert [(answer.status, code_of(answer)) for answer in tries] == [(403, "forbidden")] * len(tries)
    assert api.get(above_path).json == before
