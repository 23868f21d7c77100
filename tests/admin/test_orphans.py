"""Whoever is deleted leaves nothing behind; on each database."""

import pytest
from sqlalchemy import select

from authserver.admin.clients import delete_client
from authserver.admin.users import delete_user
from authserver.store import metadata
from authserver.store.base import Database, show_id
from tests.factories import API, make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty

KEPT = {"audit_events"}  # who did what is kept for its lifetime, by name


def mentions(db: Database, *names: object) -> list[str]:
    """The tables that have a row in which one of the names is a value, or inside one."""
    found = []
    for table in metadata.sorted_tables:
        for row in db.execute(select(table)).all() if table.name not in KEPT else ():
            texts = [bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value) for value in row]
            if any(str(name) in text for name in names for text in texts):
                found.append(table.name)
    return sorted(set(found))


@pytest.fixture
def busy(runtime, http, clock):
    """A person and a client with a row in every table that can mention them."""
    make_resource_server(runtime, token_format="opaque")
    person, made = make_user(runtime), make_client(runtime, "web", apis=[API])
    rp = RelyingParty(http, made, clock=clock)
    rp.sign_in(person, scope="openid offline_access", resource=API)
    rp.authorize(person)
    waiting = rp.begin(prompt="consent")
    rp.go_on(waiting.answer, None)
    return person, made


def names_of(person):
    return person.user.id.hex(), person.subject, person.email


@pytest.mark.databases
def test_a_deleted_user_leaves_nothing_behind(busy, act, operating):
    person, _ = busy
    with operating() as operation:
        touched = mentions(operation.db, *names_of(person))
        assert {"users", "passwords", "browser_sessions", "grants", "consents", "authorization_codes", "access_tokens"} <= set(touched)
    act(delete_user, person.email)
    with operating() as operation:
        assert mentions(operation.db, *names_of(person)) == []


@pytest.mark.databases
def test_a_deleted_client_leaves_nothing_behind(busy, act, operating):
    _, made = busy
    with operating() as operation:
        touched = set(mentions(operation.db, made.client_id))
        assert {
            "clients",
            "client_secrets",
            "grants",
            "consents",
            "authorization_codes",
            "authorization_requests",
            "access_tokens",
        } <= touched
    act(delete_client, made.client_id)
    with operating() as operation:
        assert mentions(operation.db, made.client_id) == []


@pytest.mark.databases
def test_deleting_one_touches_no_other(busy, act, operating, runtime, http, clock):
    person, made = busy
    other, other_made = make_user(runtime), make_client(runtime, "web")
    rp = RelyingParty(http.fresh(), other_made, clock=clock)
    tokens = rp.sign_in(other, scope="openid offline_access")
    act(delete_user, person.email)
    act(delete_client, made.client_id)
    assert rp.userinfo(tokens["access_token"]).json["sub"] == other.subject
    assert rp.refresh(tokens["refresh_token"]).status == 200
    with operating() as operation:
        assert {"users", "browser_sessions", "grants", "consents"} <= set(
            mentions(operation.db, other.user.id.hex(), show_id(other.user.id))
        )
