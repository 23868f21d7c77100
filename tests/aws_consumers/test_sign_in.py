"""A load balancer and a Cognito user pool sign people in by our pages and endpoints, over real HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest

from authserver.store.base import transaction
from authserver.store.user import update_user
from tests.aws_consumers import load_balancer, user_pool
from tests.aws_consumers.internet import Internet
from tests.aws_consumers.load_balancer import LoadBalancer
from tests.aws_consumers.tokens import Refused, read
from tests.aws_consumers.user_pool import UserPool
from tests.aws_consumers.world import APIS, OPAQUE_API, World
from tests.factories import ISSUER, make_user

ALGORITHMS = ("RS256", "ES256", "PS256", "Ed25519")


@pytest.fixture
def balanced(world: World) -> Callable[..., LoadBalancer]:
    """Set a load balancer up, with a client as the guide says, changed by what is given."""

    def make(scope: str = "openid email", internet: Internet | None = None, **metadata: Any) -> LoadBalancer:
        as_guided = {"redirect_uris": [load_balancer.REDIRECT_URI], "require_pkce": False}
        made = world.client(**{**as_guided, **metadata})
        return LoadBalancer(ISSUER, made.client_id, str(made.secret), internet or world.internet(), world.clock.timestamp, scope)

    return make


@pytest.fixture
def pooled(world: World) -> Callable[..., UserPool]:
    """Set a user pool up, with a client as the guide says, changed by what is given."""

    def make(internet: Internet | None = None, method: str = "GET", **metadata: Any) -> UserPool:
        as_guided = {"redirect_uris": [user_pool.REDIRECT_URI], "require_pkce": False, "token_endpoint_auth_method": "client_secret_post"}
        made = world.client(**{**as_guided, **metadata})
        own = {"internet": internet or world.internet(), "now": world.clock.timestamp, "attributes_request_method": method}
        return UserPool(ISSUER, made.client_id, str(made.secret), **own)

    return make


def test_a_load_balancer_signs_a_person_in_and_tells_its_target(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    balancer = balanced()
    headers = balancer.finish(world.sign_in(balancer.begin()))
    data = headers["x-amzn-oidc-data"]
    claims = jwt.decode(data, balancer.key.public_key(), algorithms=["ES256"])
    assert claims == {"sub": world.person.subject, "email": world.person.email, "email_verified": True}
    header = jwt.get_unverified_header(data)
    assert (header["iss"], header["client"], header["signer"]) == (ISSUER, balancer.client_id, load_balancer.SIGNER)
    assert headers["x-amzn-oidc-identity"] == world.person.subject
    assert sorted(set(balancer.internet.asked)) == ["GET /.well-known/openid-configuration", "GET /oidc/userinfo", "POST /oauth2/token"]


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_load_balancer_takes_id_tokens_of_every_algorithm(world: World, balanced: Callable[..., LoadBalancer], alg: str) -> None:
    balancer = balanced(id_token_signed_response_alg=alg)
    assert balancer.finish(world.sign_in(balancer.begin()))["x-amzn-oidc-identity"] == world.person.subject


@pytest.mark.parametrize("api", [APIS["ES256"], OPAQUE_API])
def test_a_load_balancers_target_can_call_an_api(world: World, balanced: Callable[..., LoadBalancer], api: str) -> None:
    """Whatever kind of access token that API has, userinfo takes it."""
    balancer = balanced("openid read", apis=[api])
    token = balancer.finish(world.sign_in(balancer.begin()))["x-amzn-oidc-accesstoken"]
    assert token.startswith("at_") or read(token)[1]["aud"] == [api, ISSUER]


def test_a_load_balancers_client_must_be_exempt_from_pkce(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    balancer = balanced(require_pkce=True)
    with pytest.raises(Refused, match="invalid_request"):
        balancer.finish(world.sign_in(balancer.begin()))


def test_a_load_balancers_client_must_authenticate_by_basic(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    balancer = balanced(token_endpoint_auth_method="client_secret_post")
    with pytest.raises(Refused, match="invalid_client"):
        balancer.finish(world.sign_in(balancer.begin()))


def test_a_load_balancer_needs_userinfo_that_is_not_signed(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    balancer = balanced(userinfo_signed_response_alg="RS256")
    with pytest.raises(Refused, match="userinfo"):
        balancer.finish(world.sign_in(balancer.begin()))


def test_a_load_balancer_needs_openid_among_the_scopes(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    balancer = balanced("read", apis=[APIS["RS256"]])
    with pytest.raises(KeyError, match="id_token"):
        balancer.finish(world.sign_in(balancer.begin()))


def test_a_load_balancer_refuses_somebody_elses_userinfo(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    def another(path: str, document: Any) -> Any:
        return {**document, "sub": "somebody-else"} if path == "/oidc/userinfo" else document

    balancer = balanced(internet=world.internet(meddle=another))
    with pytest.raises(Refused, match="claim"):
        balancer.finish(world.sign_in(balancer.begin()))


def test_a_load_balancer_fails_where_the_claims_are_too_large(world: World, balanced: Callable[..., LoadBalancer]) -> None:
    def much(path: str, document: Any) -> Any:
        return {**document, "picture": "x" * 11_000} if path == "/oidc/userinfo" else document

    balancer = balanced(internet=world.internet(meddle=much))
    with pytest.raises(Refused, match="size"):
        balancer.finish(world.sign_in(balancer.begin()))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_user_pool_signs_a_person_in_and_keeps_their_attributes(world: World, pooled: Callable[..., UserPool], method: str) -> None:
    pool = pooled(method=method)
    user = pool.finish(world.sign_in(pool.begin()))
    assert user == {
        "username": f"authserver_{world.person.subject}",
        "email": world.person.email,
        "email_verified": "true",
        "name": "Ada Example",
    }
    asked = {"GET /.well-known/jwks.json", "GET /.well-known/openid-configuration", f"{method} /oidc/userinfo", "POST /oauth2/token"}
    assert set(pool.internet.asked) == asked


def test_a_person_stays_one_user_of_the_pool_when_their_address_changes(world: World, pooled: Callable[..., UserPool]) -> None:
    """The pool knows people by `sub` alone, and another person is another user."""
    pool, person = pooled(), make_user(world.runtime)
    before = pool.finish(world.sign_in(pool.begin(), person))
    user, moved = person.user, replace(person, email=f"new-{person.email}")
    with transaction(world.runtime.engine) as db:
        assert update_user(db, user.id, user.version, {"email": moved.email, "updated_at": world.runtime.now()})
    after = pool.finish(world.sign_in(pool.begin(), moved))
    assert after == {**before, "email": moved.email}
    assert pool.finish(world.sign_in(pool.begin()))["username"] != before["username"]
    assert len(pool.users) == 2


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_user_pool_takes_id_tokens_of_rs256_and_es256(world: World, pooled: Callable[..., UserPool], alg: str) -> None:
    pool = pooled(id_token_signed_response_alg=alg)
    if alg in ("RS256", "ES256"):
        assert pool.finish(world.sign_in(pool.begin()))["email"] == world.person.email
    else:
        with pytest.raises(Refused, match="algorithm"):
            pool.finish(world.sign_in(pool.begin()))


def test_a_user_pools_client_must_authenticate_by_post(world: World, pooled: Callable[..., UserPool]) -> None:
    pool = pooled(token_endpoint_auth_method="client_secret_basic")
    with pytest.raises(Refused, match="invalid_client"):
        pool.finish(world.sign_in(pool.begin()))


def test_a_user_pools_client_must_be_exempt_from_pkce(world: World, pooled: Callable[..., UserPool]) -> None:
    pool = pooled(require_pkce=True)
    with pytest.raises(Refused, match="invalid_request"):
        pool.finish(world.sign_in(pool.begin()))


def test_an_answer_is_taken_once_and_only_by_who_asked(world: World, pooled: Callable[..., UserPool]) -> None:
    pool, other = pooled(), pooled()
    address = world.sign_in(pool.begin())
    with pytest.raises(Refused, match="state"):
        other.finish(address)
    assert pool.finish(address)
    with pytest.raises(Refused, match="state"):
        pool.finish(address)
