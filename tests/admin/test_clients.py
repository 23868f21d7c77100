"""What an operator does with clients."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from authserver.admin.client_secrets import rotate_secret
from authserver.admin.clients import (
    create_client,
    delete_client,
    disable_client,
    enable_client,
    every_client,
    get_client,
    update_client_metadata,
)
from authserver.admin.documents import client_document
from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.crypto.digest import digest
from authserver.store.base import transaction
from authserver.store.client import client_origins, client_secrets, update_client
from tests.factories import API, REDIRECT_URI, Made, jwks_of, make_client, make_key, make_resource_server, make_user
from tests.relying_party import RelyingParty

WEB = {"redirect_uris": [REDIRECT_URI]}


def test_a_web_client_gets_an_id_and_a_secret_of_256_bits(act, events):
    issued = act(create_client, "web", "Wiki", WEB)
    assert issued.client.client_id.startswith("web-")
    assert len(issued.secret) == 43
    assert issued.client.client_name == "Wiki"
    assert issued.client.metadata["redirect_uris"] == [REDIRECT_URI]
    (event,) = events()
    assert (event.action, event.actor, event.client_id, event.outcome) == ("client.create", "tester", issued.client.client_id, "ok")
    assert event.details["after"]["kind"] == "web"
    assert issued.secret not in str(event.details)


def test_of_a_secret_only_its_digest_is_stored(act, operating):
    issued = act(create_client, "web", "Wiki", WEB)
    with operating() as operation:
        (row,) = operation.db.execute(select(client_secrets)).all()
    assert bytes(row.digest) == digest(issued.secret)
    assert issued.secret not in str(row)
    document = client_document(act(get_client, issued.client.client_id))
    assert document["secrets"] == [{"id": "1796126400", "created_at": "2026-12-01T12:00:00Z", "expires_at": None, "last_used_on": None}]
    assert issued.secret not in str(document)
    assert digest(issued.secret).hex() not in str(document)


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_a_public_client_gets_no_secret(act, kind):
    assert act(create_client, kind, "App", WEB).secret is None


def test_a_client_with_keys_gets_no_secret(act):
    values = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks_of(make_key())}
    assert act(create_client, "service", "Billing", values).secret is None


def test_the_origins_of_a_spa_may_call(act, operating):
    issued = act(create_client, "spa", "App", {**WEB, "allowed_origins": ["capacitor://localhost"]})
    assert origins(operating) == ["capacitor://localhost", "https://app.example.org"]
    act(update_client_metadata, issued.client.client_id, {"redirect_uris": ["https://b.example/cb"], "allowed_origins": None})
    assert origins(operating) == ["https://b.example"]


def origins(operating):
    with operating() as operation:
        return sorted(operation.db.execute(select(client_origins.c.origin)).scalars())


def test_a_client_moves_in_with_its_id_and_secret(act, http, operating):
    secret = "the secret that it has elsewhere"
    issued = act(create_client, "service", "Billing", {}, client_id="billing@old", secret=secret)
    assert issued.client.client_id == "billing@old"
    assert issued.secret == secret


@pytest.mark.parametrize("client_id", ["", "a b", "ä", 'a"b', "a\\b", "a\n", "x" * 256])
def test_an_id_that_is_no_id_is_refused(act, client_id):
    with pytest.raises(Invalid) as refused:
        act(create_client, "web", "Wiki", WEB, client_id=client_id)
    assert refused.value.field == "client_id"


def test_an_id_is_used_once_and_never_a_user_s(act, runtime):
    act(create_client, "web", "Wiki", WEB, client_id="wiki")
    with pytest.raises(Conflict, match="already"):
        act(create_client, "web", "Wiki", WEB, client_id="wiki")
    with pytest.raises(Conflict, match="user"):
        act(create_client, "web", "Wiki", WEB, client_id=make_user(runtime).subject)


@pytest.mark.parametrize(("secret", "why"), [("short", "at least 20"), ("ä" * 20, "ASCII"), ("x" * 1025, "ASCII")])
def test_a_secret_that_moves_in_must_be_long(act, secret, why):
    with pytest.raises(Invalid, match=why) as refused:
        act(create_client, "web", "Wiki", WEB, secret=secret)
    assert refused.value.field == "secret"


def test_a_secret_belongs_to_one_client(act):
    act(create_client, "web", "Wiki", WEB, secret="x" * 30)
    with pytest.raises(Conflict, match="in use"):
        act(create_client, "web", "Wiki", WEB, secret="x" * 30)


def test_a_public_client_cannot_bring_a_secret(act):
    with pytest.raises(Invalid) as refused:
        act(create_client, "spa", "App", WEB, secret="x" * 30)
    assert refused.value.field == "secret"


def test_a_client_names_apis_and_scopes_that_exist(act, runtime):
    with pytest.raises(Invalid, match="there is no"):
        act(create_client, "web", "Wiki", {**WEB, "apis": [API]})
    make_resource_server(runtime)
    with pytest.raises(Invalid, match="delete is neither"):
        act(create_client, "web", "Wiki", {**WEB, "apis": [API], "scope": "openid read delete"})
    with pytest.raises(Invalid, match="read is neither"):
        act(create_client, "web", "Wiki", {**WEB, "scope": "openid read"})
    assert act(create_client, "web", "Wiki", {**WEB, "apis": [API], "scope": "openid read"}).client.scope == ("openid", "read")


def test_a_refused_client_leaves_nothing_behind(act, operating):
    with pytest.raises(Invalid):
        act(create_client, "web", "Wiki", {})
    with operating() as operation:
        assert list(every_client(operation)) == []


def test_metadata_and_name_change_and_go_back_to_defaults(act, events):
    client_id = act(create_client, "web", "Wiki", {**WEB, "consent": "skipped"}).client.client_id
    issued = act(update_client_metadata, client_id, {"client_name": "New", "require_pkce": False, "consent": None})
    assert issued.secret is None
    assert issued.client.client_name == "New"
    assert issued.client.metadata["require_pkce"] is False
    assert issued.client.metadata["consent"] == "remembered"
    assert issued.client.version == 2
    assert events("client.update")[0].details == {
        "before": {"client_name": "Wiki", "consent": "skipped", "require_pkce": True},
        "after": {"client_name": "New", "consent": "remembered", "require_pkce": False},
    }


def test_another_way_to_authenticate_drops_or_makes_secrets(act):
    client_id = act(create_client, "web", "Wiki", WEB).client.client_id
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks_of(make_key())}
    issued = act(update_client_metadata, client_id, keys)
    assert (issued.secret, issued.client.secrets) == (None, ())
    issued = act(update_client_metadata, client_id, {"token_endpoint_auth_method": "client_secret_post", "jwks": None})
    assert len(issued.secret) == 43
    assert len(issued.client.secrets) == 1


def test_two_changes_at_once_conflict(act, operating, monkeypatch):
    client_id = act(create_client, "web", "Wiki", WEB).client.client_id
    with operating() as operation:
        client = get_client(operation, client_id)
        update_client(operation.db, client_id, client.version, {"client_name": "Other"})
        monkeypatch.setattr("authserver.admin.clients.get_client", lambda *_: client)
        for change in (disable_client, enable_client, lambda *about: update_client_metadata(*about, {"consent": "skipped"})):
            with pytest.raises(Conflict, match="meanwhile"):
                change(operation, client_id)


def test_what_is_not_there_is_not_found(act, operating):
    with operating() as operation:
        for about in (get_client, disable_client, enable_client, delete_client):
            with pytest.raises(NotFound, match="nobody"):
                about(operation, "nobody")


def test_all_clients_are_listed_by_id(act, operating, runtime):
    for number in range(205):
        make_client(runtime, "spa", client_id=f"client-{number:03}")
    with operating() as operation:
        assert [client.client_id for client in every_client(operation)] == [f"client-{number:03}" for number in range(205)]


@pytest.mark.spec("RFC 9700", "2.5")
def test_two_secrets_live_during_a_rotation(act, runtime, http, clock):
    made = make_client(runtime, "service")
    first = made.secret
    second = rotate(act, made.client_id, timedelta(days=7))
    runtime.caches.clients.clear()
    assert [works(http, made, secret) for secret in (first, second)] == [True, True]
    clock.advance(days=7)
    runtime.caches.clients.clear()
    assert [works(http, made, secret) for secret in (first, second)] == [False, True]


def test_a_third_secret_ends_the_first(act, runtime, http, clock):
    made = make_client(runtime, "service")
    second = rotate(act, made.client_id, timedelta(days=7))
    clock.advance(seconds=1)
    third = rotate(act, made.client_id, timedelta(days=7))
    runtime.caches.clients.clear()
    assert [works(http, made, secret) for secret in (made.secret, second, third)] == [False, True, True]
    assert len(act(get_client, made.client_id).secrets) == 2


def test_a_rotation_without_overlap_ends_all_others(act, runtime, http):
    made = make_client(runtime, "service")
    second = rotate(act, made.client_id, timedelta(0))
    runtime.caches.clients.clear()
    assert [works(http, made, secret) for secret in (made.secret, second)] == [False, True]


def test_a_client_without_secrets_cannot_rotate_one(act, runtime):
    with pytest.raises(Conflict, match="no secret"):
        rotate(act, make_client(runtime, "spa").client_id, timedelta(0))


def rotate(act, client_id, overlap):
    return act(lambda operation: rotate_secret(operation, get_client(operation, client_id), overlap))


def works(http, made, secret):
    return RelyingParty(http, Made(made.client, secret)).client_credentials().status == 200


@pytest.mark.spec("RFC 9700", "4.14")
def test_disabling_a_client_ends_its_grants_and_enabling_revives_none(act, runtime, http, clock):
    made = make_client(runtime, "web")
    rp = RelyingParty(http, made, clock=clock)
    tokens = rp.sign_in(make_user(runtime), scope="openid offline_access")
    act(disable_client, made.client_id)
    runtime.caches.clients.clear()
    assert rp.refresh(tokens["refresh_token"]).status == 401
    assert act(get_client, made.client_id).disabled_at is not None
    act(enable_client, made.client_id)
    runtime.caches.clients.clear()
    assert rp.refresh(tokens["refresh_token"]).status == 400
    assert rp.userinfo(tokens["access_token"]).status == 401


@pytest.mark.databases
def test_rotations_at_the_same_moment_leave_two_secrets(runtime, act):
    client_id = act(create_client, "service", "Billing", {}).client.client_id

    def rotate(_number):
        with transaction(runtime.engine) as db:
            operation = Operation(db, runtime)
            rotate_secret(operation, get_client(operation, client_id), timedelta(days=7))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(rotate, range(6)))
    assert len(act(get_client, client_id).secrets) == 2
