"""examples/serverless, deployed into an emulation of API Gateway; and the same file with the mistakes of samples that circulate."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws_consumers.node_lambda import NodeLambda
from tests.aws_consumers.stages import ServerlessApi
from tests.aws_consumers.tokens import Refused
from tests.aws_consumers.world import World
from tests.factories import Made, make_resource_server

pytestmark = pytest.mark.node

FOLDER = Path(__file__).parent.parent.parent / "examples" / "serverless"
CONFIG = yaml.safe_load((FOLDER / "serverless.yml").read_text())
NOTES = "https://notes.example.com"

Deploy = Callable[..., ServerlessApi]


@pytest.fixture(scope="session")
def notes(world: World) -> Made:
    """The API of the example, and a client of it."""
    make_resource_server(world.runtime, NOTES, scopes={"notes:read": "Read your notes", "notes:write": "Change your notes"})
    return world.client(apis=[NOTES], consent="skipped")


@pytest.fixture(scope="module")
def functions(node: Any) -> Iterator[NodeLambda]:
    with NodeLambda(FOLDER / "notes.js") as running:
        yield running


@pytest.fixture
def deploy(world: World, notes: Made, functions: NodeLambda) -> Deploy:
    """Deploy the example, with members of its authorizer changed."""

    def make(**changes: Any) -> ServerlessApi:
        config = copy.deepcopy(CONFIG)
        config["provider"]["httpApi"]["authorizers"]["login"] |= changes
        return ServerlessApi(
            config, world.internet(), world.clock.timestamp, lambda handler, event: functions(handler.split(".")[1], event)
        )

    return make


@pytest.fixture(scope="module")
def tokens(world: World, notes: Made) -> dict[str, Any]:
    return world.party(notes).sign_in(world.person, scope="openid notes:read")


def test_the_example_lets_a_token_in_by_the_scope_of_each_route(world: World, deploy: Deploy, tokens: dict[str, Any], notes: Made) -> None:
    api, bearer = deploy(), f"Bearer {tokens['access_token']}"
    status, body = api.request("GET", "/notes", bearer)
    assert (status, json.loads(body)) == (200, {"for": world.person.subject, "notes": ["Buy milk"]})
    assert api.request("POST", "/notes", bearer) == (403, None)
    writer = world.party(notes).sign_in(world.person, scope="notes:write")["access_token"]
    status, body = api.request("POST", "/notes", f"Bearer {writer}", '{"note": "Feed the cat"}')
    assert (status, json.loads(body)) == (201, {"by": notes.client_id, "note": "Feed the cat"})


def test_the_example_keeps_every_other_token_out(deploy: Deploy, tokens: dict[str, Any], world: World) -> None:
    api = deploy()
    for token in (tokens["id_token"], tokens["refresh_token"], world.tokens["a user's, RS256"], ""):
        assert api.request("GET", "/notes", f"Bearer {token}") == (401, None)


def test_each_route_of_the_example_has_an_authorizer_and_a_scope(deploy: Deploy) -> None:
    """Without a scope, nothing at API Gateway tells an access token from an ID token."""
    assert [route["authorizer"]["scopes"] for _, route in deploy().routes.values()] == [["notes:read"], ["notes:write"]]


def test_a_slash_at_the_end_of_the_issuer_is_refused_when_it_is_deployed(deploy: Deploy) -> None:
    with pytest.raises(Refused, match="discovery"):
        deploy(issuerUrl="https://login.example.com/")


def test_a_client_id_as_audience_refuses_access_tokens(deploy: Deploy, tokens: dict[str, Any], notes: Made) -> None:
    """The samples' next step is to send the ID token instead, which only the route's scopes then keep out."""
    api = deploy(audience=[notes.client_id])
    assert api.request("GET", "/notes", f"Bearer {tokens['access_token']}")[0] == 401
    assert api.request("GET", "/notes", f"Bearer {tokens['id_token']}")[0] == 403
    del api.routes["GET /notes"][1]["authorizer"]["scopes"]
    assert api.request("GET", "/notes", f"Bearer {tokens['id_token']}")[0] == 200
