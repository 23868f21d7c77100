"""A single-page application on another origin: examples/spa, which is oidc-client-ts, in a real Chromium."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as NotShown

from tests.factories import API, PASSWORD
from tests.interop.conftest import Provider
from tests.interop.hosts import SpaHost
from tests.relying_party import RelyingParty

pytestmark = [pytest.mark.browser, pytest.mark.node]

CROSS_SITE, SAME_SITE = "localhost", "127.0.0.1"


class Spa:
    """The application in a tab, with its client."""

    def __init__(self, provider: Provider, host: SpaHost, page: Any) -> None:
        self.provider, self.page, self.url = provider, page, host.url
        self.made = provider.client("spa", redirect_uris=[host.url], post_logout_redirect_uris=[host.url], apis=[API])
        host.config = {
            "authority": provider.issuer,
            "client_id": self.made.client_id,
            "scope": "openid profile email read",
            "resource": API,
        }
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    def open(self) -> "Spa":
        self.page.goto(self.url)
        self.wait("Signed out")
        return self

    def press(self, name: str, where: Any = None) -> None:
        (where or self.page).get_by_role("button", name=name, exact=True).click()

    def wait(self, status: str) -> None:
        try:
            self.page.locator("#status", has_text=status).wait_for()
        except NotShown as error:
            raise AssertionError(f"{self.page.url} says {self.page.inner_text('body')!r}; faults: {self.faults}") from error

    def fill(self, page: Any) -> None:
        """Sign in on the server's page and allow."""
        page.get_by_label("Email address").fill(self.provider.person.email)
        page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign in", page)
        self.press("Allow", page)

    def sign_in(self) -> "Spa":
        self.open().press("Sign in")
        self.fill(self.page)
        self.wait("Signed in as Ada Example")
        return self

    def user(self) -> dict[str, Any]:
        """What oidc-client-ts holds."""
        return dict(
            json.loads(self.page.evaluate("users.getUser().then((user) => JSON.stringify({...user, expires_in: user.expires_in}))"))
        )

    def wait_for_renewal(self, before: dict[str, Any]) -> None:
        """Wait until the tab holds another access token."""
        gone = "(old) => !Object.values(sessionStorage).some((kept) => kept.includes(old))"
        self.page.wait_for_function(gone, arg=before["access_token"])

    def backend(self) -> RelyingParty:
        """The same client without a browser, to ask what its tokens are still worth."""
        return self.provider.party(self.made)


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def spa(provider: Provider, spa_host: Callable[[str], SpaHost], tab: Any, request: pytest.FixtureRequest) -> Spa:
    return Spa(provider, spa_host(getattr(request, "param", CROSS_SITE)), tab)


@pytest.mark.spec("OpenID Connect Core", "3.1")
def test_it_signs_in_and_reads_userinfo_from_another_origin(spa: Spa) -> None:
    user = spa.sign_in().user()
    assert user["profile"]["sub"] == spa.provider.person.subject
    assert user["profile"]["email"] == spa.provider.person.email
    assert user["scope"].split() == ["openid", "profile", "email", "read"]
    assert spa.backend().verify(user["access_token"], audience=API)["roles"] == ["editor"]
    assert spa.faults == []


@pytest.mark.spec("RFC 6749", "6")
def test_it_renews_silently_by_refresh_token(spa: Spa) -> None:
    before = spa.sign_in().user()
    with spa.page.expect_response(f"{spa.provider.issuer}/oauth2/token") as answer:
        spa.press("Renew")
    assert "grant_type=refresh_token" in answer.value.request.post_data
    spa.wait_for_renewal(before)
    after = spa.user()
    assert after["refresh_token"] != before["refresh_token"]
    lasting = ("sub", "email", "name")
    assert [after["profile"][claim] for claim in lasting] == [before["profile"][claim] for claim in lasting]
    assert spa.faults == []


def test_it_renews_by_itself_before_the_access_token_expires(spa: Spa) -> None:
    spa.page.clock.install()
    before = spa.sign_in().user()
    assert before["expires_in"] > 590
    with spa.page.expect_response(f"{spa.provider.issuer}/oauth2/token"):
        spa.page.clock.fast_forward("09:05")
    spa.wait_for_renewal(before)
    assert spa.user()["expires_in"] > 500
    assert spa.faults == []


IFRAME = """users.signinSilent({forceIframeAuth: true, silentRequestTimeoutInSeconds: 8})
    .then((user) => user.access_token, (error) => `refused: ${error.error ?? error.message}`)"""


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("spa", [SAME_SITE], indirect=True)
def test_it_renews_silently_in_an_iframe_on_the_same_site(spa: Spa) -> None:
    """Pages may not be framed; the browser applies that to pages alone, and prompt=none never shows one."""
    before = spa.sign_in().user()
    with spa.page.expect_response(lambda response: "prompt=none" in response.url) as redirect:
        after = spa.page.evaluate(IFRAME)
    assert redirect.value.status == 303
    assert "frame-ancestors 'none'" in redirect.value.headers["content-security-policy"]
    assert after.startswith("ey"), after
    assert after != before["access_token"]
    assert spa.faults == []


def test_an_iframe_on_another_site_has_no_session_and_is_told_so(spa: Spa) -> None:
    spa.sign_in()
    assert spa.page.evaluate(IFRAME) == "refused: login_required"


def test_it_signs_in_with_a_popup(spa: Spa) -> None:
    spa.open()
    with spa.page.expect_popup() as opened:
        spa.press("Sign in with a popup")
    with opened.value.expect_event("close"):
        spa.fill(opened.value)
    spa.wait("Signed in as Ada Example")
    assert spa.faults == []


@pytest.mark.spec("OpenID RP-Initiated Logout", "2")
@pytest.mark.spec("OpenID RP-Initiated Logout", "3")
def test_it_signs_out_and_comes_back(spa: Spa) -> None:
    user = spa.sign_in().user()
    spa.press("Sign out")
    spa.wait("Signed out")
    assert spa.page.url == spa.url
    assert spa.backend().refresh(user["refresh_token"]).error == "invalid_grant"
    spa.press("Sign in")
    spa.page.get_by_label("Password").wait_for()
    assert spa.faults == []


@pytest.mark.spec("RFC 7009", "2.1")
def test_it_revokes_its_tokens(spa: Spa) -> None:
    user = spa.sign_in().user()
    spa.press("Revoke")
    spa.wait("Signed out")
    assert spa.backend().refresh(user["refresh_token"]).error == "invalid_grant"
    assert spa.backend().userinfo(user["access_token"]).status == 401
    spa.press("Sign in")
    spa.wait("Signed in as Ada Example")
    assert spa.faults == []


def test_a_denial_reaches_it_as_an_error(spa: Spa) -> None:
    spa.open().press("Sign in")
    spa.page.get_by_label("Email address").fill(spa.provider.person.email)
    spa.page.get_by_label("Password").fill(PASSWORD)
    spa.press("Sign in")
    spa.press("Deny")
    spa.page.locator("#status", has_text="It failed").wait_for()
    assert "code" not in spa.page.url
