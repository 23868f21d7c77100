"""Keys in the console: their lives, rotating them, and the emergency."""

import re

import pytest

from authserver.admin.keys import key_documents, rotate
from authserver.runtime import Runtime
from tests.clock import Clock
from tests.factories import Person, make_client, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.relying_party import RelyingParty
from tests.web.console.people import events, flash, form_to, has_form_to, operating, sent

ROTATE = "/admin/keys/rotate"


def keys_of(runtime: Runtime, alg: str = "RS256") -> dict[str, str]:
    """The state of each key, by id."""
    with operating(runtime) as operation:
        return {key["kid"]: key["state"] for key in key_documents(operation) if key["alg"] == alg}


def published(http: InProcess) -> set[str]:
    return {key["kid"] for key in http.get("/.well-known/jwks.json").json["keys"]}


def test_each_key_is_drawn_with_its_four_moments(console, clock: Clock):
    clock.advance(days=10)
    page = read(console().get("/admin/keys"))
    assert page.answer.text.count('<svg class="lane" role="img"') == 5
    assert page.text.count("Announced 2026-12-01 12:00 10 days ago Signs from 2026-12-01 12:00 10 days ago") == 5
    assert page.text.count("Retires 2027-03-01 12:00 in 80 days, as planned Removed not set yet") == 5
    assert len(re.findall(r'aria-current="step"><b>Signs from</b>', page.answer.text)) == 5


def test_a_timeline_is_drawn_without_style_attributes_or_scripts(console):
    text = console().get("/admin/keys").text
    assert "style=" not in text
    assert text.count("<script") == 1
    assert 'aria-label="Timeline of rs256-1-' in text


def test_the_life_of_a_rotated_key_is_told(console, runtime, clock: Clock):
    clock.advance(days=10)
    with operating(runtime) as operation:
        rotate(operation, ("RS256",), announce=True)
    text = read(console().get("/admin/keys#RS256")).text
    assert "announced" in text
    clock.advance(hours=3)
    text = read(console().get("/admin/keys")).text
    assert re.search(r"rs256-2-\S+ signing", text)
    assert re.search(r"rs256-1-\S+ retired", text)
    clock.advance(days=1)
    assert not re.search(r"rs256-1-\S+ (signing|retired)", read(console().get("/admin/keys")).text)


def test_no_private_part_of_a_key_is_on_the_page(console, runtime):
    text = console().get("/admin/keys").text
    with operating(runtime) as operation:
        documents = key_documents(operation)
    assert all(document["kid"] in text for document in documents)
    assert not re.search(r"[A-Za-z0-9_-]{80,}", re.sub(r'value="[^"]*"|path d="[^"]*"', "", text))


def test_the_warning_about_caches_comes_before_the_button(console):
    text = read(console().get(ROTATE)).text
    assert text.index("AWS HTTP APIs keep them for 2 hours and REST authorizers for up to 1 hour") < text.index("Emergency")


def test_a_key_is_announced_and_signs_when_the_caches_know_it(console, runtime, clock: Clock):
    http, before = console(), published(console())
    (old,) = keys_of(runtime)
    answer = sent(http, ROTATE, algs=["RS256"], how="announce")
    assert "RS256: the new key is announced" in flash(http, answer)
    assert sorted(keys_of(runtime).values()) == ["announced", "signing"]
    clock.advance(seconds=61)
    assert before < published(http)
    clock.advance(hours=3)
    assert keys_of(runtime)[old] == "retired"


def test_a_key_can_sign_at_once(console, runtime, clock: Clock):
    clock.advance(days=10)
    http = console()
    (old,) = keys_of(runtime)
    assert "the new key signs from now on" in flash(http, sent(http, ROTATE, algs=["RS256"], how="now"))
    assert keys_of(runtime)[old] == "retired"
    noted = events(runtime, "keys.rotate")[0]
    assert noted.details == {"algs": ["RS256"], "announced": False, "revoked": False}
    assert "@" in noted.actor


