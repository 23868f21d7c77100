"""The Lambda authorizers of examples/node-api behind API Gateway and its cache; and what goes wrong in samples that circulate."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.authorizer.events import http_2
from tests.aws_consumers.node_lambda import NodeLambda
from tests.aws_consumers.stages import Failed, HttpStage, RestStage
from tests.clock import Clock
from tests.factories import API
from tests.interop.conftest import EXAMPLES, NODE_FOLDER, OTHER_API, Provider

pytestmark = pytest.mark.node

TOKEN_AUTHORIZER = EXAMPLES / "node-api" / "authorizer.js"
HTTP_AUTHORIZER = EXAMPLES / "node-api" / "http-authorizer.js"
MISTAKES = NODE_FOLDER / "mistakes.cjs"
SHARED_SECRET = "a secret that every API of the company has, and its tests too"

Start = Callable[[Path], NodeLambda]


@pytest.fixture(scope="module")
def start(node: Any, provider: Provider) -> Iterator[Start]:
    """Start functions once per file: `start(file)`."""
    running: dict[Path, NodeLambda] = {}
    with ExitStack() as stack:

        def once(file: Path) -> NodeLambda:
            if file not in running:
                environment = {"ISSUER": provider.issuer, "AUDIENCE": API, "JWT_SECRET": SHARED_SECRET}
                running[file] = stack.enter_context(NodeLambda(file, **environment))
            return running[file]

        yield once


@pytest.fixture
def rest(start: Start, clock: Clock) -> Callable[..., RestStage]:
    """A REST API's stage: `rest(file, "name of the handler")`."""
    return lambda file, name: RestStage(lambda event: start(file)(name, event), clock.timestamp)


@pytest.fixture
def http(start: Start, clock: Clock) -> Callable[..., HttpStage]:
    """An HTTP API's stage."""
    return lambda file, name: HttpStage(lambda event: start(file)(name, event), clock.timestamp)


@pytest.fixture(scope="module")
def tokens(provider: Provider) -> dict[str, Any]:
    return provider.person_tokens()


def bad_tokens(provider: Provider, tokens: dict[str, Any]) -> list[str]:
    return [tokens["id_token"], tokens["refresh_token"], provider.expired_access_token, provider.service_token(resource=OTHER_API), "x"]


def test_the_token_authorizers_answer_serves_every_route_from_the_cache(
    rest: Callable[..., RestStage], clock: Clock, tokens: dict[str, Any]
) -> None:
    stage, bearer = rest(TOKEN_AUTHORIZER, "handler"), f"Bearer {tokens['access_token']}"
    assert [stage.request("GET", "/orders", bearer), stage.request("POST", "/orders/17", bearer)] == [200, 200]
    assert len(stage.kept) == 1
    clock.advance(minutes=6)
    assert stage.request("DELETE", "/", bearer) == 200


def test_the_token_authorizer_says_401_to_every_other_token(
    rest: Callable[..., RestStage], provider: Provider, tokens: dict[str, Any]
) -> None:
    stage = rest(TOKEN_AUTHORIZER, "handler")
    assert {stage.request("GET", "/orders", f"Bearer {token}") for token in bad_tokens(provider, tokens)} == {401}
    assert stage.request("GET", "/orders") == 401
    assert stage.kept == {}


def test_a_policy_for_one_method_turns_the_next_route_away(rest: Callable[..., RestStage], clock: Clock, tokens: dict[str, Any]) -> None:
    """The mistake that samples have had since 2016: each request is right, until the answer to another is in the cache."""
    stage, bearer = rest(MISTAKES, "onlyThisMethod"), f"Bearer {tokens['access_token']}"
    assert [stage.request("GET", "/orders", bearer), stage.request("GET", "/invoices", bearer)] == [200, 403]
    clock.advance(minutes=5)
    assert [stage.request("GET", "/invoices", bearer), stage.request("GET", "/orders", bearer)] == [200, 403]


def test_a_text_of_its_own_makes_a_500_of_an_expired_token(
    rest: Callable[..., RestStage], provider: Provider, tokens: dict[str, Any]
) -> None:
    """A client that refreshes its token at a 401 never learns that it should."""
    stage = rest(MISTAKES, "ownText")
    assert stage.request("GET", "/orders", f"Bearer {tokens['access_token']}") == 200
    assert stage.request("GET", "/orders", f"Bearer {provider.expired_access_token}") == 500


def test_a_shared_secret_verifies_none_of_our_tokens_and_lets_every_holder_make_them(
    rest: Callable[..., RestStage], tokens: dict[str, Any]
) -> None:
    stage = rest(MISTAKES, "sharedSecret")
    assert stage.request("GET", "/orders", f"Bearer {tokens['access_token']}") == 500
    made_by_an_api = jwt.encode({"sub": "anybody"}, SHARED_SECRET, "HS256")
    assert stage.request("GET", "/orders", f"Bearer {made_by_an_api}") == 200


def test_the_http_authorizer_answers_simply_and_for_every_route(
    http: Callable[..., HttpStage], provider: Provider, tokens: dict[str, Any]
) -> None:
    stage, bearer = http(HTTP_AUTHORIZER, "handler"), f"Bearer {tokens['access_token']}"
    assert [stage.request("GET", "/orders", bearer), stage.request("POST", "/orders/17", bearer)] == [200, 200]
    assert (stage.context["sub"], stage.context["scope"]) == (provider.person.subject, "openid profile email read")


def test_the_http_authorizer_refuses_every_other_token(
    http: Callable[..., HttpStage], start: Start, provider: Provider, tokens: dict[str, Any]
) -> None:
    stage = http(HTTP_AUTHORIZER, "handler")
    assert {stage.request("GET", "/orders", f"Bearer {token}") for token in bad_tokens(provider, tokens)} == {403}
    for headers in ({}, {"authorization": ""}, {"Authorization": f"Bearer {tokens['access_token']}"}, None):
        assert start(HTTP_AUTHORIZER)("handler", {**http_2(""), "headers": headers}) == {"isAuthorized": False}


def test_a_header_with_a_capital_letter_is_never_there_in_payload_2(
    http: Callable[..., HttpStage], start: Start, tokens: dict[str, Any]
) -> None:
    bearer = f"Bearer {tokens['access_token']}"
    assert http(MISTAKES, "capitalHeader").request("GET", "/orders", bearer) == 500
    with pytest.raises(Failed, match="undefined"):
        start(MISTAKES)("capitalHeader", http_2(bearer))
