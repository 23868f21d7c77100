"""Scopes per route: decided by the route that API Gateway matched, and never opened further by a cached answer."""

import json

import pytest

from authserver.authorizer.refusal import SettingsError, Undecided
from authserver.authorizer.settings import read_settings
from tests.authorizer import forge
from tests.authorizer.events import STAGE, http_1, http_2, rest_request, rest_token, websocket
from tests.authorizer.test_events import effect

ROUTES = {"GET /orders/{id}": "read", "ANY /orders/{id}": "write", "GET /health": "", "$connect": "chat"}
requests = pytest.mark.parametrize("shape", [rest_request, http_1, http_2])


@pytest.fixture
def routed(gate):
    return lambda **settings: gate(**{"routes": json.dumps(ROUTES), **settings})


@requests
@pytest.mark.parametrize(
    ("scope", "method", "route", "allowed"),
    [
        ("read", "GET", "/orders/{id}", True),
        ("write", "GET", "/orders/{id}", False),
        ("read", "DELETE", "/orders/{id}", False),
        ("write", "DELETE", "/orders/{id}", True),
        (None, "GET", "/health", True),
        ("read write chat", "GET", "/admin", False),
        ("read write chat", "POST", "/health", False),
    ],
)
def test_a_route_needs_its_own_scopes_and_one_that_is_not_named_is_closed(routed, shape, scope, method, route, allowed):
    answer = routed().ask(forge.token(scope=scope), shape, method=method, route=route)
    assert effect(answer) == ("Allow" if allowed else "Deny", f"/{method}/orders/17")


@requests
def test_a_shared_answer_names_only_what_was_asked_and_one_cached_by_route_the_stage(routed, shape):
    assert effect(routed().ask(forge.token(), shape)) == ("Allow", "/GET/orders/17")
    assert effect(routed(cached_by_route="true").ask(forge.token(), shape)) == ("Allow", "/*")


@requests
@pytest.mark.parametrize("path", ["/orders/*", "/orders/?", "/orders/${x}"])
def test_a_path_that_means_more_in_a_policy_is_denied(routed, shape, path):
    assert effect(routed().ask(forge.token(), shape, path=path)) == ("Deny", f"/GET{path}")


@requests
def test_scopes_of_every_route_are_added(routed, shape):
    assert effect(routed(scopes="api").ask(forge.token(scope="read"), shape))[0] == "Deny"
    assert effect(routed(scopes="api").ask(forge.token(scope="read api"), shape))[0] == "Allow"


def test_the_default_route_serves_what_has_no_entry(gate):
    routes = json.dumps({"GET /orders/{id}": "read", "$default": "all"})
    simple = gate(routes=routes, simple_responses="true", cached_by_route="true")
    assert simple.ask(forge.token(scope="all"), http_2, route="$default")["isAuthorized"] is True
    assert simple.ask(forge.token(scope="read"), http_2, route="$default")["isAuthorized"] is False
    assert simple.ask(forge.token(scope="all"), http_2, route="/others")["isAuthorized"] is True
    assert simple.ask(forge.token(scope="read"), http_2, route="/others")["isAuthorized"] is False
    assert simple.ask(forge.token(scope="read"), http_2)["isAuthorized"] is True
    assert simple.ask(forge.token(scope="all"), http_2)["isAuthorized"] is False


def test_a_websocket_needs_the_scopes_of_connect_and_opens_the_stage(routed, gate):
    assert effect(routed().ask(forge.token(scope="chat"), websocket)) == ("Allow", "/*")
    assert effect(routed().ask(forge.token(scope="read"), websocket)) == ("Deny", "/$connect")
    assert effect(gate(routes='{"GET /x": ""}').ask(forge.token(), websocket)) == ("Deny", "/$connect")
    assert effect(gate(routes='{"$default": ""}').ask(forge.token(), websocket)) == ("Deny", "/$connect")


def test_an_event_without_a_route_is_closed_unless_there_is_a_default(routed):
    for shape, member in ((http_2, "requestContext"), (http_2, "routeKey"), (rest_request, "resource"), (http_1, "resource")):
        event = {**shape(f"Bearer {forge.token()}"), member: None}
        assert effect(routed().authorizer.decide(event))[0] == "Deny"


def test_a_token_authorizer_cannot_know_the_route(routed):
    checked = routed()
    with pytest.raises(Undecided):
        checked.ask(forge.token(), rest_token)
    assert checked.because == "AUTHORIZER_ROUTES needs an authorizer of type REQUEST"


def test_simple_responses_by_route_need_a_cache_by_route():
    base = {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API, "AUTHORIZER_ROUTES": json.dumps(ROUTES)}
    with pytest.raises(SettingsError, match="routeKey"):
        read_settings({**base, "AUTHORIZER_SIMPLE_RESPONSES": "true"})
    assert read_settings({**base, "AUTHORIZER_SIMPLE_RESPONSES": "true", "AUTHORIZER_CACHED_BY_ROUTE": "true"}).cached_by_route


@pytest.mark.parametrize("key", ["", "/orders", "get /orders", "GET orders", "TRACE /x", "GET /a b", "$disconnect", "*"])
def test_a_route_is_written_as_api_gateway_writes_it(key):
    base = {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API}
    with pytest.raises(SettingsError, match="AUTHORIZER_ROUTES"):
        read_settings({**base, "AUTHORIZER_ROUTES": json.dumps({key: "read"})})


def test_the_stage_is_never_what_somebody_asked_for(routed):
    path = "/x/arn:aws:execute-api:eu-west-1:123456789012:other/prod/GET/y"
    assert (
        routed(cached_by_route="true").ask(forge.token(), rest_request, path=path)["policyDocument"]["Statement"][0]["Resource"]
        == f"{STAGE}/*"
    )
