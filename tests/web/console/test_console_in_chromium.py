"""Every page of the console in a real Chromium, in light and dark, at 320 and 1440 px: empty, full, and with an error.

axe finds nothing, nothing is wider than the screen, and the keyboard alone reaches everything. `SHOTS=folder` keeps
pictures of all of them.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from authserver.admin.links import setup_link
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.admin.users import change_user, reset_link
from authserver.store.base import transaction
from tests.factories import API, Person, make_client, make_resource_server, make_user
from tests.web.conftest import Live
from tests.web.console import people
from tests.web.test_accessibility import AXE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOWS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 900}}, id=f"{scheme}-{width}")
    for scheme, width in (("light", 320), ("dark", 1440))  # each colour and each width once: neither changes the other
]
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, summary, a.button, nav a")]
    .filter(e => e.checkVisibility() && (e.offsetHeight < 24 || e.offsetWidth < 24) && !["checkbox", "radio"].includes(e.type))
    .map(e => e.outerHTML)"""
MANY = 500

APPLICATIONS_EMPTY = (
    "/admin/applications",
    "/admin/applications/new",
    *(f"/admin/applications/new/{kind}" for kind in ("spa", "web", "native", "service", "device")),
    "/admin/apis",
    "/admin/apis/new",
)
"""The pages of applications and APIs on a server that has none."""

APPLICATIONS_FULL = (
    "/admin/applications",
    "/admin/applications?q=application&kind=web&status=enabled",
    "/admin/applications?q=nothing-is-called-like-this",
    *(
        f"/admin/applications/{part}/{client_id}"
        for client_id in ("full-spa", "full-web", "full-service", "full-device")
        for part in ("of", "credentials", "apis", "tokens", "people", "activity", "snippets", "test-drive", "danger")
    ),
    "/admin/applications/of/authserver-console",
    "/admin/applications/of/full-key",
    "/admin/applications/created/full-web",
    "/admin/applications/new/spa",
    "/admin/apis",
    *(f"/admin/apis/{part}/{API}" for part in ("of", "clients", "snippets", "danger")),
)
"""The pages of applications and APIs on a server that has many of them."""

SERVER_EMPTY = (
    *(f"/admin{part}" for part in ("", "/users", "/users?q=nobody", "/users/invite", "/sessions", "/grants?client_id=none", "/keys")),
    *("/admin/audit?action=none", "/admin/failures", "/admin/keys/rotate"),
)
"""The pages of people, keys and what happened on a server that has none; people.py has those of a busy one."""

PAGES = {"empty": [*SERVER_EMPTY, *APPLICATIONS_EMPTY], "full": [*APPLICATIONS_FULL]}
"""The pages to look at, by what the server has. Whoever adds a page adds it here."""


@pytest.fixture
def _own() -> None:
    """What `live` starts has keys of its own, so that no second runtime is made here."""


@pytest.fixture
def owner(live: Live) -> Person:
    """The one administrator, with an address that takes room."""
    person = make_user(live.runtime, "the-owner-of-all-this@subdomain.example.net")
    with transaction(live.runtime.engine) as db:
        ensure_own(db, live.runtime)
        give_role(Operation(db, live.runtime), person.user, "owner")
    return person


