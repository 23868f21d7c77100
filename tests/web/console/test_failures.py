"""Recent failures: each refused request beside the registration that it did not fit, and mended from there."""

import pytest

from authserver.admin.clients import get_client, update_client_metadata
from authserver.runtime import Runtime
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, Made, make_client, make_resource_server, make_user
from tests.http_client import Answer, InProcess
from tests.pages import Page, read
from tests.relying_party import RelyingParty
from tests.web.console.people import MARKUP, events, flash, form_to, has_form_to, next_page, operating

URI = "https://app.example.org/callback"


@pytest.fixture
def shop(runtime: Runtime) -> Made:
    make_resource_server(runtime)
    return make_client(runtime, "spa", client_id="shop", client_name="Example Shop", redirect_uris=[URI], apis=[API])


def error_id(answer: Answer) -> str:
    return answer.headers["X-Request-Id"]


def refused(http: InProcess, made: Made, **asked) -> str:
    """Have an authorization request refused, and return its error id."""
    return error_id(RelyingParty(http.fresh(), made).begin(**asked).answer)


def registered(runtime: Runtime, client_id: str = "shop") -> dict:
    with operating(runtime) as operation:
        return dict(get_client(operation, client_id).metadata)


def explained(http: InProcess, identifier: str) -> Page:
    return read(http.get(f"/admin/failures/{identifier}"))


def test_a_refused_request_is_listed_with_its_application_and_error(console, shop):
    http = console()
    refused(http, shop, redirect_uri=f"{URI}/")
    page = read(http.get("/admin/failures"))
    assert "The redirect URI is not registered" in page.text
    assert "Example Shop 2026-12-01 12:00 bad_redirect_uri authorize" in page.text
    assert any(link.endswith("/admin/applications/of/shop") for link in page.links)


@pytest.mark.parametrize(
    ("asked", "difference", "marked"),
    [
        (f"{URI}/", "at character 33: a slash at the end", f'{URI}<mark class="was">/</mark></dd>'),
        (f"{URI[:-8]}Callback", "at character 25: upper and lower case", '<mark class="was">C</mark>allback'),
        (URI.replace("https", "http"), "at character 5: scheme http instead of https", "http<mark"),
        (URI.replace("app.", "www."), "at character 9: host www.example.org instead of app.example.org", '<mark class="was">www</mark>'),
    ],
)
def test_it_says_where_the_redirect_uri_differs(console, shop, asked, difference, marked):
    http = console()
    page = explained(http, refused(http, shop, redirect_uri=asked))
    assert f"It differs from {URI} {difference}." in page.text
    assert marked in page.answer.text


def test_a_redirect_uri_is_added_and_the_same_request_passes(console, runtime, shop, clock: Clock):
    http = console()
    identifier = refused(http, shop, redirect_uri=f"{URI}/")
    page = explained(http, identifier)
    assert f"+ {URI}/" in page.text
    assert "Add this URI" in page.text
    assert "Example Shop is mended" in flash(http, form_to(page, "/mend").submit(http))
    assert registered(runtime)["redirect_uris"] == [URI, f"{URI}/"]
    clock.advance(seconds=6)
    assert RelyingParty(http.fresh(), shop).begin(redirect_uri=f"{URI}/").answer.status == 303
    again = explained(http, identifier)
    assert "It is registered now, so the same request would pass." in again.text
    assert not has_form_to(again, "/mend")
    noted = events(runtime, "client.update")[0]
    assert noted.details["after"]["redirect_uris"] == [URI, f"{URI}/"]
    assert "@" in noted.actor


def test_the_mend_adds_what_is_shown_and_not_what_a_form_says(console, runtime, shop):
    http = console()
    form = form_to(explained(http, refused(http, shop, redirect_uri=f"{URI}/")), "/mend")
    form.submit(http, value="https://evil.example/", redirect_uris="https://evil.example/", redirect_uri="https://evil.example/")
    assert registered(runtime)["redirect_uris"] == [URI, f"{URI}/"]


def test_a_mend_is_made_once(console, runtime, shop):
    http = console()
    form = form_to(explained(http, refused(http, shop, redirect_uri=f"{URI}/")), "/mend")
    assert [form.submit(http).status for _ in range(2)] == [303, 409]
    assert registered(runtime)["redirect_uris"] == [URI, f"{URI}/"]


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "http://evil.example/", "https://app.example.org/#x", "https://x/" + MARKUP, "nonsense"]
)
def test_what_may_not_be_registered_is_explained_and_not_offered(console, runtime, shop, uri):
    http = console()
    page = explained(http, refused(http, shop, redirect_uri=uri))
    assert page.answer.status == 200
    assert not has_form_to(page, "/mend")
    assert registered(runtime)["redirect_uris"] == [URI]


def test_what_a_file_manages_is_mended_there(console, runtime, shop):
    http = console()
    with operating(runtime) as operation:
        from dataclasses import replace

        update_client_metadata(replace(operation, owner="clients.yaml"), "shop", {})
    page = explained(http, refused(http, shop, redirect_uri=f"{URI}/"))
    assert not has_form_to(page, "/mend")


