"""A backend for a frontend (RFC 10017): examples/bff in a real Chromium, on another site than the server, before the API in Node."""

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.factories import API, PASSWORD, Made
from tests.interop.conftest import EXAMPLES, Provider
from tests.interop.hosts import SpaHost
from tests.servers import free_port

pytestmark = [pytest.mark.browser, pytest.mark.node]

OTHER_SITE, SAME_SITE = "127.0.0.1", "localhost"
FETCH = """([url, options]) => fetch(url, options).then(
    async (answer) => [answer.status, await answer.text()], () => ["blocked", ""])"""
STORED = """async () => ({
    cookie: document.cookie, local: {...localStorage}, session: {...sessionStorage},
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length, name: window.name,
})"""


@dataclass
class Bff:
    """The example on a port of localhost, its client, and all that came to the browser from there or passed its address bar."""

    module: Any
    url: str
    made: Made
    provider: Provider
    seen: list[str] = field(default_factory=list)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def held(self) -> dict[str, Any]:
        """The one session that it has."""
        (session,) = self.module.sessions.values()
        return dict(session)

    def secrets(self) -> list[str]:
        """Everything that must never be in the browser."""
        token = self.held["token"]
        return [token["access_token"], token["refresh_token"], token["id_token"], str(self.made.secret)]

    def leaked(self) -> list[str]:
        """Those secrets that the browser has seen anyway."""
        everything = "\n".join(self.seen)
        assert self.provider.person.subject in everything
        return [secret for secret in self.secrets() if secret in everything]

    def watch(self, context: Any) -> None:
        """Keep whatever the browser asks for anywhere, and whatever the backend answers."""
        context.on("request", lambda request: self.seen.append(f"{request.method} {request.url} {request.headers} {request.post_data}"))
        self.module.app.after_request(self._keep)

    def _keep(self, response: Any) -> Any:
        asked = self.module.request
        self.cookies[f"{asked.method} {asked.path}"] = dict(asked.cookies)
        response.direct_passthrough = False
        self.seen.append(f"{response.status} {response.headers} {response.get_data(as_text=True)}")
        return response

    def age(self) -> None:
        """Let the access token have expired, as far as the backend knows."""
        for session in self.module.sessions.values():
            session["token"]["expires_at"] = 1


