"""Forms cannot be sent by another site, another browser, or without our page."""

import pytest
from werkzeug.datastructures import Headers

from authserver.runtime import Runtime
from authserver.web.forms import is_own_page
from tests.factories import ISSUER, Made, Person, make_client, make_user
from tests.http_client import Answer, InProcess
from tests.pages import Form, follow, read
from tests.relying_party import RelyingParty

EVIL = "https://evil.example"


@pytest.mark.spec("ASVS 5.0", "3.5.1")
@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({}, True),
        ({"Origin": ISSUER}, True),
        ({"Origin": "null"}, True),
        ({"Origin": EVIL}, False),
        ({"Origin": "http://login.example.com"}, False),
        ({"Origin": ISSUER + ".evil.example"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": ISSUER}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ISSUER}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, False),
    ],
)
def test_what_browsers_say_of_the_origin_decides(headers: dict[str, str], is_own: bool) -> None:
    assert is_own_page(Headers(headers), ISSUER) is is_own


def test_the_origin_of_an_issuer_with_a_path_has_none() -> None:
    assert is_own_page(Headers({"Origin": ISSUER}), f"{ISSUER}/auth")


@pytest.fixture
def made(runtime: Runtime) -> Made:
    return make_client(runtime)


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime)


def sign_in_form(http: InProcess, made: Made) -> Form:
    return read(follow(http, RelyingParty(http, made).begin().answer)).form("password")


def send(http: InProcess, form: Form, person: Person, **changes: str) -> Answer:
    return form.submit(http, email=person.email, password=person.password, **changes)


def is_signed_in(http: InProcess) -> bool:
    return any(name.endswith("-session") for name in http.cookies())


def test_a_form_of_another_site_is_refused(http: InProcess, made: Made, person: Person) -> None:
    form = sign_in_form(http, made)
    data = {**form.fields, "email": person.email, "password": person.password}
    for headers in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
        answer = http.post(form.action, data, headers=headers)
        assert answer.status == 403
        assert not is_signed_in(http)


@pytest.mark.parametrize("mark", [None, "", "x", "x.y.z", "é", "\x00", "." * 500])
def test_a_form_without_our_mark_is_refused_with_a_way_on(http: InProcess, made: Made, person: Person, mark: str | None) -> None:
    form = sign_in_form(http, made)
    del form.fields["csrf_token"]
    answer = send(http, form, person, **({} if mark is None else {"csrf_token": mark}))
    assert answer.status == 400
    assert not is_signed_in(http)
    [again] = [link for link in read(answer).links if "/login?" in link]
    assert send(http, read(http.get(again)).form("password"), person).status == 303


def test_a_mark_made_for_another_browser_is_refused(http: InProcess, made: Made, person: Person) -> None:
    theirs = sign_in_form(http.fresh(), made).fields["csrf_token"]
    assert send(http, sign_in_form(http, made), person, csrf_token=theirs).status == 400


def test_a_form_holds_in_two_tabs_and_after_the_back_button(http: InProcess, made: Made, person: Person) -> None:
    first, second = sign_in_form(http, made), sign_in_form(http, made)
    assert first.fields["csrf_token"] != second.fields["csrf_token"]
    assert [send(http, form, person).status for form in (second, first, first)] == [303, 303, 303]


def test_without_cookies_a_form_says_so(http: InProcess, made: Made, person: Person) -> None:
    form = sign_in_form(http, made)
    http.client._cookies.clear()
    answer = send(http, form, person)
    assert answer.status == 400
    assert "Cookies are turned off" in read(answer).text


def test_a_form_without_a_waiting_request_names_the_browser_itself(http: InProcess, person: Person) -> None:
    form = read(http.get("/login")).form("password")
    answer = send(http, form, person)
    assert (answer.status, answer.location) == (303, f"{ISSUER}/")
    assert person.email in read(http.get("/")).text


def test_without_cookies_even_that_form_says_so(http: InProcess, person: Person) -> None:
    form = read(http.get("/login")).form("password")
    answer = send(http.fresh(), form, person)
    assert "Cookies are turned off" in read(answer).text
