"""APIs over the admin API."""

from typing import Any

import pytest

from authserver.admin.authority import PERMISSIONS
from authserver.runtime import Runtime
from tests.factories import make_client
from tests.web.api.conftest import AUDIENCE, Caller, at, code_of

IDENTIFIER = "https://orders.example.com/v1"
PATH = at("apis", IDENTIFIER)
WANTED = {
    "name": "Orders",
    "scopes": {"orders:read": "See your orders", "orders:write": "Change your orders"},
    "format": "opaque",
    "alg": "ES256",
    "lifetime": 300,
    "claims": {"roles": "roles"},
    "introspected_by": ["gateway"],
}


@pytest.fixture
def made(api: Caller, runtime: Runtime) -> dict[str, Any]:
    make_client(runtime, "service", client_id="gateway")
    return api.post("/apis", {"identifier": IDENTIFIER, **WANTED}).json


def test_an_api_is_registered_as_it_was_asked_for(api: Caller, made: dict[str, Any]) -> None:
    assert {name: made[name] for name in WANTED} == WANTED
    shown = api.get(PATH)
    assert (shown.json, shown.headers["ETag"]) == (made, '"1"')
    assert made in api.get("/apis", q="orders").json["items"]
    assert api.get("/apis", q="nothing").json["items"] == []


def test_what_is_not_given_has_defaults(api: Caller) -> None:
    answer = api.post("/apis", {"identifier": IDENTIFIER, "name": "Orders"})
    assert answer.headers["Location"] == f"https://login.example.com/admin/api/v1{PATH}"
    expected = {"scopes": {}, "format": "jwt", "alg": "RS256", "lifetime": None, "claims": {}, "introspected_by": [], "managed_by": ""}
    assert {name: answer.json[name] for name in expected} == expected


@pytest.mark.spec("RFC 7396", "2")
def test_a_patch_merges_scopes_and_claims_and_replaces_the_rest(api: Caller, made: dict[str, Any]) -> None:
    patch = {"scopes": {"orders:write": None, "orders:pay": "Pay for your orders"}, "claims": {"groups": "groups"}, "lifetime": None}
    changed = api.patch(PATH, {**patch, "introspected_by": []}).json
    assert changed["scopes"] == {"orders:read": "See your orders", "orders:pay": "Pay for your orders"}
    assert changed["claims"] == {"roles": "roles", "groups": "groups"}
    assert (changed["lifetime"], changed["introspected_by"], changed["version"]) == (None, [], 2)


def test_an_empty_patch_changes_nothing(api: Caller, made: dict[str, Any]) -> None:
    assert api.patch(PATH, {}).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"lifetime": 59}, "#/lifetime"),
        ({"lifetime": 86401}, "#/lifetime"),
        ({"format": "saml"}, "#/format"),
        ({"alg": "HS256"}, "#/alg"),
        ({"scopes": {"openid": "Sign in"}}, "#/scopes"),
        ({"scopes": {"a b": "Blank"}}, "#/scopes"),
        ({"claims": {"sub": "email"}}, "#/claims"),
        ({"introspected_by": ["nobody"]}, "#/introspected_by"),
        ({"name": "\n"}, "#/name"),
        ({"identifier": "https://other.example.com"}, "#/identifier"),
        ({"managed_by": ""}, "#/managed_by"),
        ({"version": 7}, "#/version"),
        ({"token_format": "jwt"}, "#/token_format"),
    ],
)
def test_a_value_that_cannot_be_taken_is_pointed_at(api: Caller, made: dict[str, Any], changes: dict[str, Any], pointer: str) -> None:
    answer = api.patch(PATH, changes)
    assert (answer.status, code_of(answer)) == (422, "invalid")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
    assert api.get(PATH).json == made


def test_an_identifier_is_taken_once(api: Caller, made: dict[str, Any]) -> None:
    answer = api.post("/apis", {"identifier": IDENTIFIER, "name": "Again"})
    assert (answer.status, code_of(answer)) == (409, "conflict")


def test_an_api_that_a_client_asks_for_stays(api: Caller, made: dict[str, Any]) -> None:
    client = api.post("/clients", {"kind": "service", "client_name": "Billing", "apis": [IDENTIFIER], "scope": "orders:read"}).json
    for answer in (api.delete(PATH), api.patch(PATH, {"scopes": {"orders:read": None}})):
        assert (answer.status, code_of(answer)) == (409, "conflict")
        assert client["client_id"] in answer.json["detail"]
    api.delete(at("clients", client["client_id"]))
    assert api.delete(PATH).status == 204
    assert api.get(PATH).status == 404


def test_our_own_api_cannot_be_changed_from_outside(api: Caller) -> None:
    path = at("apis", AUDIENCE)
    before = api.get(path).json
    assert before["scopes"] == PERMISSIONS
    for answer in (api.patch(path, {"scopes": {"everything": "Everything"}}), api.delete(path)):
        assert (answer.status, code_of(answer)) == (409, "conflict")
    assert api.get(path).json == before
