"""Choosing a password by the link of an invitation or of a reset, as a browser without scripts does it."""

import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from authserver.admin.authority import COMMAND_LINE
from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.admin.users import disable_user, invite_user, reset_link
from authserver.identity.password import password_hash
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from authserver.store.link import delete_links_of
from tests.clock import Clock
from tests.factories import ISSUER, PASSWORD, Person, make_client, make_user
from tests.http_client import Answer, InProcess
from tests.pages import read
from tests.relying_party import RelyingParty

NEW = "a completely different phrase"


def act(runtime: Runtime, do: Any) -> Any:
    with transaction(runtime.engine) as db:
        return do(Operation(db, runtime, COMMAND_LINE))


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, "ada@example.net")


@pytest.fixture
def reset(runtime: Runtime, person: Person) -> str:
    """The address in a reset that was begun for the person."""
    return act(runtime, lambda operation: reset_link(operation, person.email))


@pytest.fixture
def invitation(runtime: Runtime) -> str:
    """The address in an invitation of somebody who was not here before."""
    return act(runtime, lambda operation: invite_user(operation, "new@example.net", {"name": "Newly Invited"})).link


def send(http: InProcess, address: str, password: str = NEW, repeated: str | None = None) -> Answer:
    form = read(http.get(address)).form("password")
    return form.submit(http, password=password, repeated=password if repeated is None else repeated)


def signs_in(http: InProcess, email: str, password: str) -> bool:
    other = http.fresh()
    return read(other.get("/login")).form("password").submit(other, email=email, password=password).status == 303


def test_an_invited_person_chooses_a_password_and_signs_in(http: InProcess, invitation: str) -> None:
    page = read(http.get(invitation))
    assert (page.answer.status, urlsplit(invitation).path) == (200, "/password")
    assert "Choose a password for new@example.net login.example.com" in page.text
    answer = send(http, invitation)
    assert (answer.status, answer.location) == (303, f"{ISSUER}/password/done")
    assert "Your password is set" in read(http.get("/password/done")).text
    assert signs_in(http, "new@example.net", NEW)


def test_a_password_manager_is_told_whose_new_password_it_is(http: InProcess, reset: str) -> None:
    text = http.get(reset).text
    assert text.count('autocomplete="new-password"') == 2
    assert 'value="ada@example.net" autocomplete="username"' in text
    assert "current-password" not in text


def test_a_reset_takes_the_old_password_and_every_session_away(http: InProcess, runtime: Runtime, person: Person, reset: str) -> None:
    party = RelyingParty(http.fresh(), make_client(runtime, "spa", consent="skipped"))
    tokens = party.redeem(party.authorize(person, scope="openid offline_access")).json
    assert send(http, reset).status == 303
    assert party.begin(prompt="none").answer.query["error"] == "login_required"
    assert party.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert not signs_in(http, person.email, PASSWORD)
    assert signs_in(http, person.email, NEW)


@pytest.mark.spec("ASVS 5.0", "6.4.1")
def test_a_link_works_once(http: InProcess, reset: str) -> None:
    assert send(http, reset).status == 303
    page = read(http.get(reset))
    assert page.answer.status == 404
    assert "This link does not open any more" in page.text
    assert not page.asks_for_password


def test_opening_a_link_spends_nothing(http: InProcess, reset: str) -> None:
    for _ in range(3):
        assert http.fresh().get(reset).status == 200
    assert send(http, reset).status == 303


def test_a_newer_link_replaces_the_one_before(http: InProcess, runtime: Runtime, person: Person, reset: str) -> None:
    newer = act(runtime, lambda operation: reset_link(operation, person.email))
    assert [http.get(address).status for address in (reset, newer)] == [404, 200]


@pytest.mark.parametrize(("days", "is_open"), [(6.9, True), (7.1, False)])
def test_an_invitation_opens_for_a_week(http: InProcess, clock: Clock, invitation: str, days: float, is_open: bool) -> None:
    clock.advance(days=days)
    assert (http.get(invitation).status == 200) == is_open


def test_a_form_that_was_left_open_too_long_says_so(http: InProcess, clock: Clock, reset: str) -> None:
    form = read(http.get(reset)).form("password")
    clock.advance(minutes=31)
    answer = form.submit(http, password=NEW, repeated=NEW)
    assert (answer.status, "This link does not open any more" in read(answer).text) == (404, True)


def test_a_link_of_another_purpose_and_a_made_up_one_look_alike(http: InProcess, runtime: Runtime) -> None:
    setup = act(runtime, setup_link)
    token = setup.partition("token=")[2]
    pages = {read(http.get(f"/password?token={made_up}")).text for made_up in (token, "", "x", "%00", "é" * 3000)}
    assert len(pages) == 1
    assert http.post("/password", {"token": token, "password": NEW, "repeated": NEW}).status == 404


