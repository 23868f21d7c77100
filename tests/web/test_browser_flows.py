"""The pages in a real Chromium: the way back to every kind of client, and everything that people do on the way there."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.factories import Made, Person, make_client, make_user
from tests.relying_party import challenge_of
from tests.web.conftest import Elsewhere, Live

pytestmark = pytest.mark.browser

Browse = Callable[..., Any]
PRIVATE = "com.example.app:/callback"
CONSENT = "button[value=allow]"


@pytest.fixture
def person(live: Live) -> Person:
    return make_user(live.runtime, "ada@example.net")


@pytest.fixture
def made(live: Live, elsewhere: Elsewhere) -> Made:
    return make_client(live.runtime, redirect_uris=[f"{elsewhere.origin}/callback"], client_name="Acme Photos")


def authorize_url(live: Live, made: Made, **changes: str) -> str:
    parameters = {
        "client_id": made.client_id,
        "response_type": "code",
        "redirect_uri": made.redirect_uri,
        "scope": "openid profile",
        "state": "the-state",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{live.issuer}/oauth2/authorize?{urlencode(parameters)}"


def sign_in(page: Any, person: Person) -> None:
    page.fill("#email", person.email)
    page.fill("#password", person.password)
    page.click("button[type=submit]")


def arrived(elsewhere: Elsewhere) -> dict[str, list[str]]:
    [(_, path, _)] = elsewhere.arrived
    return parse_qs(urlsplit(path).query)


def text(page: Any) -> str:
    return str(page.inner_text("main"))


@pytest.mark.parametrize("kind", ["web", "spa"])
def test_the_redirect_after_consent_arrives_at_another_origin(
    live: Live, elsewhere: Elsewhere, person: Person, browse: Browse, kind: str
) -> None:
    made = make_client(live.runtime, kind, redirect_uris=[f"{elsewhere.origin}/callback"])
    page = browse()
    page.goto(authorize_url(live, made))
    sign_in(page, person)
    page.click(CONSENT)
    page.wait_for_url(f"{elsewhere.origin}/callback?**")
    assert set(arrived(elsewhere)) == {"code", "state", "iss"}


def test_the_redirect_after_consent_arrives_at_a_loopback_port_that_is_free(
    live: Live, elsewhere: Elsewhere, person: Person, browse: Browse
) -> None:
    made = make_client(live.runtime, "native", redirect_uris=["http://127.0.0.1/callback"])
    page = browse()
    page.goto(authorize_url(live, made, redirect_uri=f"{elsewhere.origin}/callback"))
    sign_in(page, person)
    assert "an application on your device" in text(page)
    page.click(CONSENT)
    page.wait_for_url(f"{elsewhere.origin}/callback?**")
    assert set(arrived(elsewhere)) == {"code", "state", "iss"}


def test_the_redirect_after_consent_leaves_for_a_private_use_scheme(live: Live, person: Person, browse: Browse) -> None:
    made = make_client(live.runtime, "native", redirect_uris=[PRIVATE])
    page = browse()
    page.goto(authorize_url(live, made))
    sign_in(page, person)
    with page.expect_event("requestfailed", lambda request: request.url.startswith(PRIVATE)) as left:
        page.click(CONSENT)
    assert set(parse_qs(urlsplit(left.value.url).query)) == {"code", "state", "iss"}


def test_denying_reaches_the_client_too(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    sign_in(page, person)
    page.click("button[value=deny]")
    page.wait_for_url(f"{elsewhere.origin}/callback?**")
    assert arrived(elsewhere)["error"] == ["access_denied"]


def test_a_form_action_would_have_stopped_it(live: Live, elsewhere: Elsewhere, made: Made, person: Person, chromium: Any) -> None:
    """The control of the tests above: the browser at hand does apply form-action to what follows the form."""
    context = chromium.new_context()
    page = context.new_page()

    def harden(route: Any) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"] + "; form-action 'self'"
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})

    page.goto(authorize_url(live, made))
    sign_in(page, person)
    page.wait_for_url("**/consent?**")
    page.route("**/consent?**", harden)
    page.reload()
    with page.expect_event("console", lambda message: "form-action" in message.text):
        page.click(CONSENT)
    assert elsewhere.arrived == []
    context.close()


def test_without_scripts_everything_works(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse(java_script_enabled=False)
    page.goto(authorize_url(live, made, response_mode="form_post", prompt="select_account"))
    sign_in(page, person)
    page.click(CONSENT)
    page.click("#answer button")
    page.wait_for_url(f"{elsewhere.origin}/callback")
    [(method, _, body)] = elsewhere.arrived
    assert method == "POST"
    assert set(parse_qs(body)) == {"code", "state", "iss"}


def test_the_form_post_page_sends_itself(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made, response_mode="form_post"))
    sign_in(page, person)
    page.click(CONSENT)
    page.wait_for_url(f"{elsewhere.origin}/callback")
    assert set(parse_qs(elsewhere.arrived[0][2])) == {"code", "state", "iss"}


def test_two_tabs_end_well(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    first = browse()
    second = first.context.new_page()
    for page in (first, second):
        page.goto(authorize_url(live, made))
    for page in (second, first):
        sign_in(page, person)
        page.wait_for_load_state()
        if "/consent" in page.url:
            page.click(CONSENT)
        page.wait_for_url(f"{elsewhere.origin}/callback?**")
    assert len({path for _, path, _ in elsewhere.arrived}) == 2
    assert all("code=" in path for _, path, _ in elsewhere.arrived)


def test_the_back_button_ends_well(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    sign_in(page, person)
    page.wait_for_url("**/consent?**")
    page.go_back()
    page.wait_for_url("**/consent?**")
    page.click(CONSENT)
    page.wait_for_url(f"{elsewhere.origin}/callback?**")
    page.go_back()
    assert "Go back to the application and start again." in text(page)
    assert len(elsewhere.arrived) == 1


def test_a_double_click_ends_well(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    page.fill("#email", person.email)
    page.fill("#password", person.password)
    page.dblclick("button[type=submit]")
    page.wait_for_url("**/consent?**")
    page.dblclick(CONSENT)
    page.wait_for_selector("h1:has-text('Application'), h1:has-text('This sign-in is over')")


def test_an_expired_request_says_what_to_do(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    live.clock.advance(minutes=31)
    sign_in(page, person)
    page.wait_for_selector("h1:has-text('This sign-in is over')")
    assert "Go back to the application and start again." in text(page)
    assert page.title().startswith("Error:")
    assert elsewhere.arrived == []


def test_without_cookies_the_page_says_so(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    page.context.clear_cookies()
    sign_in(page, person)
    page.wait_for_selector("h1:has-text('Cookies are turned off')")
    page.goto(page.url)
    assert elsewhere.arrived == []


def test_another_site_cannot_send_our_forms(live: Live, elsewhere: Elsewhere, person: Person, browse: Browse) -> None:
    fields = f'<input name=email value="{person.email}"><input name=password value="{person.password}">'
    elsewhere.page = (
        f'<!doctype html><form method=post action="{live.issuer}/login">{fields}</form><script>document.forms[0].submit()</script>'
    )
    page = browse()
    page.goto(f"{live.issuer}/login")
    with page.expect_response(f"{live.issuer}/login") as answer:
        page.goto(elsewhere.origin, wait_until="commit")
    assert answer.value.status == 403
    assert not [cookie for cookie in page.context.cookies() if cookie["name"].endswith("-session")]


def test_another_site_cannot_frame_our_pages(live: Live, elsewhere: Elsewhere, chromium: Any) -> None:
    elsewhere.page = f'<!doctype html><iframe src="{live.issuer}/login"></iframe>'
    context = chromium.new_context()
    page = context.new_page()
    with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
        page.goto(elsewhere.origin)
    context.close()


def test_a_cross_site_post_finds_the_session(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(f"{live.issuer}/login")
    sign_in(page, person)
    page.wait_for_url(f"{live.issuer}/")
    query = parse_qs(urlsplit(authorize_url(live, made)).query)
    fields = "".join(f'<input name={name} value="{value}">' for name, [value] in query.items())
    elsewhere.page = f'<!doctype html><form method=post action="{live.issuer}/oauth2/authorize">{fields}<button>Go</button></form>'
    page.goto(elsewhere.origin)
    page.click("button")
    page.wait_for_url("**/consent?**")
    assert person.email in text(page)


def test_a_popup_that_says_so_keeps_its_opener(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(elsewhere.origin)
    with page.expect_popup() as opened:
        page.evaluate("url => void window.open(url)", authorize_url(live, made, display="popup"))
    popup = opened.value
    sign_in(popup, person)
    popup.click(CONSENT)
    popup.wait_for_url(f"{elsewhere.origin}/callback?**")
    assert popup.evaluate("window.opener !== null")


def test_the_keyboard_is_enough(live: Live, elsewhere: Elsewhere, made: Made, person: Person, browse: Browse) -> None:
    page = browse()
    page.goto(authorize_url(live, made))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    for value in (person.email, person.password):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    page.wait_for_url("**/consent?**")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    seen = []
    while "Allow" not in seen:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText"))
    assert seen[-2] == "Deny"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{elsewhere.origin}/callback?**")


def test_the_demo_page_signs_in_refreshes_and_signs_out(live: Live, person: Person, browse: Browse) -> None:
    here = f"{live.issuer}/demo"
    make_client(live.runtime, "spa", client_id="demo-spa", redirect_uris=[here], post_logout_redirect_uris=[here])
    page = browse()
    page.goto(here)
    page.click("#sign-in")
    sign_in(page, person)
    page.click(CONSENT)
    page.wait_for_selector("[data-token=id_token]:visible")
    assert page.url == here
    assert person.subject in page.inner_text("[data-token=id_token] pre")
    before = page.inner_text("[data-token=access_token] pre")
    page.click("#refresh")
    page.wait_for_function("before => document.querySelector('[data-token=access_token] pre').innerText !== before", arg=before)
    page.click("#userinfo")
    page.wait_for_selector("[data-token=userinfo]:visible")
    assert "Ada Example" in page.inner_text("[data-token=userinfo] pre")
    page.click("#sign-out")
    page.wait_for_selector("#sign-in:visible")
    page.goto(f"{live.issuer}/")
    assert "You are signed in" not in text(page)


def test_the_demo_page_tells_what_failed(live: Live, browse: Browse) -> None:
    make_client(live.runtime, "spa", client_id="demo-spa", redirect_uris=[f"{live.issuer}/demo"], scope="openid")
    page = browse()
    page.goto(f"{live.issuer}/demo")
    page.click("#sign-in")
    page.wait_for_selector("#status:has-text('It failed:')")
    page.reload()
    assert page.inner_text("#status") == "Not signed in."
