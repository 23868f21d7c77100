"""Which consumer takes which token of ours, and why it refuses the others: one table, asserted."""

from collections.abc import Mapping

import pytest

from tests.aws_consumers.consumers import Take, make_consumers
from tests.aws_consumers.tokens import Refused
from tests.aws_consumers.world import World

CONSUMERS = ("HTTP API", "REST API", "STS", "identity pool", "user pool", "AppSync", "load balancer", "our authorizer")

TABLE = """
                         | HTTP API  | REST API  | STS       | identity pool | user pool | AppSync   | load balancer | our authorizer
ID token, RS256          | audience  | audience  | taken     | taken         | taken     | taken     | taken         | type
ID token, ES256          | algorithm | audience  | taken     | taken         | taken     | taken     | taken         | type
ID token, PS256          | algorithm | algorithm | algorithm | algorithm     | algorithm | taken     | taken         | type
ID token, Ed25519        | algorithm | algorithm | algorithm | algorithm     | algorithm | algorithm | taken         | type
refreshed ID token       | audience  | audience  | taken     | taken         | nonce     | taken     | taken         | type
a user's, RS256          | taken     | taken     | audience  | audience      | audience  | audience  | audience      | taken
a user's, ES256          | algorithm | taken     | audience  | audience      | audience  | audience  | audience      | taken
a user's, PS256          | algorithm | algorithm | algorithm | algorithm     | algorithm | audience  | audience      | taken
a user's, Ed25519        | algorithm | algorithm | algorithm | algorithm     | algorithm | algorithm | audience      | taken
a user's, without openid | taken     | taken     | audience  | audience      | audience  | audience  | audience      | taken
refreshed, of a user     | taken     | taken     | audience  | audience      | audience  | audience  | audience      | taken
a service's, RS256       | taken     | taken     | audience  | audience      | audience  | audience  | audience      | taken
a service's, ES256       | algorithm | taken     | audience  | audience      | audience  | audience  | audience      | taken
a service's, PS256       | algorithm | algorithm | algorithm | algorithm     | algorithm | audience  | audience      | taken
a service's, Ed25519     | algorithm | algorithm | algorithm | algorithm     | algorithm | algorithm | audience      | taken
a user's, opaque         | form      | form      | form      | form          | form      | form      | form          | form
a service's, opaque      | form      | form      | form      | form          | form      | form      | form          | form
refresh token            | form      | form      | form      | form          | form      | form      | form          | form
"""


def expected() -> dict[str, dict[str, str]]:
    """The table by kind of token and consumer."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines()]
    assert tuple(head[1:]) == CONSUMERS
    return {row[0]: dict(zip(CONSUMERS, row[1:], strict=True)) for row in rows}


def outcome(take: Take, token: str) -> str:
    try:
        take(token)
    except Refused as refused:
        return refused.reason
    return "taken"


@pytest.fixture(scope="session")
def consumers(world: World) -> Mapping[str, Take]:
    assert world.tokens
    client_ids = tuple(made.client_id for made in world.clients.values())
    return make_consumers(world.internet(), world.clock.timestamp, client_ids)


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_consumer_takes_what_the_table_says_and_nothing_else(world: World, consumers: Mapping[str, Take], consumer: str) -> None:
    found = {kind: outcome(consumers[consumer], token) for kind, token in world.tokens.items()}
    assert found == {kind: row[consumer] for kind, row in expected().items()}


def test_the_default_algorithm_is_the_one_that_every_consumer_takes() -> None:
    for consumer in CONSUMERS:
        assert "taken" in {expected()[kind][consumer] for kind in ("ID token, RS256", "a user's, RS256", "a service's, RS256")}
