"""Clients and their secrets over the admin API (RFC 7591 sections 2 and 3.2.1)."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.oauth.client_metadata import FIELDS
from authserver.oauth.client_registration import PROFILES
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from authserver.web.api.client_models import ClientChanges, ClientDocument, ClientMembers, NewClient
from tests.clock import Clock
from tests.factories import API, Made, jwks_of, make_client, make_key, make_resource_server
from tests.http_client import InProcess
from tests.relying_party import RelyingParty
from tests.web.api.conftest import Caller, at, code_of

SPA = {"kind": "spa", "client_name": "Notes", "redirect_uris": ["https://notes.example.org/callback"]}
SERVICE = {"kind": "service", "client_name": "Billing"}


@pytest.fixture
def made(api: Caller) -> dict[str, Any]:
    """A web client as the API gave it."""
    return api.post("/clients", {"kind": "web", "client_name": "Shop", "redirect_uris": ["https://shop.example.org/cb"]}).json


def path_of(client: dict[str, Any]) -> str:
    return at("clients", client["client_id"])


@pytest.mark.spec("RFC 7591", "2")
def test_the_document_has_the_metadata_that_registration_knows() -> None:
    assert set(ClientMembers.model_fields) == set(FIELDS)
    kinds: Any = NewClient.model_fields["kind"].annotation
    assert set(kinds.__args__) == set(PROFILES)


@pytest.mark.spec("RFC 7591", "3.2.1")
def test_a_new_client_comes_with_its_secret_its_place_and_its_version(api: Caller, http: InProcess) -> None:
    answer = api.post("/clients", SERVICE)
    client = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"https://login.example.com/admin/api/v1{path_of(client)}"
    assert answer.headers["ETag"] == '"1"'
    assert client["client_secret_expires_at"] == 0
    shown = api.get(path_of(client))
    assert shown.headers["ETag"] == '"1"'
    assert shown.json == {name: value for name, value in client.items() if not name.startswith("client_secret")}
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    token = http.post("/oauth2/token", {"grant_type": "client_credentials"}, headers=basic(credentials))
    assert token.status == 200


def basic(client: dict[str, Any]) -> dict[str, str]:
    import base64

    pair = f"{client['client_id']}:{client['client_secret']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def test_a_public_client_has_no_secret(api: Caller) -> None:
    client = api.post("/clients", SPA).json
    assert "client_secret" not in client
    assert (client["token_endpoint_auth_method"], client["secrets"]) == ("none", [])


def test_every_member_of_metadata_can_be_set_and_comes_back(api: Caller, runtime: Runtime) -> None:
    make_resource_server(runtime)
    keys = jwks_of(make_key())
    wanted = {
        "redirect_uris": ["https://shop.example.org/cb"],
        "post_logout_redirect_uris": ["https://shop.example.org/"],
        "allowed_origins": [],
        "grant_types": ["authorization_code", "client_credentials"],
        "response_types": ["code"],
        "response_modes": ["query"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": keys,
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "scope": "openid read",
        "apis": [API],
        "require_pkce": False,
        "refresh_token_lifetime": 3600,
        "refresh_token_rotation": "always",
        "assertion_audience": "token_endpoint",
        "default_max_age": 60,
        "consent": "required",
        "attributes": {"tier": "gold"},
        "client_uri": "https://shop.example.org/",
        "policy_uri": "https://shop.example.org/privacy",
        "tos_uri": "https://shop.example.org/terms",
        "initiate_login_uri": "https://shop.example.org/login",
        "contacts": ["shop@example.org"],
    }
    assert set(FIELDS) == {*wanted, "jwks_uri"}
    client = api.post("/clients", {"kind": "web", "client_name": "Shop", **wanted}).json
    assert {name: client[name] for name in wanted} == wanted


def test_clients_are_found_by_name_id_and_redirect_host(api: Caller) -> None:
    notes, billing = api.post("/clients", SPA).json, api.post("/clients", SERVICE).json

    def found(**query: str) -> set[str]:
        return {client["client_id"] for client in api.get("/clients", **query).json["items"]} & {notes["client_id"], billing["client_id"]}

    assert found() == {notes["client_id"], billing["client_id"]}
    assert found(q="not") == found(q="notes.example") == found(q=notes["client_id"][:8]) == found(kind="spa") == {notes["client_id"]}
    assert found(q="nowhere") == set()
    api.patch(path_of(billing), {"enabled": False})
    assert found(status="disabled") == {billing["client_id"]}
    assert found(status="enabled") == {notes["client_id"]}
    assert found(q="") == found()


def test_a_patch_changes_what_it_names_and_null_takes_it_back(api: Caller, made: dict[str, Any]) -> None:
    answer = api.patch(path_of(made), {"client_name": "Store", "consent": "required", "contacts": ["a@example.org"]})
    changed = answer.json
    assert (changed["client_name"], changed["consent"], changed["contacts"]) == ("Store", "required", ["a@example.org"])
    assert answer.headers["ETag"] == f'"{changed["version"]}"' == '"2"'
    assert changed["redirect_uris"] == made["redirect_uris"]
    again = api.patch(path_of(made), {"consent": None, "contacts": None}).json
    assert again["consent"] == "remembered"
    assert "contacts" not in again


@pytest.mark.spec("RFC 7396", "2")
def test_a_patch_of_an_object_merges_it(api: Caller, made: dict[str, Any]) -> None:
    api.patch(path_of(made), {"attributes": {"tier": "gold", "region": {"name": "eu", "zone": 1}}})
    changed = api.patch(path_of(made), {"attributes": {"tier": None, "region": {"zone": 2}, "plan": "big"}}).json
    assert changed["attributes"] == {"region": {"name": "eu", "zone": 2}, "plan": "big"}


def test_an_object_may_be_as_deep_as_is_taken(api: Caller, made: dict[str, Any]) -> None:
    attributes: Any = 1
    for _ in range(18):
        attributes = {"a": attributes}
    assert api.patch(path_of(made), {"attributes": attributes}).json["attributes"] == attributes


def test_an_empty_patch_changes_nothing(api: Caller, made: dict[str, Any]) -> None:
    answer = api.patch(path_of(made), {})
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')


def test_disabling_ends_access_and_enabling_gives_it_back(api: Caller, http: InProcess, clock: Clock) -> None:
    client = api.post("/clients", SERVICE).json

    def fetch() -> int:
        clock.advance(seconds=6)  # clients are cached for five
        return http.post("/oauth2/token", {"grant_type": "client_credentials"}, headers=basic(client)).status

    assert fetch() == 200
    assert api.patch(path_of(client), {"enabled": False, "client_name": "Off"}).json["enabled"] is False
    assert api.get(path_of(client)).json["client_name"] == "Off"
    assert fetch() == 401
    assert api.patch(path_of(client), {"enabled": True}).json["enabled"] is True
    assert fetch() == 200


def test_a_deleted_client_is_gone(api: Caller, made: dict[str, Any]) -> None:
    assert api.delete(path_of(made)).status == 204
    for answer in (api.get(path_of(made)), api.patch(path_of(made), {}), api.delete(path_of(made))):
        assert (answer.status, code_of(answer)) == (404, "not-found")


def test_an_id_may_hold_slashes_and_percent_signs(api: Caller, runtime: Runtime) -> None:
    client_id = "https://app.example.org/oauth//client%20"
    make_client(runtime, client_id=client_id)
    path = at("clients", client_id)
    assert api.get(path).json["client_id"] == client_id
    assert api.patch(path, {"client_name": "Renamed"}).json["client_name"] == "Renamed"
    assert api.delete(path).status == 204


@pytest.mark.parametrize(
    ("changes", "pointer", "why"),
    [
        ({"redirect_uris": ["http://shop.example.org/cb"]}, "#/redirect_uris", "https"),
        ({"redirect_uris": []}, "#/redirect_uris", "at least one"),
        ({"redirect_uris": "https://shop.example.org/cb"}, "#/redirect_uris", "list"),
        ({"redirect_uris": [1]}, "#/redirect_uris/0", "string"),
        ({"client_name": ""}, "#/client_name", "at least 1"),
        ({"client_name": " "}, "#/client_name", "1 to 200"),
        ({"client_name": None}, "#/client_name", "string"),
        ({"client_name": "a\u202eb"}, "#/client_name", "invisible"),
        ({"enabled": "no"}, "#/enabled", "boolean"),
        ({"require_pkce": 1}, "#/require_pkce", "boolean"),
        ({"apis": ["https://nowhere.example.com"]}, "#/apis", "exist"),
        ({"scope": "unheard-of"}, "#/scope", "neither"),
        ({"grant_types": ["password"]}, "#/grant_types/0", "client_credentials"),
        ({"consent": "never"}, "#/consent", "required"),
        ({"refresh_token_lifetime": 59}, "#/refresh_token_lifetime", "60"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "#/jwks", "public keys only"),
        ({"attributes": {"big": "x" * 5000}}, "#/attributes", "4 KB"),
    ],
)
def test_a_value_that_cannot_be_taken_is_pointed_at(
    api: Caller, made: dict[str, Any], changes: dict[str, Any], pointer: str, why: str
) -> None:
    answer = api.patch(path_of(made), changes)
    assert (answer.status, code_of(answer)) == (422, "invalid")
    (fault,) = answer.json["errors"]
    assert fault["pointer"] == pointer
    assert why in fault["detail"]
    assert api.get(path_of(made)).json["version"] == 1


def test_all_wrong_values_are_pointed_at_together(api: Caller) -> None:
    answer = api.post("/clients", {"kind": "car", "redirect_uris": 1, "extra/~": 2})
    assert {fault["pointer"] for fault in answer.json["errors"]} == {"#/kind", "#/client_name", "#/redirect_uris", "#/extra~1~0"}


READ_ONLY = sorted(set(ClientDocument.model_fields) - set(ClientMembers.model_fields) - {"client_name"})


@pytest.mark.parametrize(
    "member", [*(name for name in READ_ONLY if name != "kind"), "secret", "client_secret", "metadata", "role", "__class__"]
)
def test_what_the_server_decides_cannot_be_sent(api: Caller, made: dict[str, Any], member: str) -> None:
    value = made.get(member, "mine")
    tries = [api.post("/clients", {**SERVICE, member: value})]
    if member != "enabled":
        tries.append(api.patch(path_of(made), {member: value}))
    for answer in tries:
        assert (answer.status, code_of(answer)) == (422, "invalid")
        assert answer.json["errors"] == [{"detail": "is not known here, or cannot be set", "pointer": f"#/{member}"}]
    assert api.get(path_of(made)).json["version"] == 1


def test_the_kind_of_a_client_cannot_be_changed(api: Caller, made: dict[str, Any]) -> None:
    assert api.patch(path_of(made), {"kind": "spa"}).json["errors"][0]["pointer"] == "#/kind"
    assert set(ClientChanges.model_fields) == {*ClientMembers.model_fields, "client_name", "enabled"}


def test_what_a_file_owns_is_changed_there(api: Caller) -> None:
    console = at("clients", "authserver-console")
    for answer in (api.patch(console, {"client_name": "Mine"}), api.delete(console), api.patch(console, {"enabled": False})):
        assert (answer.status, code_of(answer)) == (409, "conflict")
    assert api.get(console).json["managed_by"] == "authserver"


def test_the_audit_log_names_the_caller_with_before_and_after(api: Caller, made: dict[str, Any], runtime: Runtime) -> None:
    api.patch(path_of(made), {"client_name": "Store"})
    (event,) = api.get("/audit-events", action="client.update", client_id=made["client_id"]).json["items"]
    assert event["actor"].startswith("client:service-")
    assert event["details"] == {"before": {"client_name": "Shop"}, "after": {"client_name": "Store"}}
    with transaction(runtime.engine) as db:
        assert made["client_secret"] not in str(list_events(db))


def test_a_person_who_changes_a_client_is_named(person: Callable[..., Caller], api: Caller, made: dict[str, Any]) -> None:
    person("admin").patch(path_of(made), {"client_name": "Store"})
    (event,) = api.get("/audit-events", action="client.update").json["items"]
    assert event["actor"].endswith("@example.net")


# Credentials


def test_a_rotation_lets_the_secret_before_work_for_the_overlap(api: Caller, http: InProcess, clock: Clock, made: dict[str, Any]) -> None:
    client = api.post("/clients", SERVICE).json
    answer = api.post("/client-secrets", {"client_id": client["client_id"], "overlap": 86400})
    assert answer.status == 201
    assert answer.json["client_secret_expires_at"] == 0
    assert len(answer.json["secrets"]) == 2
    renewed = {**client, "client_secret": answer.json["client_secret"]}

    def fetch(credentials: dict[str, Any]) -> int:
        return http.post("/oauth2/token", {"grant_type": "client_credentials"}, headers=basic(credentials)).status

    assert (fetch(client), fetch(renewed)) == (200, 200)
    clock.advance(days=1)
    assert (fetch(client), fetch(renewed)) == (401, 200)


def test_a_secret_can_be_ended_but_not_the_last_one(api: Caller, made: dict[str, Any]) -> None:
    client_id = made["client_id"]
    first, second = api.post("/client-secrets", {"client_id": client_id, "overlap": 3600}).json["secrets"]
    assert api.delete(f"/client-secrets/{first['id']}", client_id=client_id).status == 204
    assert [secret["id"] for secret in api.get(path_of(made)).json["secrets"]] == [second["id"]]
    assert code_of(api.delete(f"/client-secrets/{second['id']}", client_id=client_id)) == "conflict"
    assert code_of(api.delete(f"/client-secrets/{first['id']}", client_id=client_id)) == "not-found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"client_id": "nobody"}, 404, "not-found"),
        ({"client_id": "demo", "overlap": -1}, 422, "invalid"),
        ({"client_id": "demo", "overlap": 91 * 86400}, 422, "invalid"),
        ({"client_id": "demo", "secret": "mine-mine-mine-mine-mine"}, 422, "invalid"),
        ({"client_id": "public"}, 409, "conflict"),
    ],
)
def test_a_rotation_that_cannot_be(api: Caller, runtime: Runtime, body: dict[str, Any], status: int, code: str) -> None:
    make_client(runtime, "web", client_id="demo")
    make_client(runtime, "spa", client_id="public")
    answer = api.post("/client-secrets", body)
    assert (answer.status, code_of(answer)) == (status, code)


def test_no_answer_but_the_first_has_a_secret_or_its_digest(api: Caller, made: dict[str, Any], runtime: Runtime) -> None:
    from authserver.crypto.digest import digest

    hidden = (made["client_secret"], digest(made["client_secret"]).hex())
    shown = "".join(api.get(path).text for path in (path_of(made), "/clients", "/audit-events"))
    assert [text for text in hidden if text in shown] == []


@pytest.mark.parametrize(
    "change", [{"token_endpoint_auth_method": "client_secret_post"}, {"jwks": jwks_of(make_key())}, {"jwks_uri": None}]
)
def test_a_change_of_credentials_needs_a_recent_sign_in(
    person: Callable[..., Caller], clock: Clock, runtime: Runtime, change: dict[str, Any]
) -> None:
    admin, client = person("admin"), make_client(runtime, "web")
    path = at("clients", client.client_id)
    clock.advance(minutes=6)
    answer = admin.patch(path, change)
    assert (answer.status, code_of(answer)) == (401, "sign-in-too-old")
    assert admin.patch(path, {"client_name": "Store"}).status == 200


def test_a_client_that_begins_to_authenticate_gets_a_secret(api: Caller, http: InProcess, runtime: Runtime, clock: Clock) -> None:
    key = make_key()
    client: Made = make_client(runtime, "service", key=key)
    answer = api.patch(at("clients", client.client_id), {"token_endpoint_auth_method": "client_secret_basic", "jwks": None})
    assert "jwks" not in answer.json
    changed = {"client_id": client.client_id, "client_secret": answer.json["client_secret"]}
    runtime.caches.clients.clear()
    assert http.post("/oauth2/token", {"grant_type": "client_credentials"}, headers=basic(changed)).status == 200
    assert RelyingParty(http, client, clock=clock).token(grant_type="client_credentials").status == 401