def test_in_an_emergency_nothing_old_is_good_any_more(console, runtime, clock: Clock):
    http, made = console(), make_client(runtime, "service")
    token = RelyingParty(http.fresh(), made).client_credentials().json["access_token"]
    (old,) = keys_of(runtime)
    assert "all keys before are revoked" in flash(http, sent(http, ROTATE, algs=["RS256"], how="revoke", confirmation="revoke"))
    clock.advance(seconds=61)
    assert old not in published(http)
    assert keys_of(runtime).get(old, "removed") == "removed"
    party = RelyingParty(http.fresh(), made)
    assert party.introspect(token).json == {"active": False}


def test_what_is_not_chosen_stays(console, runtime):
    before = keys_of(runtime, "ES256")
    sent(console(), ROTATE, algs=["RS256"], how="now")
    assert keys_of(runtime, "ES256") == before


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"algs": []}, "Algorithms must be at least one"),
        ({"algs": ["none"]}, "must be one of"),
        ({"algs": ["RS256"], "how": "<b>"}, "How must be one of those below"),
        ({"algs": ["RS256"], "how": "revoke"}, "must be the word revoke"),
        ({"algs": ["RS256"], "how": "revoke", "confirmation": "yes"}, "must be the word revoke"),
        ({"algs": ["RS256"], "how": "announce", "confirmation": "revoke"}, "is for the emergency alone"),
    ],
)
def test_a_rotation_that_is_not_clear_changes_nothing(console, runtime, values, text):
    before = keys_of(runtime)
    page = read(sent(console(), ROTATE, **{"how": "now", **values}))
    assert page.answer.status == 422
    assert text in page.text
    assert 'role="alert"' in page.answer.text
    assert keys_of(runtime) == before


def test_a_second_announcement_says_that_there_is_one(console, runtime):
    http = console()
    for status in (303, 409):
        answer = sent(http, ROTATE, algs=["RS256"], how="announce")
        assert answer.status == status
    assert "a new RS256 key is announced already" in read(answer).text
    assert len(keys_of(runtime)) == 2


def test_rotating_needs_a_fresh_sign_in_and_keeps_what_was_chosen(console, runtime, clock: Clock):
    http, before = console(), keys_of(runtime)
    form = form_to(read(http.get(ROTATE)), ROTATE)
    clock.advance(minutes=6)
    assert "/admin/sign-in" in str(http.get(ROTATE).location)
    page = read(form.submit(http, algs=["RS256"], how="now"))
    assert (page.answer.status, keys_of(runtime)) == (403, before)
    assert "Confirm that it is you" in page.text
    assert form_to(page, ROTATE).fields["how"] == "now"


@pytest.mark.parametrize(("role", "sees"), [("admin", True), ("auditor", True), ("support", False)])
def test_only_owners_rotate(console, runtime, role, sees):
    http, before = console(role), keys_of(runtime)
    page = read(http.get("/admin/keys"))
    assert page.answer.status == (200 if sees else 403)
    assert not any(link.endswith(ROTATE) for link in page.links)
    assert http.get(ROTATE).status == 403
    assert http.post(ROTATE, {"algs": "RS256", "how": "now"}, headers={"Sec-Fetch-Site": "same-origin"}).status == 403
    assert keys_of(runtime) == before


def test_a_form_of_another_site_rotates_nothing(console, runtime):
    http, before = console(), keys_of(runtime)
    form = form_to(read(http.get(ROTATE)), ROTATE)
    assert http.post(form.action, {**form.fields, "how": "now"}, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert keys_of(runtime) == before


def test_a_signed_in_person_stays_signed_in_through_a_rotation(console, runtime, clock: Clock):
    ida: Person = make_user(runtime)
    http = console()
    party = RelyingParty(http.fresh(), make_client(runtime, "spa", consent="skipped"), clock=clock)
    tokens = party.redeem(party.authorize(ida, scope="openid offline_access")).json
    sent(http, ROTATE, algs=["RS256", "refresh"], how="now")
    clock.advance(seconds=61)
    assert party.refresh(tokens["refresh_token"]).status == 200


def test_the_page_says_the_same_as_a_command_and_a_call(console):
    http = console()
    assert "authserver keys list" in read(http.get("/admin/keys")).text
    page = read(http.get(ROTATE))
    assert "authserver keys rotate --announce" in page.text
    assert "/admin/api/v1/keys/rotations" in page.text
    assert has_form_to(page, ROTATE)
