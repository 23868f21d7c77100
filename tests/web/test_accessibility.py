"""Every page in both schemes, on a small and a large screen, also with an error: axe finds nothing, nothing overflows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.factories import API, Made, Person, make_client, make_resource_server, make_user
from tests.relying_party import challenge_of
from tests.web.conftest import Live

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).parent.parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
WINDOWS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 800}, "locale": locale}, id=f"{scheme}-{width}-{locale}")
    for scheme, width, locale in (("light", 320, "de-DE"), ("dark", 1440, "en-US"))  # neither changes the others
]
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input:not([type=hidden]), a.button")]
    .filter(e => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.outerHTML)"""


@pytest.fixture
def person(live: Live) -> Person:
    return make_user(live.runtime, "a-person-with-a-rather-long-address@subdomain.example.net")


@pytest.fixture
def made(live: Live) -> Made:
    make_resource_server(live.runtime)
    client_name = "An application with a rather long name that somebody thought of"
    uris = {
        "policy_uri": "https://app.example.org/privacy",
        "tos_uri": "https://app.example.org/terms",
        "client_uri": "https://app.example.org/",
    }
    return make_client(live.runtime, "native", client_name=client_name, apis=[API], redirect_uris=["com.example.app:/callback"], **uris)


@pytest.fixture
def look(chromium: Any) -> Iterator[Callable[..., Any]]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed in tests/node")
    contexts = []

    def open_window(**options: Any) -> Any:
        contexts.append(chromium.new_context(bypass_csp=True, **options))
        return contexts[-1].new_page()

    yield open_window
    for context in contexts:
        context.close()


def check(page: Any, where: str) -> None:
    """Fail on anything that axe finds, on overflow, on small targets, on more than one heading."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where}: wider than the screen"
    assert page.evaluate(SMALL_TARGETS) == [], where
    assert page.locator("h1").count() == 1, where
    assert page.locator("main").count() == 1, where
    assert page.title(), where
    assert page.evaluate("document.documentElement.lang") in ("en", "de")


def authorize_url(live: Live, made: Made, **changes: str) -> str:
    parameters = {
        "client_id": made.client_id,
        "response_type": "code",
        "redirect_uri": made.redirect_uri,
        "scope": "openid profile email offline_access read write",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{live.issuer}/oauth2/authorize?{urlencode(parameters)}"


def submit(page: Any, selector: str = "main button") -> None:
    with page.expect_navigation():
        page.click(selector)


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_keeps_anyone_out(live: Live, person: Person, made: Made, look: Callable[..., Any], window: dict[str, Any]) -> None:
    page = look(**window)
    for path in ("/", "/demo", "/no/such/page", "/logout"):
        page.goto(live.issuer + path)
        check(page, path)
    page.goto(live.issuer.replace("localhost", "127.0.0.1"))
    check(page, "wrong host")
    page.goto(authorize_url(live, made))
    check(page, "sign-in")
    submit(page)
    check(page, "sign-in with nothing filled in")
    page.fill("#email", person.email)
    page.fill("#password", "wrong")
    submit(page)
    check(page, "sign-in refused")
    page.fill("#password", person.password)
    submit(page)
    check(page, "consent")
    page.evaluate("document.querySelector('[name=shown]').value = 'x'")
    submit(page, "button[value=allow]")
    check(page, "consent to something that changed")
    page.goto(authorize_url(live, made, prompt="select_account"))
    check(page, "chooser")
    page.goto(live.issuer + "/")
    check(page, "index, signed in")
    page.goto(f"{live.issuer}/oidc/logout?client_id={made.client_id}")
    check(page, "sign-out")
    submit(page)
    check(page, "signed out")


@pytest.mark.parametrize("window", WINDOWS)
def test_the_form_post_page_keeps_nobody_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    made = make_client(live.runtime)
    page = look(**window)
    page.route("**/form_post.js?**", lambda route: route.abort())
    page.goto(authorize_url(live, made, scope="openid", response_mode="form_post", prompt="none"))
    assert page.locator("#answer button").count() == 1
    check(page, "form_post")
