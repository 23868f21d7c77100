"""The pictures in the README: the sign-in page and pages of the console, in Chromium, which talks to the application in this process.

`python -m tests.pictures` takes them.
"""

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from authserver.admin.failures import page_of_failures
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.app import create_app
from authserver.runtime import Runtime
from authserver.store.base import transaction
from tests.administrators import sign_in_to_console
from tests.browser import chromium, find_chromium
from tests.clock import Clock
from tests.factories import ISSUER, insert_keys, make_client, make_resource_server, make_settings, make_test_runtime, make_user
from tests.http_client import InProcess
from tests.migrated import migrate
from tests.pages import follow
from tests.relying_party import RelyingParty

FOLDER = Path(__file__).parent.parent / "docs"
SIZE: Any = {"width": 900, "height": 600}
WIDE: Any = {"width": 1080, "height": 700}
SHOP = "https://shop.example.com/callback"


def take(executable: str, folder: str) -> None:
    """Open each page as a browser would, and take its picture."""
    url = f"sqlite:///{folder}/pictures.db"
    migrate(url)
    runtime = make_test_runtime(make_settings(issuer=ISSUER, database_url=url), Clock())
    insert_keys(runtime)
    with chromium(executable) as browser:
        for name, size, http, address in pages(runtime):
            page = browser.new_page(viewport=size, color_scheme="light")
            page.route("**/*", partial(answer, http))
            page.goto(address)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
    runtime.engine.dispose()


def pages(runtime: Runtime) -> Iterator[tuple[str, Any, InProcess, str]]:
    """Yield the name of each picture, its size, who looks, and at which address."""
    app = create_app(runtime)
    shop = make_client(runtime, "spa", client_name="Example Shop", redirect_uris=["https://shop.example.com/"])
    person = InProcess(app, ISSUER)
    yield "sign-in", SIZE, person, follow(person, RelyingParty(person, shop).begin(login_hint="alice@example.com").answer).url
    make_resource_server(runtime, "https://orders.example.com", name="Orders")
    wiki = make_client(runtime, "web", client_id="wiki", client_name="Wiki", redirect_uris=[SHOP], apis=["https://orders.example.com"])
    administrator = sign_in(app, runtime)
    yield "console-application", WIDE, administrator, f"{ISSUER}/admin/applications/credentials/wiki"
    RelyingParty(person, wiki).begin(redirect_uri=SHOP + "/")
    with transaction(runtime.engine) as db:
        (failure,) = page_of_failures(Operation(db, runtime)).rows
    yield "console-failure", WIDE, administrator, f"{ISSUER}/admin/failures/{failure.error_id}"


def sign_in(app: Any, runtime: Runtime) -> InProcess:
    """Return a browser in which an owner is signed in."""
    owner = make_user(runtime, "ada@example.com")
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
        give_role(Operation(db, runtime), owner.user, "owner")
    http = InProcess(app, ISSUER)
    sign_in_to_console(http, owner)
    return http


def answer(http: InProcess, route: Any) -> None:
    """Answer a request of the browser."""
    given = http.get(route.request.url)
    route.fulfill(status=given.status, headers=dict(given.headers.items()), body=given.body)


if __name__ == "__main__":
    found = find_chromium()
    if found is None:
        sys.exit("no Chrome or Chromium is installed")
    with tempfile.TemporaryDirectory() as scratch:
        take(found, scratch)
