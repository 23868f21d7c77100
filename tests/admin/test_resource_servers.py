"""What an operator does with APIs."""

import pytest

from authserver.admin.clients import create_client, delete_client, get_client, update_client_metadata
from authserver.admin.documents import resource_server_document
from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.resource_servers import (
    change_resource_server,
    create_resource_server,
    delete_resource_server,
    every_resource_server,
    get_resource_server,
)
from authserver.store.resource_server import update_resource_server
from tests.factories import API, ISSUER, make_client, make_resource_server

SCOPES = {"orders:read": "See your orders", "orders:write": "Place orders"}


def test_an_api_has_defaults(act, events):
    act(create_resource_server, API, "Orders", {"scopes": SCOPES})
    document = resource_server_document(act(get_resource_server, API))
    assert document == {
        "identifier": API,
        "name": "Orders",
        "scopes": SCOPES,
        "format": "jwt",
        "alg": "RS256",
        "lifetime": None,
        "claims": {},
        "introspected_by": [],
        "managed_by": "",
        "version": 1,
        "created_at": "2026-12-01T12:00:00Z",
        "updated_at": "2026-12-01T12:00:00Z",
    }
    assert events("api.create")[0].details["identifier"] == API


def test_an_api_s_tokens_are_as_it_wants_them(act, runtime):
    made = make_client(runtime, "service", client_id="gateway")
    values = {
        "token_format": "opaque",
        "signing_alg": "ES256",
        "token_lifetime_seconds": 300,
        "claims": {"roles": "roles", "https://example.com/department": "department"},
        "introspected_by": [made.client_id, made.client_id],
    }
    api = act(create_resource_server, "urn:example:orders", "Orders", values)
    assert (api.token_format, api.signing_alg, api.token_lifetime_seconds) == ("opaque", "ES256", 300)
    assert api.claims == values["claims"]
    assert api.introspected_by == ["gateway"]


@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize("identifier", ["", "orders", "//api.example.com", "https://api.example.com/#x", "https://a b", "https:", ISSUER])
def test_an_identifier_is_an_absolute_uri_without_fragment(act, identifier):
    with pytest.raises(Invalid) as refused:
        act(create_resource_server, identifier, "Orders", {})
    assert refused.value.field == "identifier"


def test_an_identifier_is_used_once(act):
    act(create_resource_server, API, "Orders", {})
    with pytest.raises(Conflict):
        act(create_resource_server, API, "Orders", {})


BAD = [
    *(("scopes", value) for value in ("read", ["read"], {"openid": "x"}, {"offline_access": "x"}, {"a b": "x"}, {"": "x"}, {'a"b': "x"})),
    *(("scopes", value) for value in ({"read": ""}, {"read": 5}, {"read": "a\nb"}, {5: "x"}, dict.fromkeys(map(str, range(201)), "x"))),
    *(("claims", value) for value in (["roles"], {"sub": "x"}, {"aud": "x"}, {"scope": "x"}, {"exp": "x"}, {"cnf": "x"}, {"a b": "x"})),
    *(("claims", value) for value in ({"roles": 5}, {"roles": ""}, {5: "x"}, dict.fromkeys(map(str, range(51)), "x"))),
    *(("introspected_by", value) for value in ("gateway", [5], ["nobody"], ["public"])),
    *(("token_lifetime_seconds", value) for value in (59, 86401, "600", True, 1.5)),
    *(("token_format", value) for value in ("JWT", None, 5, ["jwt"])),
    *(("signing_alg", value) for value in ("HS256", "none", None, ["RS256"])),
    *(("name", value) for value in ("", None, "a\nb")),
    ("identifier", "https://other.example.com"),
    ("colour", "red"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_an_api_cannot_be_is_refused_by_the_name_of_its_field(act, runtime, field, value):
    make_client(runtime, "spa", client_id="public")
    act(create_resource_server, API, "Orders", {})
    with pytest.raises(Invalid) as refused:
        act(change_resource_server, API, {field: value})
    assert refused.value.field == field


def test_an_api_changes(act, events):
    act(create_resource_server, API, "Orders", {"scopes": SCOPES, "token_lifetime_seconds": 300})
    api = act(change_resource_server, API, {"name": "Sales", "token_lifetime_seconds": None})
    assert (api.name, api.token_lifetime_seconds, api.version, dict(api.scopes)) == ("Sales", None, 2, SCOPES)
    before, after = {"name": "Orders", "lifetime": 300}, {"name": "Sales", "lifetime": None}
    assert events("api.update")[0].details == {"identifier": API, "before": before, "after": after}


def test_a_scope_that_a_client_has_cannot_go(act, runtime):
    make_resource_server(runtime)
    client_id = act(create_client, "service", "Billing", {"apis": [API], "scope": "read"}).client.client_id
    with pytest.raises(Conflict, match=client_id):
        act(change_resource_server, API, {"scopes": {"write": "Write"}})
    act(change_resource_server, API, {"scopes": {"read": "Read"}})
    act(update_client_metadata, client_id, {"scope": None})
    act(change_resource_server, API, {"scopes": {}})


def test_an_api_that_a_client_may_ask_for_cannot_go(act, runtime, events):
    make_resource_server(runtime)
    client_id = act(create_client, "service", "Billing", {"apis": [API]}).client.client_id
    with pytest.raises(Conflict, match=client_id):
        act(delete_resource_server, API)
    act(update_client_metadata, client_id, {"apis": []})
    act(delete_resource_server, API)
    with pytest.raises(NotFound):
        act(get_resource_server, API)
    assert events("api.delete")[0].details["identifier"] == API


def test_what_is_not_there_is_not_found(act):
    for ask in (get_resource_server, delete_resource_server, lambda *about: change_resource_server(*about, {"name": "x"})):
        with pytest.raises(NotFound, match="no API"):
            act(ask, API)


def test_two_changes_at_once_conflict(act, operating, monkeypatch):
    act(create_resource_server, API, "Orders", {})
    with operating() as operation:
        api = get_resource_server(operation, API)
        update_resource_server(operation.db, API, api.version, {"name": "Other"})
        monkeypatch.setattr("authserver.admin.resource_servers.get_resource_server", lambda *_: api)
        with pytest.raises(Conflict, match="meanwhile"):
            change_resource_server(operation, API, {"name": "x"})


def test_a_deleted_client_introspects_no_more(act, runtime):
    for client_id in ("gateway", "proxy"):
        make_client(runtime, "service", client_id=client_id)
    act(create_resource_server, API, "Orders", {"introspected_by": ["gateway", "proxy"]})
    act(create_resource_server, API + "/2", "Orders", {"introspected_by": ["proxy"]})
    act(delete_client, "gateway")
    with pytest.raises(NotFound):
        act(get_client, "gateway")
    assert act(get_resource_server, API).introspected_by == ["proxy"]


def test_all_apis_are_listed(operating, runtime):
    for number in range(101):
        make_resource_server(runtime, f"https://api{number:03}.example.com")
    with operating() as operation:
        assert len(list(every_resource_server(operation))) == 101
