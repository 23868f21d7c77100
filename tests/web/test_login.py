"""Signing in and choosing the account, as a browser without scripts sees it."""

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from authserver.identity.password import password_hash
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.authorization_request import authorization_requests
from authserver.store.base import count, transaction
from authserver.store.browser_session import browser_sessions, list_sessions
from authserver.store.user import users
from tests.clock import Clock
from tests.factories import ISSUER, Made, Person, make_client, make_user
from tests.http_client import Answer, InProcess
from tests.pages import Page, follow, read
from tests.relying_party import RelyingParty


@pytest.fixture
def made(runtime: Runtime) -> Made:
    return make_client(runtime, client_name="Acme Photos", consent="skipped")


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, "ada@example.net")


@pytest.fixture
def party(http: InProcess, made: Made, clock: Clock) -> RelyingParty:
    return RelyingParty(http, made, clock=clock)


def open_page(party: RelyingParty, **changes: Any) -> Page:
    return read(follow(party.http, party.begin(**changes).answer))


def send(party: RelyingParty, email: str, password: str, page: Page | None = None) -> Answer:
    return (page or open_page(party)).form("password").submit(party.http, email=email, password=password)


def session_cookie(http: InProcess) -> str | None:
    return next((value for name, value in http.cookies().items() if name.endswith("-session")), None)


def test_the_page_names_the_client_and_where_the_answer_goes(party: RelyingParty) -> None:
    page = open_page(party)
    assert page.answer.status == 200
    assert "to continue to Acme Photos app.example.org" in page.text
    text = page.answer.text
    assert all(part in text for part in ('autocomplete="username"', 'autocomplete="current-password"', 'type="password"'))
    assert "onpaste" not in text


def test_a_clients_name_is_text(http: InProcess, runtime: Runtime) -> None:
    page = open_page(RelyingParty(http, make_client(runtime, client_name="<b onclick=x>Bold</b>")))
    assert "<b onclick" not in page.answer.text
    assert "<b onclick=x>Bold</b>" in page.text


@pytest.mark.spec("RFC 9700", "4.12")
def test_a_sign_in_goes_on_with_303(party: RelyingParty, person: Person) -> None:
    answer = send(party, person.email, person.password)
    assert answer.status == 303
    assert str(answer.location).startswith(f"{ISSUER}/oauth2/authorize?resume=")
    assert party.go_on(answer, person).status == 303


@pytest.mark.parametrize(
    ("email", "password"), [("ada@example.net", "wrong"), ("nobody@example.net", "wrong"), ("ada@example.net\0", "x" * 2000)]
)
@pytest.mark.spec("ASVS 5.0", "6.3.8")
def test_a_refused_sign_in_looks_the_same_whatever_is_wrong(party: RelyingParty, person: Person, email: str, password: str) -> None:
    answer = send(party, email, password)
    assert answer.status == 422
    page = read(answer)
    assert "The email address or the password is not right." in page.text
    assert password not in answer.text
    assert page.form("password").fields["email"] == email.strip("\0") or "\0" in email
    assert session_cookie(party.http) is None  # type: ignore[arg-type]
    assert "<title>Error: Sign in</title>" in answer.text


