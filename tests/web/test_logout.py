"""Signing out: asked for by a client or on the index page."""

from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from tests.factories import ISSUER, Made, Person, make_client, make_user
from tests.http_client import Answer, InProcess
from tests.pages import read
from tests.relying_party import RelyingParty

BACK = "https://app.example.org/signed-out"


@pytest.fixture
def made(runtime: Runtime) -> Made:
    return make_client(
        runtime,
        "spa",
        client_name="Acme Photos",
        post_logout_redirect_uris=[BACK],
        client_uri="https://app.example.org/",
        consent="skipped",
    )


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, "ada@example.net")


@pytest.fixture
def party(http: InProcess, made: Made) -> RelyingParty:
    return RelyingParty(http, made)


def ask(party: RelyingParty, **parameters: str) -> Answer:
    return party.http.get(f"/oidc/logout?{urlencode(parameters)}")


def is_signed_in(party: RelyingParty) -> bool:
    return "You are signed in" in read(party.http.get("/")).text


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_a_hint_to_the_person_who_is_signed_in_signs_out_at_once(party: RelyingParty, person: Person) -> None:
    tokens = party.sign_in(person)
    answer = ask(party, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK, state="a b&c")
    assert (answer.status, answer.location) == (303, f"{BACK}?state=a+b%26c")
    assert not is_signed_in(party)
    assert party.refresh(tokens["refresh_token"]).status == 400


def test_an_application_on_the_device_is_returned_to(http: InProcess, runtime: Runtime, person: Person) -> None:
    uris = {"redirect_uris": ["com.example.app:/callback"], "post_logout_redirect_uris": ["com.example.app:/signed-out"]}
    party = RelyingParty(http, make_client(runtime, "native", **uris))
    tokens = party.sign_in(person)
    answer = ask(party, id_token_hint=tokens["id_token"], post_logout_redirect_uri="com.example.app:/signed-out")
    assert answer.headers["Location"] == "com.example.app:/signed-out"


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
def test_without_a_hint_the_person_is_asked_and_nothing_happens_before(party: RelyingParty, person: Person) -> None:
    tokens = party.sign_in(person)
    answer = ask(party, client_id=party.made.client_id, post_logout_redirect_uri=BACK, state="x")
    page = read(answer)
    assert answer.status == 200
    assert "Acme Photos asks to sign you out." in page.text
    assert person.email in page.text
    assert is_signed_in(party)
    done = page.forms[0].submit(party.http)
    assert (done.status, done.location) == (303, f"{BACK}?state=x")
    assert not is_signed_in(party)
    assert party.refresh(tokens["refresh_token"]).status == 400


def test_a_hint_to_someone_else_asks(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    theirs = RelyingParty(party.http.fresh(), party.made).sign_in(make_user(runtime))
    party.sign_in(person)
    page = read(ask(party, id_token_hint=theirs["id_token"]))
    assert person.email in page.text
    assert is_signed_in(party)


@pytest.mark.parametrize(
    "uri", ["https://evil.example/", BACK + "/", BACK + "?x=1", "https://app.example.org/callback", "javascript:alert(1)", "//evil.example"]
)
def test_an_unregistered_address_is_never_returned_to(party: RelyingParty, person: Person, uri: str) -> None:
    tokens = party.sign_in(person)
    answer = ask(party, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri)
    page = read(answer)
    assert (answer.status, answer.location) == (200, None)
    assert uri not in page.links
    assert "https://app.example.org/" in page.links
    assert "You are signed out" in page.text


@pytest.mark.parametrize("hint", ["x", "a.b.c", "é"])
def test_a_hint_that_is_not_ours_is_no_hint(party: RelyingParty, person: Person, hint: str) -> None:
    party.sign_in(person)
    answer = ask(party, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert answer.status == 200
    assert "Sign out?" in read(answer).text


def test_a_changed_confirmation_leads_nowhere_else(party: RelyingParty, person: Person) -> None:
    party.sign_in(person)
    page = read(ask(party, client_id=party.made.client_id, post_logout_redirect_uri=BACK))
    answer = page.forms[0].submit(party.http, post_logout_redirect_uri="https://evil.example/")
    assert (answer.status, answer.location) == (200, None)


def test_another_site_cannot_sign_out(party: RelyingParty, person: Person) -> None:
    party.sign_in(person)
    form = read(ask(party)).forms[0]
    assert party.http.post(form.action, form.fields, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert party.http.post(form.action, {}, headers={"Origin": ISSUER}).status == 400
    assert is_signed_in(party)


def test_a_post_comes_again_by_get_so_that_the_cookies_come_too(party: RelyingParty, person: Person) -> None:
    tokens = party.sign_in(person)
    data = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BACK, "unknown": "x"}
    answer = party.http.fresh().post("/oidc/logout", data)
    assert answer.status == 303
    assert set(answer.query) == {"id_token_hint", "post_logout_redirect_uri"}
    assert party.http.get(str(answer.location)).location == BACK


def test_someone_who_is_signed_out_already_is_told_so_in_friendly_words(party: RelyingParty) -> None:
    for url in ("/oidc/logout", "/logout"):
        answer = party.http.get(url)
        assert answer.status == 200
        assert "You are signed out" in read(answer).text


def test_someone_who_is_signed_out_already_is_returned(party: RelyingParty, person: Person) -> None:
    tokens = party.sign_in(person)
    parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BACK}
    assert [ask(party, **parameters).location for _ in range(2)] == [BACK, BACK]


def test_a_double_submit_of_the_confirmation_ends_well(party: RelyingParty, person: Person) -> None:
    party.sign_in(person)
    form = read(ask(party)).forms[0]
    for _ in range(2):
        assert "You are signed out" in read(form.submit(party.http)).text


def test_the_index_page_leads_to_signing_out(party: RelyingParty, person: Person) -> None:
    party.sign_in(person)
    [link] = [link for link in read(party.http.get("/")).links if "logout" in link]
    page = read(party.http.get(link))
    assert "You are signed out" in read(page.forms[0].submit(party.http)).text


def test_the_language_of_the_client_is_spoken(party: RelyingParty) -> None:
    assert "Sie sind abgemeldet" in ask(party, ui_locales="de").text


def test_signing_out_is_audited(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    tokens = party.sign_in(person)
    ask(party, id_token_hint=tokens["id_token"])
    with transaction(runtime.engine) as db:
        [event] = [event for event in list_events(db) if event.action == "sign_out"]
    assert (event.outcome, event.subject, event.client_id) == ("ok", person.subject, party.made.client_id)


@pytest.mark.settings(specifications_off=("OpenID-RP-Initiated-Logout",))
def test_turned_off_it_is_not_there_but_people_can_still_sign_out(http: InProcess) -> None:
    assert http.get("/oidc/logout").status == 404
    assert http.get("/logout").status == 200


def test_the_page_after_signing_out_is_no_trap(party: RelyingParty, person: Person) -> None:
    party.sign_in(person)
    before: Any = party.http.cookies()  # type: ignore[attr-defined]
    ask(party, id_token_hint=party.sign_in(person)["id_token"])
    after: Any = party.http.cookies()  # type: ignore[attr-defined]
    assert {name for name in before if name.endswith("-session")} == {"__Host-as-session"}
    assert not [name for name in after if name.endswith("-session")]
