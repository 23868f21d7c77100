"""The picture in the README: the sign-in page in Chromium, which talks to the application in this process.

`python -m tests.pictures` takes it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from authserver.app import create_app
from tests.browser import chromium, find_chromium
from tests.clock import Clock
from tests.factories import ISSUER, insert_keys, make_client, make_settings, make_test_runtime
from tests.http_client import InProcess
from tests.migrated import migrate
from tests.pages import follow
from tests.relying_party import RelyingParty

PICTURE = Path(__file__).parent.parent / "docs" / "sign-in.png"
SIZE: Any = {"width": 900, "height": 600}


def take(executable: str, folder: str) -> None:
    """Open the sign-in page as an application would, and take its picture."""
    url = f"sqlite:///{folder}/pictures.db"
    migrate(url)
    runtime = make_test_runtime(make_settings(issuer=ISSUER, database_url=url), Clock())
    insert_keys(runtime)
    shop = make_client(runtime, "spa", client_name="Example Shop", redirect_uris=["https://shop.example.com/"])
    http = InProcess(create_app(runtime), ISSUER)
    sign_in = follow(http, RelyingParty(http, shop).begin(login_hint="alice@example.com").answer)
    with chromium(executable) as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.route("**/*", lambda route: answer(route, http))
        page.goto(sign_in.url)
        page.screenshot(path=PICTURE)
    runtime.engine.dispose()


def answer(route: Any, http: InProcess) -> None:
    """Answer a request of the browser."""
    given = http.get(route.request.url)
    route.fulfill(status=given.status, headers=dict(given.headers.items()), body=given.body)


if __name__ == "__main__":
    found = find_chromium()
    if found is None:
        sys.exit("no Chrome or Chromium is installed")
    with tempfile.TemporaryDirectory() as scratch:
        take(found, scratch)
