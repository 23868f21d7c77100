"""Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14.2): rotation, reuse, retries, ends, and every bad variant."""

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from authserver.oauth.refresh_token import parse
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from authserver.store.signing_key import raise_epoch
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime)


def party(http: InProcess, runtime: Runtime, clock: Clock, kind: str = "spa", **metadata: object) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, kind, apis=[API], **metadata), clock=clock)


@pytest.fixture
def spa(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    make_resource_server(runtime)
    return party(http, runtime, clock)


@pytest.fixture
def web(spa: RelyingParty, http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return party(http, runtime, clock, "web")


OFFLINE = "openid read write offline_access"


@pytest.mark.spec("RFC 9700", "2.2.2")
def test_a_public_clients_token_rotates_and_a_confidential_ones_does_not(spa: RelyingParty, web: RelyingParty, person: Person) -> None:
    token = spa.sign_in(person)["refresh_token"]
    assert spa.refresh(token).json["refresh_token"] != token
    token = web.sign_in(person)["refresh_token"]
    assert all(web.refresh(token).json["refresh_token"] == token for _ in range(3))


@pytest.mark.parametrize(("choice", "rotated"), [("always", True), ("never", False)])
def test_a_registration_can_choose(
    spa: RelyingParty, http: InProcess, runtime: Runtime, clock: Clock, person: Person, choice: str, rotated: bool
) -> None:
    for kind in ("spa", "web"):
        chosen = party(http, runtime, clock, kind, refresh_token_rotation=choice)
        token = chosen.sign_in(person)["refresh_token"]
        assert (chosen.refresh(token).json["refresh_token"] != token) is rotated


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_replaying_a_spent_refresh_token_revokes_its_family(spa: RelyingParty, person: Person, runtime: Runtime) -> None:
    first = spa.sign_in(person)
    second = spa.refresh(first["refresh_token"]).json
    third = spa.refresh(second["refresh_token"]).json
    assert spa.refresh(first["refresh_token"]).error == "invalid_grant"
    assert spa.refresh(third["refresh_token"]).error == "invalid_grant"
    assert spa.userinfo(third["access_token"]).status == 401
    with transaction(runtime.engine) as db:
        assert any(event.action == "refresh_token.reuse" for event in list_events(db))


def test_a_retry_within_the_leeway_gets_the_same_successor(spa: RelyingParty, person: Person, clock: Clock) -> None:
    token = spa.sign_in(person)["refresh_token"]
    successor = spa.refresh(token).json["refresh_token"]
    clock.advance(seconds=30)
    assert spa.refresh(token).json["refresh_token"] == successor
    clock.advance(seconds=1)
    assert spa.refresh(token).error == "invalid_grant"
    assert spa.refresh(successor).error == "invalid_grant"


def test_a_retry_after_the_successor_was_used_ends_the_family(spa: RelyingParty, person: Person) -> None:
    token = spa.sign_in(person)["refresh_token"]
    successor = spa.refresh(token).json["refresh_token"]
    latest = spa.refresh(successor).json["refresh_token"]
    assert spa.refresh(token).error == "invalid_grant"
    assert spa.refresh(latest).error == "invalid_grant"


@pytest.mark.settings(refresh_token_leeway=__import__("datetime").timedelta(0))
def test_a_leeway_of_nothing_forgives_only_the_same_second(spa: RelyingParty, person: Person, clock: Clock) -> None:
    token = spa.sign_in(person)["refresh_token"]
    spa.refresh(token)
    clock.advance(seconds=1)
    assert spa.refresh(token).error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "6")
def test_scope_only_narrows_and_the_family_keeps_its_width(spa: RelyingParty, person: Person) -> None:
    tokens = spa.sign_in(person, scope="openid read")
    narrowed = spa.refresh(tokens["refresh_token"], scope="read").json
    assert narrowed["scope"] == "read"
    assert "id_token" not in narrowed
    assert spa.refresh(narrowed["refresh_token"], scope="read write").error == "invalid_scope"
    assert spa.refresh(narrowed["refresh_token"], resource="https://other.example").error == "invalid_target"
    assert spa.refresh(narrowed["refresh_token"]).json["scope"] == "openid read"


def test_another_client_can_neither_use_nor_end_a_family(
    spa: RelyingParty, http: InProcess, runtime: Runtime, clock: Clock, person: Person
) -> None:
    thief = party(http, runtime, clock)
    token = spa.sign_in(person)["refresh_token"]
    successor = spa.refresh(token).json["refresh_token"]
    clock.advance(minutes=5)
    assert thief.refresh(token).error == "invalid_grant"
    assert thief.refresh(successor).error == "invalid_grant"
    assert spa.refresh(successor).status == 200


def test_every_variant_of_a_token_is_refused_and_ends_nothing(spa: RelyingParty, person: Person) -> None:
    token = spa.sign_in(person)["refresh_token"]
    kid, family, generation, mac = token.split(".")
    bad = [
        token[:-1], token + "A", token + "=", token.swapcase(), token + ".", "." + token, token + "x" * 300, "a.b.c.d", "...",
        f"{kid}.{family}.00.{mac}", f"{kid}.{family}.-1.{mac}", f"{kid}.{family}.1.{mac}", f"{kid}.{family}.٠.{mac}",
        f"unknown.{family}.{generation}.{mac}", f"{kid}.{mac}.{generation}.{mac}", f"{kid}.{family[:-1]}.{generation}.{mac}",
        *(token[:length] for length in range(1, len(token), 7)),
    ]  # fmt: skip
    for variant in bad:
        assert spa.refresh(variant).error == "invalid_grant", variant
    assert spa.refresh(token).status == 200


def test_a_key_of_another_use_makes_no_refresh_token(spa: RelyingParty, person: Person) -> None:
    _, family, generation, mac = spa.sign_in(person)["refresh_token"].split(".")
    assert all(spa.refresh(f"{kid}.{family}.{generation}.{mac}").error == "invalid_grant" for kid in spa.served_keys())


@pytest.mark.parametrize(("days", "alive"), [(13.9, True), (14.1, False)])
def test_an_offline_token_ends_when_unused(web: RelyingParty, person: Person, clock: Clock, days: float, alive: bool) -> None:
    token = web.sign_in(person, scope=OFFLINE)["refresh_token"]
    clock.advance(days=days)
    assert (web.refresh(token).status == 200) is alive


def test_rotation_never_extends_the_absolute_end(
    spa: RelyingParty, http: InProcess, runtime: Runtime, person: Person, clock: Clock
) -> None:
    native = party(http, runtime, clock, "native")
    token = native.sign_in(person, scope=OFFLINE)["refresh_token"]
    for _ in range(8):
        clock.advance(days=11)
        token = native.refresh(token).json["refresh_token"]
    clock.advance(days=2)
    assert native.refresh(token).error == "invalid_grant"


def test_a_spas_offline_token_ends_after_a_day_unless_its_registration_says_otherwise(
    spa: RelyingParty, http: InProcess, runtime: Runtime, person: Person, clock: Clock
) -> None:
    longer = party(http, runtime, clock, refresh_token_lifetime=3 * 86400)
    tokens = [each.sign_in(person, scope=OFFLINE)["refresh_token"] for each in (spa, longer)]
    clock.advance(hours=25)
    assert spa.refresh(tokens[0]).error == "invalid_grant"
    assert longer.refresh(tokens[1]).status == 200


@pytest.mark.spec("OpenID Connect Core", "11")
def test_a_token_without_offline_access_ends_with_the_session_and_an_offline_one_does_not(web: RelyingParty, person: Person) -> None:
    from tests.pages import read

    online = web.sign_in(person, scope="openid")
    offline = web.sign_in(person, scope=OFFLINE)
    answer = web.http.get(f"/oidc/logout?id_token_hint={online['id_token']}")
    if read(answer).forms:
        answer = read(answer).forms[0].submit(web.http)
    assert web.refresh(online["refresh_token"]).error == "invalid_grant"
    assert web.refresh(offline["refresh_token"]).status == 200


def test_a_restore_ends_every_refresh_token(web: RelyingParty, person: Person, runtime: Runtime, clock: Clock) -> None:
    token = web.sign_in(person, scope=OFFLINE)["refresh_token"]
    with transaction(runtime.engine) as db:
        raise_epoch(db)
        raise_epoch(db)
    clock.advance(seconds=61)
    assert web.refresh(token).error == "invalid_grant"


def test_a_family_survives_the_rotation_of_the_key_that_made_its_token(web: RelyingParty, person: Person, clock: Clock) -> None:
    clock.advance(days=85)
    token = web.sign_in(person, scope=OFFLINE)["refresh_token"]
    clock.advance(days=6)
    assert web.refresh(token).status == 200, "the first request after the boundary announces the next key"
    clock.advance(hours=3)
    refreshed = web.refresh(token).json["refresh_token"]
    assert refreshed != token, "made with the new key"
    assert web.refresh(token).status == 200, "the old one opens as long as it lives"


def test_a_refresh_is_two_reads_at_most_and_one_write(spa: RelyingParty, person: Person, counts: Counts) -> None:
    token = spa.sign_in(person)["refresh_token"]
    with counts.measure() as tally:
        spa.refresh(token)
    assert (len(tally.reads), len(tally.writes)) == (1, 1)


@pytest.mark.parametrize("text", ["", "a", "a.b.c.d.e", "k.AA.1.AA=", "k.A.1.AA", "k.AA.1x.AA", "k.AA.²." + "AA"])
def test_what_is_no_refresh_token_is_not_parsed(text: str) -> None:
    assert parse(text) is None


class Family(RuleBasedStateMachine):
    """A model of one family: which tokens exist, which one is current, and whether an old one was shown too late."""

    spa: RelyingParty
    person: Person
    clock: Clock

    @initialize()
    def begin(self) -> None:
        self.tokens = [self.spa.sign_in(self.person)["refresh_token"]]
        self.rotated_at = 0
        self.alive = True

    @rule(seconds=st.sampled_from([1, 29, 31]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @precondition(lambda self: self.alive)
    @rule()
    def use_the_current_one(self) -> None:
        answer = self.spa.refresh(self.tokens[-1])
        assert answer.status == 200
        assert answer.json["refresh_token"] not in self.tokens
        self.tokens.append(answer.json["refresh_token"])
        self.rotated_at = self.clock.timestamp()

    @rule(data=st.data())
    def use_any(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.tokens) - 1))
        if index == len(self.tokens) - 1 and self.alive:
            return
        answer = self.spa.refresh(self.tokens[index])
        is_retry = self.alive and index == len(self.tokens) - 2 and self.clock.timestamp() - self.rotated_at <= 30
        if is_retry:
            assert answer.json["refresh_token"] == self.tokens[-1]
        else:
            assert answer.error == "invalid_grant"
            self.alive = False


def test_a_family_behaves_as_its_model(spa: RelyingParty, person: Person, clock: Clock) -> None:
    machine = type("BoundFamily", (Family,), {"spa": spa, "person": person, "clock": clock})
    run_state_machine_as_test(machine, settings=hypothesis_settings(max_examples=12, stateful_step_count=15, deadline=None))
