"""Answers of an introspection endpoint: what is a yes, and how long it is remembered."""

import json

import pytest

from authserver.authorizer import introspection
from authserver.authorizer.refusal import Unauthorized, Undecided
from tests.authorizer import forge


@pytest.fixture
def asking(gate, key_server):
    def make(answer, **settings):
        key_server.body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        values = {"introspection_url": key_server.url, "introspection_client_id": "a:b", "introspection_client_secret": "s&%"}
        return gate(**{**values, **settings})

    return make


def active(**changes):
    return {**forge.claims(**changes), "active": True, "token_type": "Bearer"}


def test_an_active_token_of_ours_is_taken(asking, key_server):
    checked = asking(active())
    assert checked.ask("opaque")["principalId"] == "248289761001"
    assert checked.ask("opaque")["principalId"] == "248289761001"
    assert key_server.requests == 1
    checked.ask("another")
    assert key_server.requests == 2


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        {},
        {**active(), "active": None},
        {**active(), "active": "true"},
        {**active(), "active": 1},
        {**active(), "token_type": "DPoP"},
        {**active(), "token_type": None},
        active(cnf={"jkt": "x"}),
        active(exp=forge.NOW - 10),
        active(aud="https://other.example.com"),
        active(iss="https://evil.example.com"),
        active(iss=None),
        active(exp=None),
        active(sub=None),
    ],
)
def test_anything_but_a_whole_yes_is_refused(asking, answer):
    with pytest.raises(Unauthorized):
        asking(answer).ask("opaque")


@pytest.mark.parametrize("body", [b"", b"[]", b"true", b"\xff", b'{"active":true,"active":true}', b"{" * 70_000])
def test_an_answer_that_is_none_decides_nothing_and_is_not_remembered(asking, key_server, body):
    checked = asking(body)
    for _ in range(2):
        with pytest.raises(Undecided):
            checked.ask("opaque")
    assert key_server.requests == 2


def test_a_revocation_check_needs_an_answer_about_the_same_token(asking):
    assert asking(active(), check_revocation="true").ask(forge.token())
    for answer in (active(jti="other"), active(jti=None), {"active": False}):
        with pytest.raises(Unauthorized):
            asking(answer, check_revocation="true").ask(forge.token())


def test_a_bad_jwt_is_never_introspected(asking, key_server):
    checked = asking(active(), check_revocation="true")
    for bad in (forge.token(exp=1), "a.b.c", forge.sign(forge.header(alg="none"), forge.claims())):
        with pytest.raises(Unauthorized):
            checked.ask(bad)
    assert key_server.requests == 0


def test_a_lifetime_of_zero_remembers_nothing(asking, key_server):
    checked = asking(active(), introspection_lifetime=0)
    checked.ask("opaque")
    checked.ask("opaque")
    assert key_server.requests == 2


def test_the_oldest_answer_makes_room(asking, key_server, monkeypatch):
    monkeypatch.setattr(introspection, "MOST_ANSWERS", 2)
    checked = asking(active())
    for name in ("a", "b", "c", "c", "b", "a"):
        checked.ask(name)
    assert key_server.requests == 4
    assert len(checked.authorizer.introspection._answers) == 2
