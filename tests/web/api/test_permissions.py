"""Who may do what: every endpoint with every scope and every role, and only the declared cells are open."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.admin.authority import GRANTED, PERMISSIONS, ROLES
from authserver.runtime import Runtime
from authserver.web.api.resource import Endpoint
from tests.http_client import InProcess
from tests.web.api.conftest import ALL, Caller, code_of
from tests.web.api.examples import EXAMPLES, World, endpoints

pytestmark = pytest.mark.usefixtures("untraced")

ENDPOINTS = list(endpoints())
each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)


@pytest.fixture
def world(runtime: Runtime, http: InProcess) -> World:
    return World(runtime, http)


def send(endpoint: Endpoint, world: World, caller: Caller) -> Any:
    return EXAMPLES[endpoint.name](world).send(caller, endpoint.method)


def test_every_endpoint_has_an_example() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert set(names) == set(EXAMPLES)
    assert len(set(names)) == len(names)


def test_every_endpoint_declares_a_permission() -> None:
    assert {endpoint.permission for endpoint in ENDPOINTS} == set(PERMISSIONS)


@each_endpoint
def test_a_client_gets_in_with_the_declared_scope_alone(endpoint: Endpoint, world: World, caller: Callable[..., Caller]) -> None:
    for scope in PERMISSIONS:
        if scope != endpoint.permission:
            answer = send(endpoint, world, caller(scope))
            assert (answer.status, code_of(answer)) == (403, "insufficient-scope")
            assert f'error="insufficient_scope", scope="{endpoint.permission}"' in answer.headers["WWW-Authenticate"]
    assert opens(endpoint, send(endpoint, world, caller(endpoint.permission)))


@each_endpoint
def test_a_person_gets_in_as_far_as_the_role_goes(endpoint: Endpoint, world: World, person: Callable[..., Caller]) -> None:
    for role in (None, *ROLES):
        answer = send(endpoint, world, person(role))
        if endpoint.permission in GRANTED.get(role or "", ()):
            assert opens(endpoint, answer), f"{role}: {answer.text}"
        else:
            assert (answer.status, code_of(answer)) == (403, "forbidden"), role


def opens(endpoint: Endpoint, answer: Any) -> bool:
    """Tell whether the caller was let in. Without mail there is no password reset, whoever asks for one."""
    return answer.status == (409 if endpoint.name == "start_password_reset" else endpoint.status)


@each_endpoint
def test_nobody_gets_in_without_a_token(endpoint: Endpoint, world: World, http: InProcess) -> None:
    answer = send(endpoint, world, Caller(http))
    assert (answer.status, code_of(answer)) == (401, "no-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="admin API"'


@pytest.mark.spec("RFC 9470", "3")
@each_endpoint
def test_a_person_signs_in_anew_where_it_is_demanded(endpoint: Endpoint, world: World, person: Callable[..., Caller], clock: Any) -> None:
    owner = person("owner")
    clock.advance(minutes=5, seconds=1)
    answer = send(endpoint, world, owner)
    if not endpoint.fresh:
        assert opens(endpoint, answer)
        return
    assert (answer.status, code_of(answer)) == (401, "sign-in-too-old")
    assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
    assert 'max_age="300"' in answer.headers["WWW-Authenticate"]


def test_keys_secrets_and_roles_demand_a_recent_sign_in() -> None:
    fresh = {endpoint.name for endpoint in ENDPOINTS if endpoint.fresh}
    assert fresh == {"rotate_client_secret", "delete_client_secret", "set_user_role", "rotate_keys"}


def test_a_person_can_do_no_more_than_their_token_says(person: Callable[..., Caller]) -> None:
    owner = person("owner", "clients:read")
    assert owner.get("/clients").status == 200
    assert owner.post("/clients", {"kind": "service", "client_name": "Made"}).status == 403


def test_all_scopes_together_open_everything(world: World, api: Caller) -> None:
    assert set(ALL) == set(PERMISSIONS)
    assert [endpoint.name for endpoint in ENDPOINTS if not opens(endpoint, send(endpoint, world, api))] == []