@pytest.fixture(scope="module")
def bff(provider: Provider, node_api: str) -> Iterator[Bff]:
    port = free_port()
    url = f"http://localhost:{port}/"
    made = provider.client("web", redirect_uris=[f"{url}callback"], post_logout_redirect_uris=[url], apis=[API], consent="remembered")
    own = {"ISSUER": provider.issuer, "API": node_api, "CLIENT_ID": made.client_id, "CLIENT_SECRET": str(made.secret)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**own, "SCOPE": "openid profile read"}.items():
            patch.setenv(name, value)
        module = imported(EXAMPLES / "bff" / "app.py", patch)
        server = make_server("localhost", port, module.app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Bff(module, url, made, provider)
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(WSGIRequestHandler):
    def log(self, *_arguments: Any) -> None:
        pass


def imported(file: Path, patch: pytest.MonkeyPatch) -> Any:
    """The example as a module of its own, which finds its page beside it."""
    spec = importlib.util.spec_from_file_location("bff_example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, "bff_example", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser(chromium: Any, bff: Bff) -> Iterator[Any]:
    """One person's browser, for all of these tests."""
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    bff.watch(context)
    yield context
    context.close()


@pytest.fixture
def signed_in(bff: Bff, browser: Any) -> Iterator[Any]:
    """The page of somebody who is signed in."""
    page = browser.new_page()
    page.goto(bff.url)
    page.get_by_text("Signed").wait_for()
    if "Signed out" in page.inner_text("#status"):
        sign_in(bff, page)
    yield page
    page.close()


def sign_in(bff: Bff, page: Any) -> None:
    """Sign in, as far as the server does not know the person yet."""
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_load_state()
    if page.url.startswith(bff.provider.issuer):
        page.get_by_label("Email address").fill(bff.provider.person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
    if page.url.startswith(bff.provider.issuer):
        page.get_by_role("button", name="Allow").click()
    page.get_by_text("Signed in as Ada Example").wait_for()


def show_notes(page: Any) -> str:
    """Press the button that calls the API; return what the page then shows."""
    with page.expect_response("**/bff/api/notes"):
        page.get_by_role("button", name="Show notes").click()
    page.locator("#answer", has_text="0").wait_for()
    return str(page.inner_text("#answer"))


def ask(page: Any, path: str, method: str = "GET", **headers: str) -> list[Any]:
    """Call the backend by a script of whatever page is open: status and text, or what the browser says."""
    script = (
        """([url, options]) => fetch(url, options).then(async (answer) => [answer.status, await answer.text()], () => ["blocked", ""])"""
    )
    return list(page.evaluate(script, [path, {"method": method, "headers": headers, "credentials": "include"}]))


def test_a_person_calls_the_api_and_no_token_is_ever_in_the_browser(bff: Bff, signed_in: Any) -> None:
    assert json.loads(show_notes(signed_in).removeprefix("200 ")) == {"notes": ["Buy milk"], "for": bff.provider.person.subject}
    stored = signed_in.evaluate(STORED)
    assert stored == {"cookie": "", "local": {}, "session": {}, "databases": 0, "caches": 0, "name": ""}
    bff.seen += [str(signed_in.context.cookies()), signed_in.content()]
    assert bff.leaked() == []


def test_its_cookie_is_as_the_specification_wants_it(bff: Bff, signed_in: Any) -> None:
    (session,) = signed_in.context.cookies(bff.url)
    assert session.pop("value") in bff.module.sessions
    assert session == {
        "name": "__Host-session",
        "expires": -1,
        "secure": True,
        "httpOnly": True,
        "sameSite": "Strict",
        "path": "/",
        "domain": "localhost",
    }


def form_of(host: SpaHost, folder: Path, bff: Bff) -> None:
    """Put a page there that sends a form to the backend as soon as it is opened."""
    form = f'<form method="post" action="{bff.url}bff/api/notes"><input name="a" value="1"></form>'
    (folder / "index.html").write_text(f"<!doctype html><title>Elsewhere</title>{form}<script>document.forms[0].submit()</script>")


@pytest.mark.parametrize(("site", "has_cookie"), [(OTHER_SITE, False), (SAME_SITE, True)])
def test_a_form_of_another_origin_calls_nothing(
    bff: Bff, signed_in: Any, tmp_path: Path, start_host: Callable[..., SpaHost], site: str, has_cookie: bool
) -> None:
    """From the same site the cookie does come along: there only the header protects."""
    host = start_host(site, tmp_path)
    form_of(host, tmp_path, bff)
    with signed_in.expect_response(f"{bff.url}bff/api/notes") as answer:
        signed_in.goto(host.url)
    assert answer.value.status == 403
    assert ("__Host-session" in bff.cookies["POST /bff/api/notes"]) is has_cookie


@pytest.mark.parametrize("site", [OTHER_SITE, SAME_SITE])
def test_a_script_of_another_origin_calls_nothing(
    bff: Bff, signed_in: Any, tmp_path: Path, start_host: Callable[..., SpaHost], site: str
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Elsewhere</title>")
    signed_in.goto(start_host(site, tmp_path).url)
    for path, method, headers in [
        ("bff/api/notes", "GET", {"X-BFF": "1"}),
        ("bff/logout", "POST", {"X-BFF": "1"}),
        ("bff/api/notes", "GET", {}),
        ("bff/logout", "POST", {}),
    ]:
        assert ask(signed_in, bff.url + path, method, **headers)[0] == "blocked"
    assert len(bff.module.sessions) == 1


@pytest.fixture
def start_host() -> Iterator[Callable[..., SpaHost]]:
    running: list[SpaHost] = []

    def start(site: str, folder: Path) -> SpaHost:
        running.append(SpaHost(site, folder, folder))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_an_expired_access_token_is_renewed_on_the_server(bff: Bff, signed_in: Any) -> None:
    before = bff.held["token"]
    bff.age()
    assert show_notes(signed_in).startswith("200")
    after = bff.held["token"]
    assert after["access_token"] != before["access_token"]
    assert after["expires_at"] > before["expires_at"]
    assert bff.leaked() == []


def test_a_session_ends_with_its_refresh_token(bff: Bff, signed_in: Any) -> None:
    assert bff.provider.party(bff.made).revoke(bff.held["token"]["refresh_token"]).status == 200
    bff.age()
    assert show_notes(signed_in).split() == ["401", '{"error":"invalid_grant"}']
    signed_in.get_by_text("Signed out").wait_for()
    assert bff.module.sessions == {}


def test_signing_out_ends_the_session_the_tokens_and_the_sign_in(bff: Bff, signed_in: Any) -> None:
    token, secrets, cookie = bff.held["token"], bff.secrets(), signed_in.context.cookies(bff.url)
    signed_in.get_by_role("button", name="Sign out").click()
    signed_in.get_by_role("button", name="Sign out").click()
    signed_in.get_by_text("Signed out").wait_for()
    assert [secret for secret in secrets if secret in "\n".join(bff.seen)] == []
    party = bff.provider.party(bff.made)
    assert party.refresh(token["refresh_token"]).error == "invalid_grant"
    assert party.is_active(token["access_token"]) is False
    signed_in.context.add_cookies(cookie)
    assert ask(signed_in, f"{bff.url}bff/api/notes", **{"X-BFF": "1"})[0] == 401
    signed_in.goto(f"{bff.url}login")
    signed_in.get_by_label("Password").wait_for()


def test_calls_go_to_the_api_and_nowhere_else(bff: Bff, signed_in: Any) -> None:
    """Whatever is written as the path: a query that is hidden in it, other hosts, or a way up."""
    for path in ("//example.com/", "@example.com/", "%3Fadmin=1", "http:/example.com"):
        assert ask(signed_in, f"{bff.url}bff/api/{path}", **{"X-BFF": "1"})[0] in (200, 404)
    assert ask(signed_in, f"{bff.url}bff/api/..%2f..%2fadmin", **{"X-BFF": "1"})[0] == 404
    assert ask(signed_in, f"{bff.url}bff/api/notes")[0] == 403
