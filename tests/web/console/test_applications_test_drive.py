"""The test drive: a twin of the application goes through the real flow, everything is shown, and nothing is left."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from authserver.admin.janitor import sweep
from authserver.store.base import transaction
from authserver.store.client import TEST_DRIVE, find_client, list_owned_clients
from tests.factories import API, make_client, make_key, make_resource_server
from tests.pages import follow, read
from tests.web.console.test_applications import form_of, stored


def twins(runtime):
    with transaction(runtime.engine) as db:
        return list_owned_clients(db, TEST_DRIVE)


def start(http, made):
    return form_of(http.get(f"/admin/applications/test-drive/{made.client_id}"), "/test-drive/").submit(http)


def allow(http, answer):
    """Follow the browser; allow where it is asked."""
    answer = follow(http, answer)
    if "/consent" in answer.url:
        answer = follow(http, read(answer).forms[-1].submit(http, "allow"))
    return answer


@pytest.fixture(autouse=True)
def _api(runtime):
    make_resource_server(runtime)


@pytest.mark.parametrize(
    ("kind", "metadata", "steps"),
    [
        ("spa", {}, 4),
        ("native", {"redirect_uris": ["com.example.app:/cb"]}, 4),
        ("web", {}, 5),
        ("web", {"token_endpoint_auth_method": "client_secret_post", "response_modes": ["form_post"]}, 5),
        ("web", {"grant_types": ["authorization_code"], "scope": "read"}, 3),
        ("web", {"userinfo_signed_response_alg": "RS256", "consent": "skipped", "require_pkce": False}, 5),
        ("service", {}, 2),
    ],
)
def test_it_shows_each_step_and_leaves_nothing_behind(console, runtime, kind, metadata, steps):
    made, http = make_client(runtime, kind, apis=[API], **metadata), console()
    answer = allow(http, start(http, made))
    page = read(answer)
    assert answer.status == 200
    assert "It works" in page.text
    assert f"{steps} steps" in page.text
    assert answer.text.count('<li class="good">') == steps
    assert '<li class="bad">' not in answer.text
    assert twins(runtime) == []
    assert stored(runtime, made.client) == made.client


def test_an_opaque_token_is_shown_as_one_and_more_scopes_than_fit_are_left_out(console, runtime):
    scopes = {f"thing-number-{number}:{'x' * 60}": "Do it" for number in range(60)}
    make_resource_server(runtime, "https://opaque.example.com", token_format="opaque", scopes=scopes)
    made, http = make_client(runtime, "web", apis=["https://opaque.example.com"]), console()
    answer = allow(http, start(http, made))
    assert "It works" in read(answer).text
    assert "opaque: only this server knows what it says" in read(answer).text


def test_what_is_shown_cannot_be_used(console, runtime, http):
    made, browser = make_client(runtime, "web", apis=[API]), console()
    begun = start(browser, made)
    asked = parse_qs(urlsplit(begun.location).query)
    answer = allow(browser, begun)
    assert len(re.findall(r"eyJ[\w-]+…", answer.text)) >= 3
    assert not re.findall(r"eyJ[\w-]{20}", answer.text)
    code = parse_qs(urlsplit(answer.url).query)["code"][0]
    assert code not in answer.text
    assert asked["state"][0] in answer.text
    assert "refresh_token" in answer.text
    assert made.secret not in answer.text


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_the_twin_authenticates_by_a_secret_of_its_own(console, runtime, method):
    key = make_key() if method == "private_key_jwt" else None
    made, http = make_client(runtime, "service", key=key, apis=[API]), console()
    page = http.get(f"/admin/applications/test-drive/{made.client_id}")
    assert ("Only your application has its private key" in read(page).text) is (key is not None)
    assert "It works" in read(allow(http, start(http, made))).text


def test_a_denial_is_shown_as_what_it_is(console, runtime):
    made, http = make_client(runtime, "spa"), console()
    answer = follow(http, start(http, made))
    answer = follow(http, read(answer).forms[-1].submit(http, "deny"))
    assert "It did not go all the way" in read(answer).text
    assert "error=access_denied" in read(answer).text
    assert twins(runtime) == []


def test_the_page_is_shown_once(console, runtime):
    made, http = make_client(runtime, "service", apis=[API]), console()
    answer = allow(http, start(http, made))
    assert answer.status == 200
    again = http.get(answer.url)
    assert again.status == 410
    assert "This test drive is over" in read(again).text


def test_it_takes_no_longer_than_ten_minutes(console, runtime, clock):
    made, http = make_client(runtime, "service", apis=[API]), console()
    answer = start(http, made)
    clock.advance(minutes=10)
    assert follow(http, answer).status == 410


def test_an_answer_that_is_not_to_our_request_is_not_redeemed(console, runtime):
    made, http = make_client(runtime, "web"), console()
    start(http, made)
    answer = http.get(f"{http.issuer}/admin/test-drive/callback?code=x&state=y&iss={http.issuer}")
    assert "It did not go all the way" in read(answer).text
    assert answer.text.count("<li class=") == 1


def test_twins_are_in_no_list(console, runtime):
    made, http = make_client(runtime, "web", client_name="Shop"), console()
    start(http, made)
    (twin,) = twins(runtime)
    for path in ("/admin/applications", "/admin/applications?q=shop", "/admin/applications?q=test-drive", "/admin/applications?kind=web"):
        assert twin not in http.get(path).text


@pytest.mark.parametrize("by", ["the next one", "the janitor"])
def test_a_twin_that_nobody_finished_is_deleted_by(console, runtime, clock, by):
    made, http = make_client(runtime, "service", apis=[API]), console()
    start(http, made)
    (twin,) = twins(runtime)
    clock.advance(minutes=11)
    if by == "the janitor":
        sweep(runtime)
        assert twins(runtime) == []
    else:
        start(http, made)
        assert twin not in twins(runtime)


def test_a_device_has_none_yet_and_a_disabled_application_neither(console, runtime):
    device, made, http = make_client(runtime, "device"), make_client(runtime, "service"), console()
    assert "Comes with device authorization" in read(http.get(f"/admin/applications/test-drive/{device.client_id}")).text
    form = form_of(http.get(f"/admin/applications/test-drive/{made.client_id}"), "/test-drive/")
    form_of(http.get(f"/admin/applications/danger/{made.client_id}"), "/disable/").submit(http)
    assert "Not while it is disabled" in read(http.get(f"/admin/applications/test-drive/{made.client_id}")).text
    assert form.submit(http).status == 409
    assert (
        http.post(f"/admin/applications/test-drive/{device.client_id}", form.fields, headers={"Sec-Fetch-Site": "same-origin"}).status
        == 422
    )
    assert twins(runtime) == []


def test_nobody_drives_what_may_do_more_than_they_may(console, runtime):
    api = f"{runtime.settings.issuer}/admin/api/v1"
    made, http = make_client(runtime, "service", apis=[api], scope="keys:write"), console("admin")
    other = make_client(runtime, "service", apis=[API])
    form = form_of(http.get(f"/admin/applications/test-drive/{other.client_id}"), "/test-drive/")
    answer = http.post(f"/admin/applications/test-drive/{made.client_id}", form.fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 403
    assert twins(runtime) == []


def test_the_twins_secret_is_in_no_cookie_that_can_be_read(console, runtime):
    made, http = make_client(runtime, "web"), console()
    start(http, made)
    name, value = next((name, value) for name, value in http.cookies().items() if name.endswith("test-drive"))
    assert "test-drive-" not in value
    cookie = next(cookie for cookie in http.client._cookies.values() if cookie.key == name)
    assert cookie.http_only
    assert cookie.secure


def test_a_client_of_that_name_that_is_no_twin_stays(console, runtime, clock):
    made, http = make_client(runtime, "service", client_id="test-drive-mine", apis=[API]), console()
    clock.advance(days=2)
    sweep(runtime)
    with transaction(runtime.engine) as db:
        assert find_client(db, made.client_id) is not None
    assert http.fresh().get("/livez").status == 200
