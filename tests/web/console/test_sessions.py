"""Sessions in the console: who is signed in where, and signing them out."""

import pytest

from authserver.admin.sessions import live_sessions
from authserver.runtime import Runtime
from tests.counts import Counts
from tests.factories import Person, make_client, make_user
from tests.pages import read
from tests.web.console.people import MARKUP, browser, events, flash, form_to, has_form_to, next_page, operating, use


@pytest.fixture
def ida(runtime: Runtime) -> Person:
    return make_user(runtime, "ida@example.net")


def sign_in(http, person: Person, user_agent: str = "") -> None:
    other = browser(http, user_agent)
    assert read(other.get("/login")).form("password").submit(other, email=person.email, password=person.password).status == 303


def sessions_of(runtime: Runtime, person: Person) -> list[str]:
    with operating(runtime) as operation:
        return [session.sid for session in live_sessions(operation, person.subject)]


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari on macOS"),
        ("curl/8.0", "curl/8.0"),
        ("", "unknown browser"),
        (MARKUP, MARKUP),
    ],
)
def test_a_session_is_listed_with_its_browser_and_place(console, ida, user_agent, shown):
    http = console()
    sign_in(http, ida, user_agent)
    page = read(http.get("/admin/sessions"))
    assert f"ida@example.net {shown} 192.0.2.0/24" in page.text
    assert "<script>alert" not in page.answer.text


def test_the_list_narrows_to_a_user_by_address_or_id(console, runtime, ida):
    http, other = console(), make_user(runtime, "grace@example.net")
    for person in (ida, other):
        sign_in(http, person)
    for named in (ida.email, ida.subject):
        text = read(http.get(f"/admin/sessions?user={named}")).text
        assert "ida@example.net unknown browser" in text
        assert "grace@example.net" not in text


@pytest.mark.parametrize(
    ("query", "text"), [("user=nobody@example.net", "There is no user"), ("user=nonsense", "There is no user"), ("page=x", "Page token")]
)
def test_a_filter_that_finds_nothing_says_why(console, query, text):
    page = read(console().get(f"/admin/sessions?{query}"))
    assert page.answer.status == 422
    assert text in page.text


def test_somebody_who_is_signed_in_nowhere_is_said_so(console, ida):
    assert "Signed in nowhere" in read(console().get(f"/admin/sessions?user={ida.email}")).text


def test_a_browser_is_signed_out_at_once(console, runtime, ida):
    http, made = console(), make_client(runtime, "spa", consent="skipped")
    tokens = use(http, made, ida)
    (sid,) = sessions_of(runtime, ida)
    answer = form_to(read(http.get(f"/admin/sessions?user={ida.email}")), f"/{sid}/end").submit(http)
    assert "That browser is signed out." in flash(http, answer)
    assert str(answer.location).endswith(f"/admin/sessions?user={ida.email}")
    assert sessions_of(runtime, ida) == []
    assert (
        http.fresh()
        .post("/oauth2/token", {"grant_type": "refresh_token", "client_id": made.client_id, "refresh_token": tokens["refresh_token"]})
        .error
        == "invalid_grant"
    )
    assert events(runtime, "session.revoke")[0].subject == ida.subject


def test_a_browser_that_was_signed_out_meanwhile_is_no_error(console, runtime, ida):
    http = console()
    sign_in(http, ida)
    (sid,) = sessions_of(runtime, ida)
    form = form_to(read(http.get("/admin/sessions")), f"/{sid}/end")
    assert [flash(http, form.submit(http)).count("signed out before") for _ in range(2)] == [0, 1]
    assert (
        http.post("/admin/sessions/00000000-0000-4000-8000-000000000000/end", form.fields, headers={"Sec-Fetch-Site": "same-origin"}).status
        == 404
    )


def test_a_user_is_signed_out_everywhere(console, runtime, ida):
    http = console()
    for _ in range(3):
        sign_in(http, ida)
    page = read(http.get(f"/admin/sessions?user={ida.email}"))
    assert "3 sessions have ended." in flash(http, form_to(page, "/end-all").submit(http))
    assert sessions_of(runtime, ida) == []


def test_one_does_not_sign_oneself_out_by_mistake(console):
    page = read(console().get("/admin/sessions"))
    assert "this one" in page.text
    assert not has_form_to(page, "/end")


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_who_may_only_look_sees_no_button_and_is_refused(console, runtime, ida, role):
    http = console(role)
    sign_in(http, ida)
    (sid,) = sessions_of(runtime, ida)
    assert not has_form_to(read(http.get("/admin/sessions")), "/end")
    for path in (f"/admin/sessions/{sid}/end", "/admin/sessions/end-all"):
        assert http.post(path, {"user": ida.subject}, headers={"Sec-Fetch-Site": "same-origin"}).status == 403
    assert sessions_of(runtime, ida) == [sid]


def test_support_signs_no_owner_out(console, runtime, administrator):
    http, owner = console("support"), administrator("owner")
    sign_in(http, owner)
    page = read(http.get(f"/admin/sessions?user={owner.email}"))
    assert form_to(page, "/end").submit(http).status == 403
    assert form_to(page, "/end-all").submit(http).status == 403
    assert len(sessions_of(runtime, owner)) == 1


@pytest.mark.settings(sign_in_limit_address="1000/5minutes", sign_in_limit_account="1000/5minutes")
def test_the_list_goes_on_and_asks_the_database_little(console, runtime, counts: Counts):
    http = console()
    people = [make_user(runtime) for _ in range(20)]
    for number in range(60):
        sign_in(http, people[number % 20])
    with counts.measure() as tally:
        first = read(http.get("/admin/sessions"))
    assert len(tally.reads) < 10
    second = read(http.get(next_page(first)))
    assert len([form for page in (first, second) for form in page.forms if form.action.endswith("/end")]) == 60


def test_the_page_says_the_same_as_a_command_and_a_call(console, ida):
    text = read(console().get(f"/admin/sessions?user={ida.email}")).text
    assert "authserver sessions list --user ida@example.net" in text
    assert "/admin/api/v1/sessions?user=ida%40example.net" in text