def test_a_scope_that_may_not_be_asked_for_is_allowed_from_here(console, runtime):
    make_resource_server(runtime)
    http, made = console(), make_client(runtime, "spa", client_id="shop", apis=[API], scope="openid read")
    page = explained(http, str(error_id(RelyingParty(http.fresh(), made).begin(scope="openid write").answer)))
    assert "not allowed to ask for write" in page.text
    flash(http, form_to(page, "/mend").submit(http))
    assert registered(runtime)["scope"].split() == ["openid", "read", "write"]


def test_a_client_that_nobody_registered_is_named(console, shop):
    http = console()
    page = explained(http, refused(http, shop, client_id="shopp"))
    assert "No client is registered under shopp." in page.text
    assert "There is no application of that client id." in page.text
    assert not has_form_to(page, "/mend")


def test_a_refused_token_request_is_explained_without_its_secret(console, runtime):
    http, made = console(), make_client(runtime, "service", client_id="nightly", secret="s" * 40)
    data = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": "wrong-" + "w" * 40}
    identifier = error_id(http.fresh().post("/oauth2/token", data))
    page = explained(http, identifier)
    assert "The client did not prove who it is" in page.text
    assert "client_secret_post" in page.text
    for secret in ("wrong-", made.secret):
        assert secret not in page.answer.text


def test_the_list_narrows_to_an_application(console, runtime, shop):
    http, other = console(), make_client(runtime, "spa", client_id="other", client_name="Other")
    for made in (shop, other):
        refused(http, made, redirect_uri=f"{URI}/x")
    text = read(http.get("/admin/failures?client_id=other")).text
    assert "Other" in text
    assert "Example Shop" not in text
    assert "had no refused request" in read(http.get("/admin/failures?client_id=none")).text


def test_an_error_id_leads_to_its_failure(console, shop):
    http = console()
    identifier = refused(http, shop, redirect_uri=f"{URI}/")
    answer = http.get(f"/admin/failures?client_id=&error_id=%20{identifier}%20")
    assert str(answer.location).endswith(f"/admin/failures/{identifier}")


@pytest.mark.parametrize("identifier", ["none", MARKUP.replace("/", "%2F"), "x" * 300, "%00"])
def test_an_error_id_that_is_none_says_so(console, identifier):
    http = console()
    answer = http.get(f"/admin/failures/{identifier}")
    assert answer.status == 404
    assert "<script>alert" not in answer.text
    assert "no refused request" in read(answer).text.lower() or "Page not found" in read(answer).text


def test_stored_markup_is_text(console, runtime):
    http, odd = console(), make_client(runtime, "spa", client_id="odd", client_name=MARKUP)
    identifier = refused(http, odd, redirect_uri=f"https://app.example.org/{MARKUP}", state=MARKUP, scope=MARKUP)
    refused(http, odd, client_id=MARKUP)
    for path in ("/admin/failures", f"/admin/failures/{identifier}"):
        text = http.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(("role", "mends"), [("owner", True), ("admin", True), ("support", False), ("auditor", False)])
def test_only_who_may_change_applications_mends_one(console, runtime, shop, role, mends):
    http = console(role)
    identifier = refused(http, shop, redirect_uri=f"{URI}/")
    page = explained(http, identifier)
    assert "It differs from" in page.text
    assert has_form_to(page, "/mend") == mends
    mark = next(form.fields["csrf_token"] for form in page.forms if "csrf_token" in form.fields)
    answer = http.post(f"/admin/failures/{identifier}/mend", {"csrf_token": mark}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == (303 if mends else 403)
    assert len(registered(runtime)["redirect_uris"]) == (2 if mends else 1)


def test_a_form_of_another_site_mends_nothing(console, runtime, shop):
    http = console()
    form = form_to(explained(http, refused(http, shop, redirect_uri="https://evil.example/")), "/mend")
    assert http.post(form.action, form.fields, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert registered(runtime)["redirect_uris"] == [URI]


def test_the_list_says_how_long_it_goes_back(console):
    assert "refused in the last 7 days" in read(console().get("/admin/failures")).text


def test_the_list_goes_on_and_asks_the_database_little(console, shop, clock: Clock, counts: Counts):
    http = console()
    for number in range(60):
        if number % 30 == 29:
            clock.advance(minutes=1)
        refused(http, shop, redirect_uri=f"{URI}/{number}")
    with counts.measure() as tally:
        first = read(http.get("/admin/failures?client_id=shop"))
    assert len(tally.reads) < 10
    second = read(http.get(next_page(first)))
    seen = [link for page in (first, second) for link in page.links if "/admin/failures/" in link and "#" not in link]
    assert len(set(seen)) == 60


def test_a_failed_sign_in_is_mended_and_then_works(console, runtime, shop, clock: Clock):
    http, ida = console(), make_user(runtime)
    party = RelyingParty(http.fresh(), shop)
    failed = party.begin(redirect_uri=f"{URI}/")
    assert failed.answer.status == 400
    shown = error_id(failed.answer)
    assert shown in read(failed.answer).text
    form_to(explained(http, shown), "/mend").submit(http)
    clock.advance(seconds=6)
    callback = party.authorize(ida, redirect_uri=f"{URI}/")
    assert party.redeem(callback, redirect_uri=f"{URI}/").status == 200


def test_the_page_says_the_same_as_a_command_and_a_call(console, shop):
    http = console()
    identifier = refused(http, shop, redirect_uri=f"{URI}/")
    text = explained(http, identifier).text
    assert f"authserver explain {identifier}" in text
    assert f"/admin/api/v1/failures/{identifier}" in text
