"""Tokens that an operator looks into."""

import pytest

from authserver.admin.errors import Invalid
from authserver.admin.grants import end_grants
from authserver.admin.tokens import inspect
from authserver.admin.users import disable_user
from tests.factories import API, make_client, make_key, make_resource_server, make_user
from tests.relying_party import RelyingParty


@pytest.fixture
def person(runtime):
    return make_user(runtime)


@pytest.fixture
def rp(runtime, http, clock):
    make_resource_server(runtime)
    return RelyingParty(http, make_client(runtime, "spa", apis=[API]), clock=clock)


@pytest.fixture
def tokens(rp, person):
    return rp.sign_in(person, scope="openid offline_access read")


def state(act, token):
    return act(inspect, token)["state"]


def test_an_access_token_is_good_then_expired(act, tokens, clock, person):
    found = act(inspect, tokens["access_token"])
    assert (found["kind"], found["state"]) == ("access token", "good")
    assert found["header"]["alg"] == "RS256"
    assert found["claims"]["sub"] == person.subject
    clock.advance(minutes=10)
    assert state(act, tokens["access_token"]) == "expired"


def test_a_revoked_access_token_says_why(act, tokens, person):
    act(disable_user, person.email)
    assert "grant revoked" in state(act, tokens["access_token"])


def test_an_id_token_is_verified_too(act, tokens, clock):
    found = act(inspect, tokens["id_token"])
    assert (found["kind"], found["state"]) == ("JWT", "good")
    clock.advance(hours=1)
    assert state(act, tokens["id_token"]) == "expired"


def test_a_forged_token_is_not_ours(act, tokens):
    head, body, signature = tokens["access_token"].split(".")
    assert "signature" in state(act, f"{head}.{body}.{signature[:-8]}AAAAAAAA")


def test_another_s_token_is_decoded_alone(act, rp):
    rp.made.client.metadata["token_endpoint_auth_method"] = "private_key_jwt"
    token = rp.assertion(key=make_key())
    found = act(inspect, token)
    assert found["state"] == "of another issuer, and so not verified"
    assert found["claims"]["iss"] == rp.made.client_id


def test_a_refresh_token_is_good_used_expired_or_revoked(act, tokens, rp, clock, person):
    token = tokens["refresh_token"]
    found = act(inspect, token)
    assert (found["kind"], found["state"], found["grant"]["client_id"]) == ("refresh token", "good", rp.made.client_id)
    newer = rp.refresh(token).json["refresh_token"]
    assert "used before" in state(act, token)
    assert state(act, newer) == "good"
    clock.advance(days=2)
    assert state(act, newer) == "expired"
    act(end_grants, person.email)
    assert "revoked by an operator" in state(act, newer)


def test_a_forged_refresh_token_is_not_ours(act, tokens):
    kid, family, generation, mac = tokens["refresh_token"].split(".")
    assert "not a refresh token" in state(act, f"{kid}.{family}.{generation}.{'A' * len(mac)}")
    unknown = act(inspect, f"{kid}.{'A' * len(family)}.{generation}.{mac}")
    assert (unknown["state"][:3], unknown["grant"]) == ("not", None)


def test_an_opaque_token_is_good_then_unknown(act, runtime, http, clock):
    make_resource_server(runtime, token_format="opaque")
    rp = RelyingParty(http, make_client(runtime, "service", apis=[API]), clock=clock)
    token = rp.client_credentials().json["access_token"]
    found = act(inspect, token)
    assert (found["kind"], found["state"], found["claims"]["client_id"]) == ("opaque access token", "good", rp.made.client_id)
    clock.advance(minutes=10)
    assert "expired" in state(act, token)
    assert act(inspect, "at_" + "A" * 43)["claims"] is None


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "a.b.c.d.e", "ä.ä.ä", "eyJ.eyJ.", "." * 20000])
def test_what_is_no_token_is_refused(act, token):
    with pytest.raises(Invalid) as refused:
        act(inspect, token)
    assert refused.value.field == "token"
    assert token[:10] not in refused.value.why or len(token) < 4
