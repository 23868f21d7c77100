"""Keys change under consumers that keep them for hours: no token is refused for that (HTTP APIs: up to 2 h, others 1 h)."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.admin.keys import rotate
from authserver.admin.operation import Operation
from authserver.store.base import transaction
from tests.aws_consumers.gateway import HttpApiAuthorizer, RestApiAuthorizer
from tests.aws_consumers.test_table import outcome
from tests.aws_consumers.tokens import read
from tests.aws_consumers.web_identity import IamProvider, assume_role_with_web_identity
from tests.aws_consumers.world import APIS, World
from tests.factories import ISSUER


class Consumers:
    """Each consumer, set up at a moment of its own within the cache's life, so that one has the worst moment."""

    def __init__(self, world: World) -> None:
        self.world, self.service = world, world.party(world.client("service", apis=[APIS["RS256"]]))
        self.takes: list[Callable[[str], Any]] = []

    def add(self) -> None:
        """Set them up now, keys and all."""
        internet, now, audience = self.world.internet(), self.world.clock.timestamp, (APIS["RS256"],)
        iam = IamProvider(ISSUER, audience, internet, now)
        rest = RestApiAuthorizer({ISSUER: audience}, internet, now)
        added = [HttpApiAuthorizer(ISSUER, audience, internet, now).authorize, rest.authorize]
        self.takes += [*added, lambda token: assume_role_with_web_identity(iam, token)]
        self.outcomes(self.token())

    def token(self) -> str:
        answer = self.service.client_credentials(resource=APIS["RS256"])
        assert answer.status == 200, answer.text
        return str(answer.json["access_token"])

    def outcomes(self, token: str) -> set[str]:
        return {outcome(take, token) for take in self.takes}


def kid_of(token: str) -> str:
    return str(read(token)[0]["kid"])


def operate(world: World, **how: bool) -> None:
    with transaction(world.runtime.engine) as db:
        rotate(Operation(db, world.runtime), ("RS256",), **how)
    world.clock.advance(minutes=1)  # every process has the keys by then


def test_a_rotation_that_is_due_passes_unseen(own_world: World) -> None:
    world, consumers = own_world, Consumers(own_world)
    first = kid_of(consumers.token())
    world.clock.advance(days=89, hours=20)
    seen = []
    for _ in range(28):  # four hours before the 90 days are over, and ten after
        world.clock.advance(minutes=30)
        if len(consumers.takes) < 60:
            consumers.add()
        token = consumers.token()
        assert consumers.outcomes(token) == {"taken"}
        seen.append(kid_of(token))
    assert seen[0] == first != seen[-1]
    assert len(set(seen)) == 2


def test_an_announced_rotation_passes_unseen_whenever_keys_were_fetched(own_world: World) -> None:
    world, consumers = own_world, Consumers(own_world)
    first = kid_of(consumers.token())
    consumers.add()
    operate(world, announce=True)
    seen = set()
    for _ in range(8):
        world.clock.advance(minutes=25)
        token = consumers.token()
        assert consumers.outcomes(token) == {"taken"}
        seen.add(kid_of(token))
    assert len(seen) == 2
    assert first in seen


def test_an_emergency_rotation_is_seen_by_http_apis_for_up_to_two_hours(own_world: World) -> None:
    """Which shows that the tests above can fail, and is what docs and `keys rotate` say."""
    world, consumers = own_world, Consumers(own_world)
    consumers.add()
    operate(world)
    token = consumers.token()
    assert [outcome(take, token) for take in consumers.takes] == ["key", "taken", "taken"]
    world.clock.advance(hours=2)
    assert consumers.outcomes(consumers.token()) == {"taken"}


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_token_of_the_old_key_is_good_to_its_end(own_world: World, minutes: int) -> None:
    world, consumers = own_world, Consumers(own_world)
    token = consumers.token()
    operate(world)
    world.clock.advance(minutes=minutes)
    consumers.add()
    expected = {"taken"} if minutes == 0 else {"taken", "time"}  # IAM grants five minutes after the end
    assert consumers.outcomes(token) == expected
