"""An administrator at work in a real Chromium: a failed sign-in mended, keys rotated by keyboard alone, without scripts too."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.store.base import transaction
from tests.factories import Person, make_client, make_user
from tests.relying_party import challenge_of
from tests.web.conftest import Elsewhere, Live

pytestmark = pytest.mark.browser


@pytest.fixture
def _own() -> None:
    """What `live` starts has keys of its own, so that no second runtime is made here."""


@pytest.fixture
def owner(live: Live) -> Person:
    person = make_user(live.runtime, "owner@example.net")
    with transaction(live.runtime.engine) as db:
        ensure_own(db, live.runtime)
        give_role(Operation(db, live.runtime), person.user, "owner")
    return person


@pytest.fixture
def window(browse: Callable[..., Any], live: Live, owner: Person) -> Iterator[Callable[..., Any]]:
    """Open a window in which the owner is signed in to the console, at a path below it."""

    def open_at(path: str, **options: Any) -> Any:
        page = browse(**options)
        page.goto(f"{live.issuer}/admin{path}")
        sign_in(page, owner)
        page.wait_for_url(f"**/admin{path}")
        return page

    return open_at


def sign_in(page: Any, person: Person) -> None:
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_failed_sign_in_of_a_wrongly_registered_application_is_mended(
    live: Live, window: Callable[..., Any], browse: Callable[..., Any], elsewhere: Elsewhere, scripts: bool
) -> None:
    registered, asked = f"{elsewhere.origin}/callback", f"{elsewhere.origin}/callback/"
    made = make_client(live.runtime, "spa", client_id="shop", client_name="Example Shop", redirect_uris=[registered])
    query = {"client_id": made.client_id, "response_type": "code", "redirect_uri": asked, "scope": "openid", "state": "x"}
    address = f"{live.issuer}/oauth2/authorize?{urlencode(query)}&code_challenge_method=S256&code_challenge={challenge_of('v' * 43)}"
    visitor = browse()
    visitor.goto(address)
    visitor.get_by_role("heading", name="Wrong return address").wait_for()
    error_id = visitor.locator("code").inner_text()
    console = window("/failures", java_script_enabled=scripts)
    console.get_by_label("Error id").fill(error_id)
    console.get_by_role("button", name="Filter").click()
    console.get_by_text("a slash at the end").wait_for()
    assert console.locator("mark.was").inner_text() == "/"
    console.get_by_role("button", name="Add this URI").click()
    console.get_by_text("Example Shop is mended").wait_for()
    live.clock.advance(seconds=6)
    visitor.goto(address)
    sign_in(visitor, make_user(live.runtime, "visitor@example.net"))
    visitor.get_by_role("button", name="Allow").click()
    visitor.wait_for_url(f"{asked}?code=*")


def tab_to(page: Any, found: str, most: int = 40) -> None:
    """Press Tab until the focus is where `found`, an expression of the element `e`, holds; it must be seen there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const e = document.activeElement; return Boolean({found}); }})()"):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"Tab never gets to {found}")


def test_the_keyboard_alone_rotates_a_key(window: Callable[..., Any]) -> None:
    page = window("/keys")
    tab_to(page, "e.textContent === 'Rotate now'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/rotate")
    tab_to(page, "e.name === 'algs' && e.value === 'ES256'")
    page.keyboard.press("Space")
    tab_to(page, "e.name === 'how'")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == "now"
    tab_to(page, "e.textContent === 'Rotate'", 3)
    page.keyboard.press("Enter")
    page.get_by_text("the new key signs from now on").wait_for()
    assert page.locator("#RS256 .keylane").count() == 2
    assert page.locator("#ES256 .keylane").count() == 1


def test_the_keyboard_alone_invites_and_deletes_a_user(window: Callable[..., Any]) -> None:
    page = window("/users")
    tab_to(page, "e.textContent.trim() === 'Invite a user'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/invite")
    tab_to(page, "e.id === 'email'")
    page.keyboard.type("new@example.net")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/invited/**")
    tab_to(page, "e.textContent === 'Open the user'")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="new@example.net").wait_for()
    tab_to(page, "e.textContent === 'Danger zone'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/danger")
    tab_to(page, "e.id === 'email'")
    page.keyboard.type("new@example.net")
    page.keyboard.press("Enter")
    page.get_by_text("new@example.net was deleted.").wait_for()


def test_a_choice_survives_a_sign_in_in_another_tab(live: Live, owner: Person, window: Callable[..., Any]) -> None:
    page = window("/keys/rotate", java_script_enabled=False)
    live.clock.advance(minutes=6)
    page.get_by_role("radio", name="Let the new key sign at once").check()
    page.get_by_role("button", name="Rotate").click()
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in again in a new tab").click()
    tab = opened.value
    tab.get_by_label("Password").fill(owner.password)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("heading", name="Overview").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("the new key signs from now on").wait_for()
    assert page.locator(".keylane").count() == 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_drawn_in_the_colours_of_the_scheme(live: Live, window: Callable[..., Any], scheme: str) -> None:
    from tests.web.console.people import count_figures

    count_figures(live.runtime, tokens={"client_credentials": 5})
    page = window("", color_scheme=scheme)
    image = page.locator("#tokens img")
    image.scroll_into_view_if_needed()
    assert image.evaluate("e => e.complete && e.naturalWidth > 0")
    swatch = page.locator("#tokens .swatch").evaluate("e => getComputedStyle(e).backgroundColor")
    drawn = image.evaluate(
        """e => { const c = document.createElement('canvas'); [c.width, c.height] = [e.naturalWidth, e.naturalHeight];
        const d = c.getContext('2d'); d.drawImage(e, 0, 0); const seen = new Set();
        for (let x = 0; x < c.width; x += 2) seen.add([...d.getImageData(x, c.height - 60, 1, 1).data].slice(0, 3).join(', '));
        return [...seen]; }"""
    )
    assert swatch.removeprefix("rgb(").removesuffix(")") in drawn


@pytest.mark.parametrize("width", [1440, 320])
def test_a_small_screen_gets_a_chart_of_its_own(live: Live, window: Callable[..., Any], width: int) -> None:
    from tests.web.console.people import count_figures

    count_figures(live.runtime, tokens={"client_credentials": 5})
    page = window("", viewport={"width": width, "height": 800})
    size = "narrow" if width < 640 else "wide"
    assert f"size={size}" in page.locator("#tokens img").evaluate("e => e.currentSrc")
