"""What AWS checks of an issuer when a consumer is set up, and what a setting opens or closes."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.aws_consumers.appsync import AppSync
from tests.aws_consumers.gateway import HttpApiAuthorizer, RestApiAuthorizer
from tests.aws_consumers.load_balancer import LoadBalancer
from tests.aws_consumers.test_table import outcome
from tests.aws_consumers.tokens import Refused
from tests.aws_consumers.user_pool import UserPool
from tests.aws_consumers.web_identity import IamProvider, IdentityPool, assume_role_with_web_identity
from tests.aws_consumers.world import APIS, World
from tests.factories import ISSUER

SetUp = Callable[[World, str], object]
SET_UPS: dict[str, SetUp] = {
    "HTTP API": lambda world, issuer: HttpApiAuthorizer(issuer, (APIS["RS256"],), world.internet(), world.clock.timestamp),
    "REST API": lambda world, issuer: RestApiAuthorizer({issuer: (APIS["RS256"],)}, world.internet(), world.clock.timestamp),
    "IAM": lambda world, issuer: IamProvider(issuer, ("a-client",), world.internet(), world.clock.timestamp),
    "AppSync": lambda world, issuer: AppSync(issuer, world.internet(), world.clock.timestamp),
    "user pool": lambda world, issuer: UserPool(issuer, "a-client", "a secret", world.internet(), world.clock.timestamp),
    "load balancer": lambda world, issuer: LoadBalancer(issuer, "a-client", "a secret", world.internet(), world.clock.timestamp),
}


@pytest.mark.parametrize("consumer", SET_UPS)
def test_a_consumer_is_set_up_with_the_issuer_and_nothing_but_it(world: World, consumer: str) -> None:
    """Not even a slash more: the samples that end `issuerUrl` with one are about another product, whose issuer does."""
    assert SET_UPS[consumer](world, ISSUER)
    for wrong in (f"{ISSUER}/", ISSUER.replace("https", "http"), f"{ISSUER}:443", f"{ISSUER}/dev", ISSUER.upper(), f"{ISSUER}?a=b"):
        with pytest.raises(Refused, match=r"discovery|issuer"):
            SET_UPS[consumer](world, wrong)


def test_an_iam_provider_has_between_one_and_a_hundred_short_client_ids(world: World) -> None:
    for wrong in ((), tuple(map(str, range(101))), ("x" * 256,)):
        with pytest.raises(Refused, match="audience"):
            IamProvider(ISSUER, wrong, world.internet(), world.clock.timestamp)


@pytest.mark.parametrize(("alg", "expected"), [("RS256", "taken"), ("ES256", "taken"), ("PS256", "algorithm")])
def test_a_service_gets_aws_credentials_by_an_api_that_stands_for_them(world: World, alg: str, expected: str) -> None:
    """IAM's "audience" is then the API's identifier, and the trust policy names the service as `sub`."""
    token = world.tokens[f"a service's, {alg}"]
    provider = IamProvider(ISSUER, (APIS[alg],), world.internet(), world.clock.timestamp)
    assert outcome(lambda token: assume_role_with_web_identity(provider, token), token) == expected


def test_a_trust_policy_lets_one_service_in_and_no_other(world: World) -> None:
    provider = IamProvider(ISSUER, (APIS["RS256"],), world.internet(), world.clock.timestamp)
    token = world.tokens["a service's, RS256"]
    known = assume_role_with_web_identity(provider, token)
    assert known["Provider"] == "oidc-provider/login.example.com"
    assert assume_role_with_web_identity(provider, token, condition={"sub": known["SubjectFromWebIdentityToken"]})
    with pytest.raises(Refused, match="trust policy"):
        assume_role_with_web_identity(provider, token, condition={"sub": "another-service"})


def test_an_identity_pool_knows_a_person_again_by_any_of_their_id_tokens(world: World) -> None:
    pool = IdentityPool(IamProvider(ISSUER, (client_of(world, "RS256"),), world.internet(), world.clock.timestamp))
    first, renewed = (pool.get_id({"login.example.com": world.tokens[kind]}) for kind in ("ID token, RS256", "refreshed ID token"))
    assert first == renewed
    with pytest.raises(Refused, match="provider"):
        pool.get_id({ISSUER: world.tokens["ID token, RS256"]})


def client_of(world: World, alg: str) -> str:
    assert world.tokens
    return world.clients[alg].client_id


CLIENT_IDS = [
    (None, ["taken", "taken", "taken"]),
    ("web-.*", ["taken", "audience", "audience"]),
    (re.escape(APIS["RS256"]), ["audience", "taken", "audience"]),
]


@pytest.mark.parametrize(("client_id", "expected"), CLIENT_IDS)
def test_appsyncs_client_id_says_which_tokens_it_takes(world: World, client_id: str | None, expected: list[str]) -> None:
    """A client's id lets its ID tokens in, an API's identifier its access tokens; without one, all of the issuer's pass."""
    appsync = AppSync(ISSUER, world.internet(), world.clock.timestamp, client_id=client_id)
    kinds = ("ID token, RS256", "a user's, RS256", "a service's, ES256")
    assert [outcome(appsync.authorize, world.tokens[kind]) for kind in kinds] == expected


@pytest.mark.parametrize(
    ("claims", "expected"), [({"tier": "gold"}, "taken"), ({"tier": "silver"}, "claim"), ({"roles": "editor"}, "claim")]
)
def test_a_rest_apis_claim_rules_compare_single_texts(world: World, claims: dict[str, Any], expected: str) -> None:
    """A list, such as roles, never matches: what a rule should look at is an attribute with one text."""
    gateway = RestApiAuthorizer({ISSUER: (APIS["RS256"],)}, world.internet(), world.clock.timestamp, claims)
    assert outcome(gateway.authorize, world.tokens["a user's, RS256"]) == expected


def test_an_http_api_hands_claims_on_as_texts(world: World) -> None:
    gateway = HttpApiAuthorizer(ISSUER, (APIS["RS256"],), world.internet(), world.clock.timestamp)
    claims = gateway.authorize(world.tokens["a user's, RS256"], ["read", "admin"])
    assert claims["scope"] == "openid email read"
    assert claims["aud"] == f"[{APIS['RS256']} {ISSUER}]"
    assert (claims["roles"], claims["tier"]) == ("[editor]", "gold")
    assert claims["exp"].isdecimal()