def test_a_form_that_is_sent_twice_sets_the_first_password(http: InProcess, reset: str) -> None:
    form = read(http.get(reset)).form("password")
    answers = [form.submit(http, password=text, repeated=text) for text in (NEW, "and yet another long phrase")]
    assert [answer.status for answer in answers] == [303, 404]
    assert signs_in(http, "ada@example.net", NEW)


@pytest.mark.spec("NIST SP 800-63B-4", "3.1.1.2")
@pytest.mark.parametrize(
    ("password", "repeated", "field", "text"),
    [
        ("", "", "password", "at least 15 characters"),
        ("x" * 14, None, "password", "at least 15 characters"),
        ("ü" * 600, None, "password", "at most 1024 bytes"),
        (NEW, NEW + " ", "repeated", "The two passwords are not the same."),
        (NEW, "", "repeated", "The two passwords are not the same."),
    ],
)
def test_what_is_wrong_is_named_and_the_link_stays_good(
    http: InProcess, reset: str, password: str, repeated: str | None, field: str, text: str
) -> None:
    answer = send(http, reset, password, repeated)
    page = read(answer)
    assert answer.status == 422
    assert text in page.text
    for part in ('role="alert"', f'href="#{field}"', "<title>Error: Choose a new password</title>"):
        assert part in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    assert not password or password not in answer.text
    assert page.form("password").submit(http, password=NEW, repeated=NEW).status == 303


def test_a_password_may_have_any_characters(http: InProcess, reset: str) -> None:
    odd = "  日本語の長いパスワードです\t🔑  "
    assert send(http, reset, odd).status == 303
    assert signs_in(http, "ada@example.net", odd)
    assert not signs_in(http, "ada@example.net", odd.strip())


def test_a_disabled_person_may_choose_a_password_and_stays_out(http: InProcess, runtime: Runtime, person: Person, reset: str) -> None:
    act(runtime, lambda operation: disable_user(operation, person.email))
    assert http.get(reset).status == 404, "what was sent before ends with the account"
    send(http, act(runtime, lambda operation: reset_link(operation, person.email)))
    assert not signs_in(http, person.email, NEW)


def test_it_is_in_the_security_log_and_no_secret_is(http: InProcess, runtime: Runtime, person: Person, reset: str) -> None:
    send(http, reset)
    with transaction(runtime.engine) as db:
        events = list_events(db, 10)
    noted = next(event for event in events if event.action == "user.set_own_password")
    assert (noted.subject, noted.details["link"], noted.address_prefix) == (person.subject, "reset", "192.0.2.0/24")
    assert NEW not in repr(events)
    assert reset.partition("token=")[2] not in repr(events)


def test_a_form_of_another_site_sets_nothing(http: InProcess, reset: str) -> None:
    form = read(http.get(reset)).form("password")
    data = {**form.fields, "password": NEW, "repeated": NEW}
    assert http.post("/password", data, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert http.fresh().post("/password", data).status == 400
    assert not signs_in(http, "ada@example.net", NEW)


def test_the_page_is_neither_kept_nor_framed_nor_does_it_give_its_address_away(http: InProcess, reset: str) -> None:
    headers = http.get(reset).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_everybody_reads_it_in_their_language(http: InProcess, reset: str) -> None:
    german = {"Accept-Language": "de"}
    page = read(http.get(reset, headers=german))
    assert "Neues Passwort wählen für ada@example.net" in page.text
    data = {**page.form("password").fields, "password": "kurz", "repeated": "kurz"}
    assert "mindestens 15 Zeichen" in read(http.post("/password", data, headers=german)).text
    assert "Dieser Link öffnet sich nicht mehr" in read(http.get("/password", headers=german)).text
    assert "Ihr Passwort ist gesetzt" in read(http.get("/password/done", headers=german)).text


@pytest.mark.settings(password_hash_concurrency=1)
def test_a_link_that_goes_while_the_password_is_hashed_sets_nothing(http: InProcess, runtime: Runtime, reset: str) -> None:
    form, answers = read(http.get(reset)).form("password"), []
    sending = threading.Thread(target=lambda: answers.append(form.submit(http, password=NEW, repeated=NEW)))
    hashing = password_hash(runtime)
    with hashing._place():
        sending.start()
        while hashing._queue._value >= runtime.settings.database_connections - 3:  # type: ignore[attr-defined]
            time.sleep(0.01)
        with transaction(runtime.engine) as db:
            delete_links_of(db, "reset")
    sending.join()
    assert [answer.status for answer in answers] == [400]
    assert signs_in(http, "ada@example.net", PASSWORD)


@pytest.mark.settings(password_hash_concurrency=1, database_connections=3)
def test_when_too_many_passwords_are_hashed_the_link_stays_good(http: InProcess, runtime: Runtime, reset: str) -> None:
    form = read(http.get(reset)).form("password")
    with password_hash(runtime)._place():
        answer = form.submit(http, password=NEW, repeated=NEW)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert any(link == reset for link in read(answer).links)
    assert form.submit(http, password=NEW, repeated=NEW).status == 303
