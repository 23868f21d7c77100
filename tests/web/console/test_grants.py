"""Grants in the console: what users gave to applications, and ending it."""

import pytest

from authserver.admin.grants import live_grants
from authserver.runtime import Runtime
from authserver.store.consent import list_consents
from tests.counts import Counts
from tests.factories import API, Made, Person, make_client, make_resource_server, make_user
from tests.pages import read
from tests.web.console.people import MARKUP, events, flash, form_to, has_form_to, next_page, operating, use


@pytest.fixture
def ida(runtime: Runtime) -> Person:
    return make_user(runtime, "ida@example.net")


@pytest.fixture
def photos(runtime: Runtime) -> Made:
    make_resource_server(runtime)
    return make_client(runtime, "spa", client_name="Acme Photos", client_id="photos", apis=[API])


@pytest.fixture
def mails(runtime: Runtime) -> Made:
    return make_client(runtime, "spa", client_name="Acme Mails", client_id="mails")


def grants_of(runtime: Runtime, person: Person) -> list[str]:
    with operating(runtime) as operation:
        return [grant.shown_id for grant in live_grants(operation, person.subject)]


def consents_of(runtime: Runtime, person: Person) -> list[str]:
    with operating(runtime) as operation:
        return [consent.client_id for consent in list_consents(operation.db, person.user.id)]


def test_a_grant_is_listed_with_whom_what_and_until_when(console, photos, ida):
    http = console()
    use(http, photos, ida, scope="openid offline_access read")
    text = read(http.get("/admin/grants?client_id=photos")).text
    assert "ida@example.net Acme Photos openid offline_access read https://api.example.com 2026-12-01 12:00 not yet" in text
    assert "offline" in text


def test_the_list_narrows_to_a_user_and_an_application(console, runtime, photos, mails, ida):
    http, grace = console(), make_user(runtime, "grace@example.net")
    use(http, photos, ida)
    use(http, mails, ida)
    use(http, photos, grace)
    for query, count in (
        ("user=ida@example.net", 2),
        ("client_id=photos", 2),
        (f"user={ida.subject}&client_id=photos", 1),
        ("client_id=none", 0),
    ):
        page = read(http.get(f"/admin/grants?{query}"))
        assert len([form for form in page.forms if form.action.endswith("/end")]) == count, query


@pytest.mark.parametrize("query", ["user=nobody@example.net", "page=x"])
def test_a_filter_that_finds_nothing_says_why(console, query):
    page = read(console().get(f"/admin/grants?{query}"))
    assert page.answer.status == 422
    assert 'role="alert"' in page.answer.text


def test_without_grants_the_page_says_what_one_is(console):
    page = read(console().get("/admin/grants?client_id=nobody"))
    assert "No grants" in page.text


def test_a_grant_is_ended_at_once(console, runtime, photos, ida):
    http = console()
    tokens = use(http, photos, ida, scope="openid offline_access")
    (shown,) = grants_of(runtime, ida)
    answer = form_to(read(http.get("/admin/grants?client_id=photos")), f"/{shown}/end").submit(http)
    assert "The grant has ended." in flash(http, answer)
    assert str(answer.location).endswith("?client_id=photos")
    refresh = {"grant_type": "refresh_token", "client_id": "photos", "refresh_token": tokens["refresh_token"]}
    assert http.fresh().post("/oauth2/token", refresh).error == "invalid_grant"
    assert events(runtime, "grant.revoke")[0].details["grant"] == shown


def test_a_grant_that_ended_meanwhile_is_no_error(console, runtime, photos, ida):
    http = console()
    use(http, photos, ida)
    form = form_to(read(http.get("/admin/grants?client_id=photos")), "/end")
    assert [flash(http, form.submit(http)).count("had ended before") for _ in range(2)] == [0, 1]


def test_all_grants_to_an_application_are_ended_with_what_was_consented(console, runtime, photos, mails, ida):
    http, grace = console(), make_user(runtime, "grace@example.net")
    for person in (ida, grace):
        use(http, photos, person)
    use(http, mails, ida)
    page = read(http.get("/admin/grants?client_id=photos"))
    assert "2 grants have ended, and what was consented to is forgotten." in flash(http, form_to(page, "/end-all").submit(http))
    assert (consents_of(runtime, ida), consents_of(runtime, grace)) == (["mails"], [])


def test_all_grants_of_a_user_are_ended(console, runtime, photos, mails, ida):
    http = console()
    for made in (photos, mails):
        use(http, made, ida)
    page = read(http.get(f"/admin/grants?user={ida.email}"))
    form_to(page, "/end-all").submit(http)
    assert (grants_of(runtime, ida), consents_of(runtime, ida)) == ([], [])


def test_nothing_named_ends_nothing(console, runtime, photos, ida):
    http = console()
    use(http, photos, ida)
    assert not has_form_to(read(http.get("/admin/grants")), "/end-all")
    mark = form_to(read(http.get("/admin/grants")), "/end").fields["csrf_token"]
    assert http.post("/admin/grants/end-all", {"csrf_token": mark}, headers={"Sec-Fetch-Site": "same-origin"}).status == 422
    assert len(grants_of(runtime, ida)) == 1


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_who_may_only_look_sees_no_button_and_is_refused(console, runtime, photos, ida, role):
    http = console(role)
    use(http, photos, ida)
    (shown,) = grants_of(runtime, ida)
    page = read(http.get("/admin/grants?client_id=photos"))
    assert "Acme Photos" in page.text
    assert not has_form_to(page, "/end")
    for path in (f"/admin/grants/{shown}/end", "/admin/grants/end-all"):
        assert http.post(path, {"client_id": "photos"}, headers={"Sec-Fetch-Site": "same-origin"}).status == 403
    assert grants_of(runtime, ida) == [shown]


def test_support_ends_nothing_of_an_owner(console, runtime, photos, administrator):
    http, owner = console("support"), administrator("owner")
    use(http, photos, owner)
    page = read(http.get(f"/admin/grants?user={owner.email}"))
    assert form_to(page, "/end").submit(http).status == 403
    assert form_to(page, "/end-all").submit(http).status == 403
    assert len(grants_of(runtime, owner)) == 1


def test_stored_markup_is_text(console, runtime, ida):
    http = console()
    use(http, make_client(runtime, "spa", client_name=MARKUP, client_id="odd"), ida)
    page = read(http.get("/admin/grants?client_id=odd"))
    assert MARKUP in page.text
    assert "<script>alert" not in page.answer.text


@pytest.mark.settings(sign_in_limit_address="1000/5minutes", sign_in_limit_account="1000/5minutes")
def test_the_list_goes_on_and_asks_the_database_little(console, runtime, photos, counts: Counts):
    http = console()
    for _ in range(60):
        use(http, photos, make_user(runtime))
    with counts.measure() as tally:
        first = read(http.get("/admin/grants?client_id=photos"))
    assert len(tally.reads) < 10
    second = read(http.get(next_page(first)))
    assert len([form for page in (first, second) for form in page.forms if form.action.endswith("/end")]) == 60


def test_the_page_says_the_same_as_a_command_and_a_call(console, photos):
    text = read(console().get("/admin/grants?client_id=photos")).text
    assert "authserver grants list --client photos" in text
    assert "/admin/api/v1/grants?client_id=photos" in text
