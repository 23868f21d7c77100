"""Setting the server up: the first owner by a one-time link, from there to the console."""

import pytest

from authserver.admin.links import setup_link
from authserver.admin.roles import role_of
from authserver.admin.users import get_user
from authserver.identity.password import password_hash
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import count, transaction
from authserver.store.user import users
from tests.administrators import sign_in_to_console
from tests.clock import Clock
from tests.factories import Person, make_user
from tests.http_client import Answer, InProcess
from tests.pages import follow, read
from tests.web.console.people import operating

PASSWORD = "a phrase that the owner likes"


@pytest.fixture
def link(runtime: Runtime) -> str:
    with operating(runtime) as operation:
        return setup_link(operation)


def send(http: InProcess, link: str, email: str = "ada@example.net", password: str = PASSWORD, repeated: str | None = None) -> Answer:
    form = read(http.get(link)).form("password")
    return form.submit(http, email=email, password=password, repeated=password if repeated is None else repeated)


def people(runtime: Runtime) -> int:
    with transaction(runtime.engine) as db:
        return count(db, users)


def test_from_the_link_to_the_console(http, runtime, link):
    page = read(http.get(link))
    assert (page.answer.status, "You become its owner" in page.text) == (200, True)
    answer = send(http, link)
    assert (answer.status, str(answer.location).endswith("/admin/sign-in")) == (303, True)
    form = read(follow(http, answer)).form("password")
    home = follow(http, form.submit(http, email="ada@example.net", password=PASSWORD))
    text = read(home).text
    assert home.url.endswith("/admin")
    assert "Welcome. You are the owner of this server" in text
    assert "First steps" in text
    with operating(runtime) as operation:
        assert role_of(operation, get_user(operation, "ada@example.net").id) == "owner"


def test_the_page_shows_no_navigation_and_nobody(http, link):
    page = read(http.get(link))
    assert "Audit log" not in page.text
    assert "Sign out" not in page.text


@pytest.mark.spec("ASVS 5.0", "6.3.2")
def test_without_a_link_nobody_becomes_owner(http, runtime):
    for token in ("", "x", "é" * 2000):
        answer = http.get(f"/admin/setup?token={token}")
        assert answer.status == 404
        assert "authserver admins link" in read(answer).text
    http.get("/login")
    answer = http.post("/admin/setup", {"token": "x", "email": "mallory@example.net", "password": PASSWORD, "repeated": PASSWORD})
    assert answer.status >= 400
    assert people(runtime) == 0


def test_the_link_works_once_and_for_fifteen_minutes(http, runtime, clock: Clock, link):
    clock.advance(minutes=14)
    form = read(http.get(link)).form("password")
    assert send(http, link).status == 303
    assert http.get(link).status == 404
    assert form.submit(http, email="mallory@example.net", password=PASSWORD, repeated=PASSWORD).status == 404
    with operating(runtime) as operation:
        newer = setup_link(operation)
    clock.advance(minutes=16)
    assert http.get(newer).status == 404
    assert people(runtime) == 1


def test_a_newer_link_replaces_the_one_before(http, runtime, link):
    with operating(runtime) as operation:
        newer = setup_link(operation)
    assert [http.get(address).status for address in (link, newer)] == [404, 200]


def test_opening_the_link_spends_nothing(http, link):
    for _ in range(3):
        assert http.fresh().get(link).status == 200


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"email": "nonsense"}, "email", "must be an address"),
        ({"email": ""}, "email", "must be an address"),
        ({"password": "short"}, "password", "at least 15 characters"),
        ({"password": ""}, "password", "at least 15 characters"),
        ({"password": "ü" * 600}, "password", "at most 1024 bytes"),
        ({"repeated": PASSWORD + "!"}, "repeated", "must be the same"),
    ],
)
def test_what_is_wrong_is_named_and_the_link_stays_good(http, runtime, link, values, field, text):
    answer = send(http, link, **values)
    page = read(answer)
    assert (answer.status, people(runtime)) == (422, 0)
    assert text in page.text
    assert f'href="#{field}"' in answer.text
    assert page.form("password").fields["email"] == values.get("email", "ada@example.net")
    assert PASSWORD not in answer.text
    assert send(http, link).status == 303


def test_somebody_who_is_here_already_is_told_the_command(http, runtime, link):
    here: Person = make_user(runtime, "ada@example.net")
    page = read(send(http, link))
    assert page.answer.status == 422
    assert "authserver admins grant ada@example.net owner" in page.text
    assert sign_in_to_console(http.fresh(), here).status in (200, 403)
    with operating(runtime) as operation:
        assert role_of(operation, here.user.id) == ""


def test_a_second_owner_can_be_made_by_another_link(http, runtime, link):
    send(http, link)
    with operating(runtime) as operation:
        another = setup_link(operation)
    assert send(http.fresh(), another, email="grace@example.net").status == 303
    assert people(runtime) == 2


def test_a_form_of_another_site_makes_nobody(http, runtime, link):
    form = read(http.get(link)).form("password")
    data = {**form.fields, "email": "mallory@example.net", "password": PASSWORD, "repeated": PASSWORD}
    assert http.post(form.action, data, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert http.fresh().post(form.action, data).status == 400
    assert people(runtime) == 0


def test_it_is_in_the_audit_log_without_the_password_or_the_link(http, runtime, link):
    send(http, link)
    with transaction(runtime.engine) as db:
        noted = list_events(db, 50)
    assert {"setup.link", "user.create", "user.set_role"} <= {event.action for event in noted}
    assert PASSWORD not in repr(noted)
    assert link.partition("token=")[2] not in repr(noted)


@pytest.mark.settings(password_hash_concurrency=1, database_connections=3)
def test_when_too_many_passwords_are_hashed_the_link_stays_good(http, runtime, link):
    form = read(http.get(link)).form("password")
    values = {"email": "ada@example.net", "password": PASSWORD, "repeated": PASSWORD}
    with password_hash(runtime)._place():
        answer = form.submit(http, **values)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert form.submit(http, **values).status == 303


def test_the_page_is_neither_kept_nor_framed_nor_does_it_give_its_address_away(http, link):
    headers = http.get(link).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