def test_a_disabled_person_reads_the_same_text(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        db.execute(update(users).values(disabled_at=runtime.now()))
    assert "The email address or the password is not right." in read(send(party, person.email, person.password)).text


def test_what_is_missing_is_named_and_linked(party: RelyingParty) -> None:
    answer = send(party, "", "")
    assert answer.status == 422
    for text in ('href="#email">Enter your email address.', 'href="#password">Enter your password.', 'role="alert"'):
        assert text in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert answer.text.count('aria-describedby="faults"') == 2
    only_one = send(party, "ada@example.net", "")
    assert only_one.text.count('aria-invalid="true"') == 1


def test_nothing_is_counted_or_audited_for_an_empty_form(party: RelyingParty, runtime: Runtime) -> None:
    send(party, "", "")
    with transaction(runtime.engine) as db:
        assert list_events(db) == []


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
def test_the_login_hint_is_filled_in(party: RelyingParty) -> None:
    assert open_page(party, login_hint="hint@example.net").form("password").fields["email"] == "hint@example.net"


def test_a_fresh_sign_in_is_asked_of_the_person_who_is_signed_in(party: RelyingParty, person: Person) -> None:
    party.authorize(person)
    page = open_page(party, prompt="login")
    assert page.form("password").fields["email"] == person.email


@pytest.mark.spec("ASVS 5.0", "7.2.4")
def test_every_sign_in_makes_a_new_session(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    http: Any = party.http
    send(party, person.email, person.password)
    first = session_cookie(http)
    party.go_on(send(party, person.email, person.password, open_page(party, prompt="login")), person)
    second = session_cookie(http)
    assert None not in (first, second)
    assert first != second
    with transaction(runtime.engine) as db:
        assert len(list_sessions(db, person.user.id, runtime.now())) == 1
        assert second not in repr(db.execute(select(browser_sessions)).all())


def test_a_session_that_was_planted_is_never_taken_over(party: RelyingParty, person: Person) -> None:
    http: Any = party.http
    http.client.set_cookie("__Host-as-session", "planted", domain="login.example.com", secure=True)
    send(party, person.email, person.password)
    assert session_cookie(http) not in (None, "planted")


def test_the_form_is_not_shown_again_after_the_back_button(party: RelyingParty, person: Person) -> None:
    page = open_page(party, prompt="login")
    send(party, person.email, person.password, page)
    again = party.http.get(page.answer.url)
    assert again.status == 303
    assert "/oauth2/authorize?resume=" in str(again.location)


def test_a_double_submit_ends_well(party: RelyingParty, person: Person) -> None:
    page = open_page(party)
    answers = [send(party, person.email, person.password, page) for _ in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert "code=" in str(party.go_on(answers[1], person).location)


def test_two_tabs_end_well_one_after_the_other(party: RelyingParty, person: Person) -> None:
    first, second = party.begin(), party.begin()
    for begun in (first, second):
        callback = party.callback(begun, party.go_on(begun.answer, person))
        assert party.redeem(callback).status == 200


def test_signing_in_again_in_a_second_tab_keeps_the_first_tabs_tokens(http: InProcess, runtime: Runtime, person: Person) -> None:
    party = RelyingParty(http, make_client(runtime, "spa", consent="skipped"))
    first, second = party.begin(), open_page(party)
    tokens = party.redeem(party.callback(first, party.go_on(first.answer, person))).json
    send(party, person.email, person.password, second)
    assert party.refresh(tokens["refresh_token"]).status == 200


def test_an_expired_request_says_what_to_do(party: RelyingParty, person: Person, clock: Clock) -> None:
    page = open_page(party)
    clock.advance(minutes=31)
    for answer in (send(party, person.email, person.password, page), party.http.get(page.answer.url)):
        assert answer.status == 400
        assert "Go back to the application and start again." in read(answer).text
        assert answer.location is None


def test_a_finished_request_says_so(party: RelyingParty, person: Person) -> None:
    begun = party.begin()
    party.go_on(begun.answer, person)
    assert "This sign-in is over" in read(party.http.get(str(begun.answer.location))).text


@pytest.mark.spec("RFC 6749", "10.12")
def test_another_browser_cannot_go_on(party: RelyingParty, person: Person) -> None:
    target = str(party.begin().answer.location)
    other: Any = party.http.fresh()
    assert "Cookies are turned off" in read(other.get(target)).text
    other.get("/login")
    assert "This sign-in is over" in read(other.get(target)).text


def test_the_account_can_be_kept(party: RelyingParty, person: Person) -> None:
    party.authorize(person)
    begun = party.begin(prompt="select_account")
    page = read(follow(party.http, begun.answer))
    assert person.email in page.text
    assert [button.value for button in page.forms[0].buttons] == ["continue", "other"]
    answer = page.forms[0].submit(party.http, "continue")
    assert "code" in party.callback(begun, follow(party.http, answer)).parameters


def test_the_account_can_be_changed(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    other = make_user(runtime)
    party.authorize(person)
    begun = party.begin(prompt="select_account")
    page = read(follow(party.http, begun.answer))
    form = read(follow(party.http, page.forms[0].submit(party.http, "other"))).form("password")
    assert form.fields["email"] == ""
    answer = form.submit(party.http, email=other.email, password=other.password)
    tokens = party.redeem(party.callback(begun, follow(party.http, answer))).json
    assert party.verify(tokens["id_token"], party.made.client_id)["sub"] == other.subject


@pytest.mark.parametrize("choice", ["", "nonsense"])
def test_any_other_choice_asks_who_it_is(party: RelyingParty, person: Person, choice: str) -> None:
    party.authorize(person)
    form = open_page(party, prompt="select_account").forms[0]
    answer = form.submit(party.http, "continue", choice=choice)
    assert "/login?" in str(answer.location)


def test_the_account_page_without_a_session_goes_back(party: RelyingParty, person: Person) -> None:
    party.authorize(person)
    form = open_page(party, prompt="select_account").forms[0]
    url = f"/login/account?resume={form.fields['resume']}"
    http: Any = party.http
    http.client.delete_cookie("__Host-as-session", domain="login.example.com")
    for answer in (http.get(url), form.submit(http, "continue")):
        assert "/oauth2/authorize?resume=" in str(answer.location)


def test_signing_in_without_a_request_ends_at_the_index_page(http: InProcess, person: Person) -> None:
    form = read(http.get("/login")).form("password")
    assert form.submit(http, email=person.email, password="wrong").status == 422
    answer = form.submit(http, email=person.email, password=person.password)
    assert answer.location == f"{ISSUER}/"
    page = read(http.get("/"))
    assert f"You are signed in as {person.email}" in page.text
    assert http.get("/login").location == f"{ISSUER}/"


@pytest.mark.settings(password_hash_concurrency=1, database_connections=3)
def test_when_too_many_passwords_are_hashed_it_says_when_to_come_again(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    hashing, page = password_hash(runtime), open_page(party)
    with hashing._place():
        answer = send(party, person.email, person.password, page)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert any("/login?resume=" in link for link in read(answer).links)
    assert session_cookie(party.http) is None  # type: ignore[arg-type]


@pytest.mark.settings(password_hash_concurrency=1)
def test_tokens_are_minted_while_passwords_wait(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    service, page = RelyingParty(party.http.fresh(), make_client(runtime, "service")), open_page(party)
    hashing, answers = password_hash(runtime), []
    waiting = threading.Thread(target=lambda: answers.append(send(party, person.email, person.password, page)))
    with hashing._place():
        waiting.start()
        assert service.client_credentials().status == 200
        assert answers == []
    waiting.join()
    assert [answer.status for answer in answers] == [303]


def test_a_sign_in_is_audited_with_its_client_and_place(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    page = open_page(party)
    send(party, person.email, "wrong", page)
    send(party, person.email, person.password, page)
    with transaction(runtime.engine) as db:
        events = sorted(list_events(db), key=lambda event: event.outcome)
    assert [(event.action, event.outcome, event.because) for event in events] == [
        ("sign_in", "ok", ""),
        ("sign_in", "refused", "wrong password"),
    ]
    assert {(event.client_id, event.subject, event.address_prefix) for event in events} == {
        (party.made.client_id, person.subject, "192.0.2.0/24")
    }


def test_a_popup_keeps_its_opener_where_the_client_says_that_it_is_one(party: RelyingParty) -> None:
    assert open_page(party).answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert open_page(party, display="popup").answer.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "Cross-Origin-Opener-Policy" not in party.begin(display="popup").answer.headers


def test_the_pages_of_a_flow_have_no_form_action(party: RelyingParty, person: Person) -> None:
    assert "form-action" not in open_page(party).answer.headers["Content-Security-Policy"]
    party.authorize(person)
    for prompt in ("select_account", "consent"):
        assert "form-action" not in open_page(party, prompt=prompt).answer.headers["Content-Security-Policy"]


@pytest.mark.spec("RFC 6819", "5.1.4.2")
def test_a_browser_has_a_few_waiting_requests_at_most(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    targets = [str(party.begin().answer.location) for _ in range(12)]
    with transaction(runtime.engine) as db:
        assert count(db, authorization_requests) <= 10
    assert "This sign-in is over" in read(party.http.get(targets[0])).text
    assert read(party.http.get(targets[-1])).asks_for_password
