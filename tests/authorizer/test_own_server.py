"""Tokens that this project's own server issued, with its keys and its introspection over HTTP."""

import pytest

from authserver.authorizer.refusal import Unauthorized, Undecided
from tests.authorizer import forge
from tests.authorizer.conftest import Now
from tests.authorizer.events import SHAPES
from tests.factories import make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")


@pytest.fixture
def own(gate, served, clock):
    """An authorizer of the server's, that has its time."""

    class SameTime(Now):
        def __call__(self):
            return clock.now().timestamp()

    return lambda **settings: gate(SameTime(), **{"jwks": None, "jwks_url": f"{served}/.well-known/jwks.json", **settings})


@pytest.fixture
def introspecting(own, served, checker):
    values = {"introspection_url": f"{served}/oauth2/introspect", "introspection_client_id": checker.client_id}
    return lambda **settings: own(**{**values, "introspection_client_secret": checker.secret, **settings})


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_services_token_is_taken_in_every_shape(own, runtime, http, clock, alg):
    make_resource_server(runtime, forge.API, signing_alg=alg)
    service = RelyingParty(http, make_client(runtime, "service", apis=[forge.API]), clock=clock)
    token = service.client_credentials(scope="read").json["access_token"]
    checked = own(scopes="read")
    for shape in SHAPES.values():
        answer = checked.ask(token, shape)
        assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
        assert (answer["principalId"], answer["context"]["scope"]) == (service.made.client_id, "read")
    clock.advance(minutes=11)
    with pytest.raises(Unauthorized):
        checked.ask(token)
    assert checked.because == "expired"


@pytest.fixture
def person_tokens(runtime, http, clock):
    """The tokens of a person who signed in, for an API of the given form."""

    def sign_in(**api):
        if api:
            make_resource_server(runtime, forge.API, **api)
        party = RelyingParty(http, make_client(runtime, "web", apis=[forge.API]), clock=clock)
        return party, party.sign_in(make_user(runtime), scope="openid read offline_access")

    return sign_in


def test_of_a_persons_tokens_only_the_access_token_is_taken(own, person_tokens):
    _, tokens = person_tokens(signing_alg="ES256")
    checked = own()
    assert checked.ask(tokens["access_token"])
    for name in ("id_token", "refresh_token"):
        with pytest.raises(Unauthorized):
            checked.ask(tokens[name])
    with pytest.raises(Unauthorized):
        own(audience="https://another.example.com").ask(tokens["access_token"])


def test_an_id_token_is_refused_even_where_its_audience_is_ours(own, person_tokens):
    party, tokens = person_tokens(signing_alg="RS256")
    checked = own(audience=party.made.client_id)
    with pytest.raises(Unauthorized):
        checked.ask(tokens["id_token"])
    assert checked.because.startswith("typ is not at+jwt")


def test_an_opaque_token_is_introspected_and_believed_for_a_minute(introspecting, person_tokens, runtime, checker, clock):
    runtime.caches.resource_servers.clear()
    make_resource_server(runtime, "https://opaque.example.com", token_format="opaque", introspected_by=[checker.client_id])
    party = RelyingParty(person_tokens()[0].http.fresh(), make_client(runtime, "service", apis=["https://opaque.example.com"]), clock=clock)
    token = party.client_credentials(scope="read").json["access_token"]
    checked = introspecting(audience="https://opaque.example.com", scopes="read")
    answer = checked.ask(token)
    assert (answer["principalId"], answer["context"]["scope"]) == (party.made.client_id, "read")
    assert party.revoke(token).status == 200
    clock.advance(seconds=59)
    assert checked.ask(token)
    clock.advance(seconds=1)
    with pytest.raises(Unauthorized):
        checked.ask(token)
    assert checked.because == "not active"


def test_a_revoked_jwt_is_refused_after_the_time_that_was_set(introspecting, person_tokens, clock):
    party, tokens = person_tokens()
    checked = introspecting(check_revocation="true", introspection_lifetime="20")
    assert checked.ask(tokens["access_token"])
    party.revoke(tokens["refresh_token"])
    assert checked.ask(tokens["access_token"])
    clock.advance(seconds=20)
    with pytest.raises(Unauthorized):
        checked.ask(tokens["access_token"])
    assert checked.because == "not active"


def test_a_refresh_token_is_active_for_its_client_and_still_no_access_token(introspecting, person_tokens, served):
    party, tokens = person_tokens()
    own_client = {"introspection_client_id": party.made.client_id, "introspection_client_secret": party.made.secret}
    checked = introspecting(**own_client)
    with pytest.raises(Unauthorized):
        checked.ask(tokens["refresh_token"])
    assert checked.because == "another audience"


def test_wrong_client_credentials_decide_nothing(introspecting, person_tokens):
    _, tokens = person_tokens()
    checked = introspecting(introspection_client_secret="wrong", check_revocation="true")
    for _ in range(2):
        with pytest.raises(Undecided):
            checked.ask(tokens["access_token"])


def test_without_introspection_an_opaque_token_is_refused(own):
    checked = own()
    with pytest.raises(Unauthorized):
        checked.ask("opaque-token")
    assert checked.because == "opaque, and introspection is not set up"
