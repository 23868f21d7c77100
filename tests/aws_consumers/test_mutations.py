"""A token that went wrong in one way is refused by everybody who would refuse it at AWS, and by nobody else."""

from collections.abc import Mapping

import pytest

from tests.aws_consumers.consumers import Take, make_consumers
from tests.aws_consumers.mutations import EVERYBODY, GATEWAYS, MUTATIONS
from tests.aws_consumers.test_table import outcome
from tests.aws_consumers.tokens import read
from tests.aws_consumers.world import FORGED, World

ACCESS, IDENTITY = "a user's, without openid", "ID token, RS256"


@pytest.fixture(scope="session")
def trusting(world: World) -> Mapping[str, Take]:
    """The consumers, to whom the keys of the tests are published beside the server's."""
    assert world.tokens
    return make_consumers(world.internet(added_keys=FORGED), world.clock.timestamp, (world.clients["RS256"].client_id,))


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_went_wrong_is_refused_for_just_that(world: World, trusting: Mapping[str, Take], name: str) -> None:
    found: dict[str, str] = {}
    for consumer, take in trusting.items():
        kind, typ = (ACCESS, "at+jwt") if consumer in GATEWAYS else (IDENTITY, "JWT")
        token = MUTATIONS[name].token(read(world.tokens[kind])[1], typ)
        found[consumer] = outcome(take, token)
    assert found == {consumer: MUTATIONS[name].refused_by.get(consumer, "taken") for consumer in EVERYBODY}


def test_an_id_token_whose_audience_is_the_api_has_no_scope_to_pass_by(world: World, trusting: Mapping[str, Take]) -> None:
    """What happens where an API is set up with a client's id as its audience, as samples have it."""
    claims = {**read(world.tokens[IDENTITY])[1], "aud": "https://rs256.example.com"}
    token = MUTATIONS["nothing"].token(claims, "JWT")
    assert {consumer: outcome(trusting[consumer], token) for consumer in GATEWAYS} == {
        "HTTP API": "scope",
        "REST API": "scope",
        "our authorizer": "type",
    }
