"""What a newcomer does, in a real Chromium: from the setup link to an application on another origin that signs people in."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.store.base import transaction
from tests.factories import API, make_resource_server, make_user
from tests.web.conftest import Elsewhere, Live

pytestmark = pytest.mark.browser

PASSWORD = "several words are easy to remember"
EMAIL = "first@example.net"


@pytest.fixture
def _own() -> None:
    """What `live` starts has keys of its own, so that no second runtime is made here."""


@pytest.fixture
def page(chromium: Any, live: Live) -> Iterator[Any]:
    """A window in which the first administrator has set the server up and is signed in."""
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with transaction(live.runtime.engine) as db:
        link = setup_link(Operation(db, live.runtime))
    page.goto(link)
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the owner").click()
    sign_in(page, EMAIL, PASSWORD)
    page.get_by_role("heading", level=1).wait_for()
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Any, email: str, password: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def begin_wizard(page: Any, live: Live, kind: str, name: str) -> None:
    page.goto(f"{live.issuer}/admin/applications")
    page.get_by_role("link", name="Register the first one").click()
    page.get_by_role("link", name=kind).click()
    page.get_by_label("Name").fill(name)


def copied(page: Any, where: Any) -> str:
    """What the button that copies puts into the clipboard."""
    where.get_by_role("button", name="Copy").click()
    where.get_by_role("button", name="Copy").get_by_text("Copied").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_the_snippet_of_a_new_spa_signs_people_in_on_another_origin(live: Live, page: Any, elsewhere: Elsewhere, chromium: Any) -> None:
    origin = elsewhere.origin.replace("127.0.0.1", "localhost")
    begin_wizard(page, live, "Single-page application", "Notes")
    page.get_by_label("Redirect URIs").fill(f"{origin}/notes.html")
    page.get_by_role("button", name="Register it").click()
    page.get_by_text("Notes is registered").wait_for()
    snippet = copied(page, page.locator("details.snippet", has_text="Plain JavaScript"))
    elsewhere.page = f"<!doctype html><html lang=en><title>Notes</title><h1>Notes</h1>{snippet}</html>"
    person = make_user(live.runtime, "ada@example.net")
    context = chromium.new_context()
    visitor = context.new_page()
    faults: list[str] = []
    visitor.on("pageerror", lambda error: faults.append(str(error)))
    visitor.goto(f"{origin}/notes.html")
    visitor.get_by_role("button", name="Sign in").click()
    sign_in(visitor, person.email, person.password)
    visitor.get_by_role("button", name="Allow").click()
    visitor.get_by_text("Signed in as Ada Example").wait_for()
    assert visitor.url == f"{origin}/notes.html"
    assert visitor.evaluate("sessionStorage.length + localStorage.length") == 0
    visitor.get_by_role("button", name="Sign out").click()
    visitor.get_by_text("Not signed in.").wait_for()
    assert faults == []
    context.close()


def test_the_curl_of_a_new_service_fetches_a_token(live: Live, page: Any) -> None:
    make_resource_server(live.runtime)
    begin_wizard(page, live, "Service", "Billing")
    page.get_by_label("Example API").check()
    page.get_by_role("button", name="Register it").click()
    page.get_by_text("Keep the secret now").wait_for()
    command = copied(page, page.locator("details.snippet", has_text="curl"))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    token = json.loads(done.stdout)
    assert token["token_type"] == "Bearer"
    assert token["scope"] == "read write"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_test_drive_shows_the_whole_flow_also_without_scripts(live: Live, page: Any, chromium: Any, scripts: bool) -> None:
    make_resource_server(live.runtime)
    context = chromium.new_context(java_script_enabled=scripts)
    browser = context.new_page()
    browser.goto(f"{live.issuer}/admin/applications")
    sign_in(browser, EMAIL, PASSWORD)
    begin_wizard(browser, live, "Web application", "Shop")
    browser.get_by_label("Redirect URIs").fill("https://shop.example.com/callback")
    browser.get_by_label("Example API").check()
    browser.get_by_role("button", name="Register it").click()
    browser.get_by_role("link", name="Test drive").click()
    browser.get_by_role("button", name="Start").click()
    browser.get_by_role("button", name="Allow").click()
    browser.get_by_role("heading", name="It works").wait_for()
    assert browser.locator("ol.steps > li.good").count() == 5
    assert API in browser.inner_text("main")
    context.close()


def test_a_list_is_searched_as_one_types(live: Live, page: Any) -> None:
    for name in ("Acme", "Billing"):
        begin_wizard_again(page, live, name)
    page.goto(f"{live.issuer}/admin/applications")
    page.get_by_label("Search").press_sequentially("bill")
    page.get_by_role("link", name="Acme").wait_for(state="detached")
    assert page.get_by_role("link", name="Billing").count() == 1
    assert page.url.endswith("?q=bill")
    assert page.evaluate("document.activeElement.name") == "q"


def begin_wizard_again(page: Any, live: Live, name: str) -> None:
    page.goto(f"{live.issuer}/admin/applications/new/service")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Register it").click()
    page.get_by_text(f"{name} is registered").wait_for()


def tab_to(page: Any, found: str, most: int = 60) -> int:
    """Press Tab until the focus is where `found`, an expression of the element `e`, holds; return how often."""
    for number in range(1, most + 1):
        page.keyboard.press("Tab")
        if page.evaluate(f"(() => {{ const e = document.activeElement; return Boolean({found}); }})()"):
            outline = page.evaluate(
                "getComputedStyle(document.activeElement, document.activeElement.matches('.kind a') ? '::after' : null).outlineStyle"
            )
            assert outline != "none", "the focus cannot be seen"
            return number
    raise AssertionError(f"Tab never gets to {found}")


def test_the_keyboard_alone_registers_an_application_and_rotates_its_secret(live: Live, page: Any) -> None:
    page.goto(f"{live.issuer}/admin/applications")
    assert tab_to(page, "e.className === 'skip'") == 1
    page.keyboard.press("Enter")
    tab_to(page, "e.textContent.includes('Register the first one')", 3)
    page.keyboard.press("Enter")
    page.wait_for_url("**/applications/new")
    tab_to(page, "e.textContent === 'Service'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new/service")
    tab_to(page, "e.id === 'name'")
    page.keyboard.type("Billing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/created/**")
    tab_to(page, "e.textContent === 'All settings'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/of/**")
    tab_to(page, "e.textContent === 'Credentials'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/credentials/**")
    tab_to(page, "e.name === 'overlap'")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == "30"
    tab_to(page, "e.textContent === 'Make a new secret'", 2)
    page.keyboard.press("Enter")
    page.get_by_text("The new secret: keep it now").wait_for()
    assert page.locator("tbody tr").count() == 2


def test_after_a_fault_the_focus_is_on_its_summary_whose_links_lead_to_the_fields(live: Live, page: Any) -> None:
    page.goto(f"{live.issuer}/admin/applications/new/spa")
    page.get_by_label("Redirect URIs").fill("http://example.com/")
    page.get_by_role("button", name="Register it").click()
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.id") == "errors"
    tab_to(page, "e.hash === '#redirect_uris' || e.hash === '#name'", 2)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id || document.querySelector(':target').id") in ("name", "redirect_uris")