@pytest.fixture
def look(chromium: Any, live: Live, owner: Person) -> Iterator[Callable[..., Any]]:
    """Open a window in which the owner is signed in to the console."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed in tests/node")
    contexts = []

    def open_window(**options: Any) -> Any:
        contexts.append(chromium.new_context(bypass_csp=True, **options))
        page = contexts[-1].new_page()
        sign_in(page, live, owner)
        return page

    yield open_window
    for context in contexts:
        context.close()


def sign_in(page: Any, live: Live, person: Person) -> None:
    page.goto(live.issuer + "/admin/applications")
    page.fill("#email", person.email)
    page.fill("#password", person.password)
    with page.expect_navigation(url="**/admin/applications"):
        page.click("main button")


def check(page: Any, where: str) -> None:
    """Fail on anything that axe finds, on overflow, on small targets, on more than one heading."""
    keep_picture(page, where)
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == [], where
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where}: wider than the screen"
    assert page.evaluate(SMALL_TARGETS) == [], where
    assert page.locator("h1").count() == 1, where
    assert page.locator("main").count() == 1, where


def keep_picture(page: Any, where: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        window = (
            f"{'dark' if page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches') else 'light'}-{page.viewport_size['width']}"
        )
        name = where.split("/admin")[-1].strip("/").replace("/", "_").replace("?", "_").replace(":", "") or "overview"
        page.screenshot(path=Path(folder) / f"{name[:80]}-{window}.png", full_page=True)


def visit(page: Any, live: Live, paths: list[str], world: str) -> None:
    for path in paths:
        answer = page.goto(live.issuer + path)
        assert answer.status == 200, path
        check(page, f"{path} {world}")


def fill(live: Live) -> None:
    """Register what a busy server has: applications of every kind, with names and addresses that take room."""
    runtime = live.runtime
    make_resource_server(
        runtime,
        name="Orders and everything that has to do with them",
        scopes={f"orders:do-number-{number}": f"Do what number {number} is about, with all that this implies" for number in range(12)},
        introspected_by=[],
        claims={"roles": "roles"},
    )
    for number in range(20):
        make_resource_server(runtime, f"https://api-{number}.example.com/v{number}", name=f"API number {number}")
    long = "https://a-rather-long-host-name.of-a-subdomain.example.com/with/a/path/that/does/not/end/soon/callback"
    for kind in ("spa", "web"):
        name = f"A {kind} application with a rather long name that somebody thought of"
        make_client(runtime, kind, client_id=f"full-{kind}", client_name=name, apis=[API], redirect_uris=[long, f"{long}/2"])
    make_client(runtime, "service", client_id="full-service", client_name="Billing", apis=[API])
    make_client(runtime, "device", client_id="full-device", client_name="Television")
    make_client(
        runtime,
        "service",
        client_id="full-key",
        client_name="Reports",
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=f"{long}/keys",
    )
    for number in range(MANY):
        make_client(runtime, ("web", "spa", "service")[number % 3], client_name=f"Application {number:03}", client_id=f"client-{number:03}")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_of_an_empty_console_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    visit(look(**window), live, PAGES["empty"], "empty")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_of_a_full_console_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    fill(live)
    visit(look(**window), live, PAGES["full"], "full")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_that_answers_a_form_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    make_resource_server(live.runtime, name="Orders")
    page = look(**window)
    open_page(page, live, "/admin/applications/new/web")
    send(page, "Register it")
    check(page, "/admin/applications/new/web with an error")
    page.fill("#name", "Shop")
    page.fill("#redirect_uris", "https://shop.example.com/callback")
    page.get_by_label("Orders").check()
    send(page, "Register it")
    check(page, "/admin/applications/created with its secret")
    client_id = page.url.rpartition("/")[2]
    open_page(page, live, f"/admin/applications/of/{client_id}")
    other = page.context.new_page()
    open_page(other, live, f"/admin/applications/of/{client_id}")
    other.fill("#client_name", "What somebody else typed")
    other.fill("#redirect_uris", "https://shop.example.com/callback\nhttps://shop.example.org/another/callback")
    send(other, "Save")
    check(other, "/admin/applications/of saved")
    page.fill("#client_name", "What I typed")
    send(page, "Save")
    check(page, "/admin/applications/of with a conflict")
    page.fill("#redirect_uris", "http://shop.example.com/callback")
    send(page, "Save")
    check(page, "/admin/applications/of with an error")
    open_page(page, live, f"/admin/applications/credentials/{client_id}")
    send(page, "Make a new secret")
    check(page, "/admin/applications/credentials with a new secret")
    open_page(page, live, f"/admin/applications/danger/{client_id}")
    send(page, "Delete it for good")
    check(page, "/admin/applications/danger with an error")
    open_page(page, live, f"/admin/applications/test-drive/{client_id}")
    send(page, "Start")
    send(page, "Allow")
    check(page, "/admin/applications/test-drive done")
    page.reload()
    check(page, "/admin/applications/test-drive over")
    open_page(page, live, "/admin/apis/new")
    send(page, "Register it")
    check(page, "/admin/apis/new with an error")
    open_page(page, live, "/admin/applications/of/nobody")
    check(page, "/admin/applications/of not found")
    if page.viewport_size["width"] < 400:
        page.get_by_text("Menu", exact=True).click()
        check(page, "/admin/applications menu")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_of_people_keys_and_mistakes_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    pages = people.fill(live)
    page = look(**window)
    visit(page, live, pages, "full")
    for summary in page.locator("details.more > summary").all():
        if summary.is_visible():
            summary.click()
    open_page(page, live, "/admin/audit?action=user.update")
    page.locator("td details > summary").first.click()
    check(page, "/admin/audit with what changed")
    open_page(page, live, "/admin")
    page.locator("#tokens summary").click()
    check(page, "/admin with the table of a chart")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_form_about_people_and_keys_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    ida = make_user(live.runtime, "ida@example.net")
    page = look(**window)
    for path in ("sessions?user=nobody", "grants?user=nobody", "audit?since=yesterday", "users/none", "failures/none", "setup?token=x"):
        open_page(page, live, f"/admin/{path}")
        check(page, f"/admin/{path} with an error")
    open_page(page, live, "/admin/users/invite")
    send(page, "Make the invitation")
    check(page, "/admin/users/invite with an error")
    page.fill("#email", "new@example.net")
    send(page, "Make the invitation")
    check(page, "/admin/users/invited with its link")
    open_page(page, live, f"/admin/users/{ida.subject}")
    page.fill("#attributes", "{")
    send(page, "Save")
    check(page, "/admin/users with an error")
    with people.operating(live.runtime) as operation:
        change_user(operation, ida.subject, {"name": "What somebody else typed"})
    page.fill("#attributes", "")
    page.fill("#name", "What I typed")
    send(page, "Save")
    check(page, "/admin/users with a conflict")
    send(page, "Save")
    check(page, "/admin/users saved")
    open_page(page, live, f"/admin/users/{ida.subject}/danger")
    send(page, "Delete this user")
    check(page, "/admin/users/danger with an error")
    open_page(page, live, "/admin/keys/rotate")
    page.get_by_role("radio", name="Emergency").check()
    send(page, "Rotate")
    check(page, "/admin/keys/rotate with an error")
    live.clock.advance(minutes=6)
    send(page, "Rotate")
    check(page, "/admin/keys/rotate not fresh")


@pytest.mark.spec("WCAG 2.2", "AA")
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_behind_a_one_time_link_keeps_anyone_out(live: Live, look: Callable[..., Any], window: dict[str, Any]) -> None:
    ida = make_user(live.runtime, "ida.with.a.rather.long.address@some.subdomain.example.net")
    page = look(**window)
    with people.operating(live.runtime) as operation:
        setup, reset = setup_link(operation), reset_link(operation, ida.email)
    for address, button in ((setup, "Create the owner"), (reset, "Set the password")):
        page.goto(address)
        check(page, address.partition("?")[0])
        send(page, button)
        check(page, f"{address.partition('?')[0]} with an error")
    for path in ("/password", "/password/done"):
        open_page(page, live, path)
        check(page, path)


def open_page(page: Any, live: Live, path: str) -> None:
    page.goto(live.issuer + path)


def send(page: Any, button: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()
