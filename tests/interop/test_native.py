"""Native clients (RFC 8252), which are Authlib's here: on whatever loopback port is free, and by a private-use scheme."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session

from tests.factories import API, PASSWORD, Made
from tests.interop.conftest import Provider
from tests.interop.hosts import Listener

pytestmark = pytest.mark.browser

PRIVATE = "com.example.app:/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-pkce-0123456789"


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.stop()


class Program:
    """A program on the person's device: it opens the browser and waits for the answer at its redirect URI."""

    def __init__(self, provider: Provider, made: Made, redirect_uri: str) -> None:
        self.provider, self.redirect_uri = provider, redirect_uri
        self.session = OAuth2Session(
            made.client_id,
            token_endpoint_auth_method="none",
            scope="openid offline_access read",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def authorize(self, page: Any, back: Callable[[Any], bool]) -> str:
        """Have the person sign in and allow; return the address that the browser then went to."""
        url, _ = self.session.create_authorization_url(f"{self.provider.issuer}/oauth2/authorize", code_verifier=VERIFIER)
        page.goto(url)
        page.get_by_label("Email address").fill(self.provider.person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("This application runs on your device").wait_for()
        with page.expect_request(back) as request:
            page.get_by_role("button", name="Allow").click(no_wait_after=True)
        return str(request.value.url)

    def redeem(self, address: str) -> dict[str, Any]:
        token = f"{self.provider.issuer}/oauth2/token"
        return dict(self.session.fetch_token(token, authorization_response=address, code_verifier=VERIFIER))


@pytest.mark.spec("RFC 8252", "7.3")
def test_a_program_listens_on_any_free_loopback_port(provider: Provider, page: Any, listener: Listener) -> None:
    made = provider.client("native", redirect_uris=["http://127.0.0.1/callback"], apis=[API])
    program = Program(provider, made, listener.redirect_uri)
    tokens = program.redeem(program.authorize(page, lambda request: request.url.startswith(listener.redirect_uri)))
    page.get_by_text("You can close this window.").wait_for()
    assert provider.party(made).verify(tokens["access_token"], audience=API)["sub"] == provider.person.subject
    renewed = program.session.refresh_token(f"{provider.issuer}/oauth2/token", refresh_token=tokens["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]


@pytest.mark.spec("RFC 8252", "7.1")
def test_an_app_is_called_by_its_private_use_scheme(provider: Provider, page: Any) -> None:
    """The browser hands the address to the system, which has nobody for it here; a policy that forbids it shows as no request."""
    made = provider.client("native", redirect_uris=[PRIVATE], apis=[API])
    program = Program(provider, made, PRIVATE)
    tokens = program.redeem(program.authorize(page, lambda request: request.url.startswith(PRIVATE)))
    assert provider.party(made).verify(tokens["access_token"], audience=API)["sub"] == provider.person.subject
