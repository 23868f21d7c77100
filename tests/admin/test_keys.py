"""Keys that an operator rotates, drops and seals anew."""

from collections import Counter
from datetime import timedelta

import pytest

from authserver.admin.errors import Conflict, Invalid
from authserver.admin.keys import ensure_needed_keys, key_documents, reseal, rotate
from authserver.crypto.key_ring import REFRESH
from authserver.crypto.sealing import SealBroken
from authserver.runtime.keys import KeyEncryptionKeys
from authserver.store.base import transaction
from authserver.store.signing_key import list_keys, signing_keys
from tests.factories import API, SECRET_KEY, make_client, make_resource_server, make_settings, make_test_runtime, make_user
from tests.relying_party import RelyingParty

NEW_KEY = "B" * 43


def states(act, alg="RS256"):
    return [document["state"] for document in act(key_documents) if document["alg"] == alg]


@pytest.fixture
def rp(runtime, http, clock):
    make_resource_server(runtime)
    made = make_client(runtime, "web", apis=[API], grant_types=["authorization_code", "refresh_token", "client_credentials"])
    return RelyingParty(http, made, clock=clock)


def kid_of(answer):
    import jwt

    return jwt.get_unverified_header(answer.json["access_token"])["kid"]


def test_keys_are_described_without_their_secrets(act):
    documents = act(key_documents)
    assert Counter(document["state"] for document in documents) == {"signing": 5}
    assert set(documents[0]) == {"kid", "alg", "state", "created_at", "signs_from", "retired_at", "removed_at"}


def test_an_emergency_rotation_signs_at_once_and_keeps_the_old_key_published(act, rp, clock, runtime, events):
    before = kid_of(rp.client_credentials())
    old = rp.client_credentials().json["access_token"]
    clock.advance(seconds=61)
    assert act(rotate, ("RS256",)) == ["RS256"]
    clock.advance(seconds=61)
    assert kid_of(rp.client_credentials()) != before
    assert before in rp.served_keys()
    assert rp.is_active(old)
    assert states(act) == ["retired", "signing"]
    assert states(act, "ES256") == ["signing"]
    clock.advance(hours=4)
    assert before not in rp.served_keys()
    assert events("keys.rotate")[0].details == {"algs": ["RS256"], "announced": False, "revoked": False}


def test_an_announced_rotation_signs_after_the_announcement(act, rp, clock):
    before = kid_of(rp.client_credentials())
    act(rotate, ("RS256",), announce=True)
    clock.advance(seconds=61)
    assert kid_of(rp.client_credentials()) == before
    assert len([kid for kid in rp.served_keys() if kid.startswith("rs256")]) == 2
    assert states(act) == ["signing", "announced"]
    with pytest.raises(Conflict, match="announced already"):
        act(rotate, ("RS256",), announce=True)
    clock.advance(seconds=9000)
    assert kid_of(rp.client_credentials()) != before
    assert states(act) == ["retired", "signing"]


def test_an_emergency_rotation_takes_the_key_that_is_announced(act, rp, clock):
    act(rotate, ("RS256",), announce=True)
    clock.advance(seconds=61)
    announced = next(document["kid"] for document in act(key_documents) if document["state"] == "announced")
    act(rotate, ("RS256",))
    clock.advance(seconds=61)
    assert kid_of(rp.client_credentials()) == announced
    assert states(act) == ["retired", "signing"]


def test_a_revoked_key_s_tokens_are_good_no_more(act, rp, clock, runtime):
    tokens = rp.sign_in(make_user(runtime), scope="openid offline_access")
    act(rotate, ("RS256",), announce=True)
    clock.advance(seconds=1)
    act(rotate, revoke=True)
    clock.advance(seconds=61)
    assert not rp.is_active(tokens["access_token"])
    assert rp.refresh(tokens["refresh_token"]).status == 400
    *before, now = states(act)
    assert now == "signing"
    assert set(before) <= {"removed"}
    assert rp.is_active(rp.client_credentials().json["access_token"])


def test_a_refresh_key_rotates_without_ending_refresh_tokens(act, rp, clock, runtime):
    tokens = rp.sign_in(make_user(runtime), scope="openid offline_access")
    clock.advance(seconds=1)
    act(rotate, (REFRESH,))
    clock.advance(seconds=61)
    assert rp.refresh(tokens["refresh_token"]).status == 200
    assert states(act, REFRESH) == ["retired", "signing"]


def test_all_algorithms_rotate_where_none_is_named(act, clock):
    clock.advance(seconds=1)
    assert act(rotate) == ["ES256", "Ed25519", "PS256", "RS256", "refresh"]
    assert Counter(document["state"] for document in act(key_documents)) == {"signing": 5, "retired": 5}


@pytest.mark.parametrize("alg", ["HS256", "none", ""])
def test_an_algorithm_that_is_not_ours_is_refused(act, alg):
    with pytest.raises(Invalid) as refused:
        act(rotate, (alg,))
    assert refused.value.field == "alg"


def test_rotating_makes_the_first_key_of_an_algorithm(act, operating):
    with operating() as operation:
        operation.db.execute(signing_keys.delete())
    assert act(rotate, ("ES256",)) == ["ES256"]
    assert states(act, "ES256") == ["signing"]


def test_the_keys_that_are_needed_are_made(act, operating, runtime):
    with operating() as operation:
        operation.db.execute(signing_keys.delete())
    make_resource_server(runtime, signing_alg="Ed25519")
    act(ensure_needed_keys)
    act(ensure_needed_keys)
    assert sorted(document["alg"] for document in act(key_documents)) == ["Ed25519", "RS256", "refresh"]


def test_a_successor_that_is_due_is_announced(act, clock):
    clock.advance(days=90)
    act(ensure_needed_keys)
    assert states(act) == ["signing", "announced"]


@pytest.mark.spec("NIST SP 800-57 part 1", "8")
def test_keys_are_sealed_anew_under_the_first_secret_key(settings, clock, runtime, operating, events):
    both = make_test_runtime(make_settings(database_url=settings.database_url, secret_key=(NEW_KEY, SECRET_KEY)), clock)
    only_new = make_test_runtime(make_settings(database_url=settings.database_url, secret_key=(NEW_KEY,)), clock)
    from authserver.admin.operation import Operation

    with transaction(only_new.engine) as db, pytest.raises(SealBroken, match="AUTHSERVER_SECRET_KEY"):
        reseal(Operation(db, only_new))
    for resealed in (5, 0):
        with transaction(both.engine) as db:
            assert reseal(Operation(db, both)) == resealed
    with transaction(only_new.engine) as db:
        assert len(key_documents(Operation(db, only_new))) == 5
    with transaction(runtime.engine) as db, pytest.raises(SealBroken):
        key_documents(Operation(db, make_test_runtime(settings, clock)))
    assert sorted(event.details["keys"] for event in events("keys.reseal")) == [0, 5]
    for each in (both, only_new):
        each.engine.dispose()


def test_no_key_is_stored_in_clear(runtime, operating):
    keys = KeyEncryptionKeys((SECRET_KEY,))
    with operating() as operation:
        for row in list_keys(operation.db):
            assert row.sealed.startswith(keys.current()[0].encode())
            assert b"PRIVATE KEY" not in row.sealed
            assert "d" not in row.public
            assert row.removed_at is None or row.removed_at > row.signs_at + timedelta(0)
