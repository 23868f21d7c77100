"""What the console tells people to paste, pasted: each snippet runs as it is, against a real server."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from authserver.admin.snippets import snippets, verify_snippets
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.store.base import transaction
from authserver.store.client import Client
from authserver.store.resource_server import find_resource_server
from tests.factories import API, PASSWORD, Made, make_client, make_key, make_resource_server
from tests.http_client import InProcess
from tests.interop.conftest import OTHER_API, PACKAGES, Provider
from tests.interop.hosts import SpaHost
from tests.pages import follow
from tests.servers import free_port

ODD = "it's <odd> $HOME `id` & "


def text_of(provider: Provider, made: Made, title: str) -> str:
    """The snippet of that title for a client."""
    with transaction(provider.runtime.engine) as db:
        apis = [api for identifier in made.client.apis if (api := find_resource_server(db, identifier))]
    return {each.title: each.text for each in snippets(provider.runtime.settings, made.client, made.secret, apis)}[title]


def check_of(provider: Provider, identifier: str, title: str) -> str:
    """The snippet of that title that checks an API's tokens."""
    with transaction(provider.runtime.engine) as db:
        api = find_resource_server(db, identifier)
    assert api is not None
    return {each.title: each.text for each in verify_snippets(provider.runtime.settings, api)}[title]


def environment(made: Made, provider: Provider, **more: str) -> dict[str, str]:
    return {**os.environ, "ISSUER": provider.issuer, "CLIENT_ID": made.client_id, "CLIENT_SECRET": str(made.secret), **more}


def run(command: list[str], **rest: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **rest)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def module_of(folder: Path, text: str) -> Any:
    """The snippet as an imported module."""
    (folder / "snippet.py").write_text(text)
    spec = importlib.util.spec_from_file_location("snippet", folder / "snippet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def node_folder(node: Any, tmp_path: Path) -> Path:
    """A folder in which Node finds the packages."""
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    return tmp_path


def private_pem(key: Any) -> str:
    return str(key.as_pem(private=True).decode())


@pytest.mark.parametrize("method", SECRET_METHODS)
@pytest.mark.parametrize("apis", [[API], [OTHER_API, API]])
def test_the_curl_of_a_service_fetches_a_token(provider: Provider, method: str, apis: list[str]) -> None:
    made = provider.client("service", apis=apis, token_endpoint_auth_method=method)
    token = json.loads(run(["sh", "-c", text_of(provider, made, "curl")]))["access_token"]
    assert provider.party(made).verify(token, audience=apis[0])["client_id"] == made.client_id


def test_odd_characters_in_ids_and_secrets_break_no_snippet(provider: Provider) -> None:
    client_id = provider.unique("it's<&$(id)`+%2B:#")
    made = make_client(provider.runtime, "service", client_id=client_id, apis=[API], secret=f"{ODD}:+%2F-and-long-enough")
    assert "access_token" in json.loads(run(["sh", "-c", text_of(provider, made, "curl")]))


@pytest.mark.parametrize("method", SECRET_METHODS)
def test_the_python_of_a_service_fetches_a_token_and_keeps_it(
    provider: Provider, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = provider.client("service", apis=[API], token_endpoint_auth_method=method)
    for name, value in environment(made, provider).items():
        monkeypatch.setenv(name, value)
    module = module_of(tmp_path, text_of(provider, made, "Python with requests"))
    token = module.access_token()
    assert provider.party(made).verify(token, audience=API)
    assert module.access_token() == token


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_the_python_of_a_service_with_a_key_fetches_a_token(provider: Provider, alg: str, tmp_path: Path) -> None:
    key = make_key(alg)
    made = provider.client("service", apis=[API], key=key)
    (tmp_path / "key.pem").write_text(private_pem(key))
    (tmp_path / "service.py").write_text(text_of(provider, made, "Python with requests"))
    more = {"CLIENT_KEY_FILE": "key.pem", "CLIENT_KEY_ID": "client-key"}
    token = run([sys.executable, "service.py"], cwd=tmp_path, env=environment(made, provider, **more))
    assert provider.party(made).verify(token, audience=API)


@pytest.mark.node
@pytest.mark.parametrize("method", [*SECRET_METHODS, "private_key_jwt"])
def test_the_node_of_a_service_fetches_a_token(provider: Provider, method: str, node_folder: Path) -> None:
    key = make_key("ES256") if method == "private_key_jwt" else None
    made = provider.client("service", apis=[API], key=key, **({} if key else {"token_endpoint_auth_method": method}))
    if key:
        (node_folder / "key.pem").write_text(private_pem(key))
    (node_folder / "service.mjs").write_text(text_of(provider, made, "Node with openid-client"))
    more = {"CLIENT_KEY_FILE": "key.pem", "CLIENT_KEY_ID": "client-key"}
    token = run(["node", "service.mjs"], cwd=node_folder, env=environment(made, provider, **more))
    assert provider.party(made).verify(token, audience=API)


@pytest.mark.parametrize("path", ["/callback", "/", "/login"])
def test_the_flask_of_a_web_application_signs_in(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    host = "http://localhost:3000"
    made = provider.client("web", redirect_uris=[f"{host}{path}"], apis=[API])
    for name, value in environment(made, provider).items():
        monkeypatch.setenv(name, value)
    module = module_of(tmp_path, text_of(provider, made, "Flask with Authlib"))
    application, party = InProcess(module.app, host), provider.party(made)
    login = next(str(rule) for rule in module.app.url_map.iter_rules() if rule.endpoint == "login")
    back = party.go_on(party.http.get(str(application.get(login).location)), provider.person)
    assert "Signed in as Ada Example" in follow(application, application.get(str(back.location))).text


@pytest.mark.node
def test_the_node_of_a_web_application_signs_in(provider: Provider, node_folder: Path) -> None:
    port = free_port()
    made = provider.client("web", redirect_uris=[f"http://localhost:{port}/callback"], apis=[API])
    (node_folder / "app.mjs").write_text(text_of(provider, made, "Node with openid-client"))
    party, browser = provider.party(made), requests.Session()
    with subprocess.Popen(["node", "app.mjs"], cwd=node_folder, env=environment(made, provider), stderr=subprocess.PIPE) as process:
        try:
            login = wait_for(lambda: browser.get(f"http://localhost:{port}/login", allow_redirects=False, timeout=10))
            back = party.go_on(party.http.get(login.headers["Location"]), provider.person)
            answer = browser.get(str(back.location), headers={"Cookie": login.headers["Set-Cookie"].split(";")[0]}, timeout=10)
            stranger = requests.get(str(back.location), timeout=10)
        finally:
            process.terminate()
    assert answer.text == f"Signed in as {provider.person.subject}"
    assert stranger.status_code == 400


def wait_for(ask: Callable[[], Any]) -> Any:
    import time

    for _ in range(100):
        try:
            return ask()
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("nothing listens")


def test_the_python_of_the_command_line_signs_in(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = provider.client("native", redirect_uris=["http://127.0.0.1/callback"], apis=[API])
    module = module_of(tmp_path, text_of(provider, made, "Python, on the command line"))
    party = provider.party(made)

    def browse(url: str) -> None:
        back = party.go_on(party.http.get(url), provider.person)
        threading.Thread(target=lambda: requests.get(str(back.location), timeout=10)).start()

    monkeypatch.setattr(webbrowser, "open", browse)
    tokens = module.sign_in()
    assert party.verify(tokens["access_token"], audience=API)["sub"] == provider.person.subject


@pytest.fixture
def opaque_api(provider: Provider) -> tuple[str, Made]:
    """An API of opaque tokens, and the client by which it introspects them."""
    checker = provider.client("service")
    identifier = f"https://{provider.unique('opaque')}.example.com"
    make_resource_server(provider.runtime, identifier, token_format="opaque", introspected_by=[checker.client_id])
    return identifier, checker


def test_the_python_of_an_api_tells_tokens_apart(provider: Provider, tmp_path: Path) -> None:
    verify = module_of(tmp_path, check_of(provider, API, "Python with PyJWT")).verify
    tokens = provider.person_tokens()
    assert verify(tokens["access_token"], "read")["sub"] == provider.person.subject
    for token, scope in (
        (tokens["access_token"], "write"),
        (tokens["id_token"], "read"),
        (provider.service_token(resource=OTHER_API), "read"),
    ):
        with pytest.raises(Exception, match=r"."):
            verify(token, scope)


@pytest.mark.node
def test_the_node_of_an_api_tells_tokens_apart(provider: Provider, node_folder: Path) -> None:
    (node_folder / "verify.mjs").write_text(check_of(provider, API, "Node with jose"))
    ask = "import { verify } from './verify.mjs'; const [, , token, scope] = process.argv;"
    ask += "verify(token, scope).then((claims) => console.log(claims.sub), () => console.log('refused'));"
    (node_folder / "ask.mjs").write_text(ask)
    tokens = provider.person_tokens()
    asked = [(tokens["access_token"], "read"), (tokens["access_token"], "write"), (tokens["id_token"], "read")]
    said = [run(["node", "ask.mjs", token, scope], cwd=node_folder) for token, scope in asked]
    assert said == [provider.person.subject, "refused", "refused"]


def test_the_python_of_an_api_of_opaque_tokens_asks_about_them(
    provider: Provider, opaque_api: tuple[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier, checker = opaque_api
    for name, value in environment(checker, provider).items():
        monkeypatch.setenv(name, value)
    verify = module_of(tmp_path, check_of(provider, identifier, "Python with requests")).verify
    made = provider.client("service", apis=[identifier])
    token = provider.party(made).client_credentials().json["access_token"]
    assert verify(token, "read")["client_id"] == made.client_id
    for wrong, scope in ((token, "other"), ("opaque-nothing", "read")):
        with pytest.raises(PermissionError):
            verify(wrong, scope)


def test_the_curl_of_an_api_of_opaque_tokens_asks_about_them(provider: Provider, opaque_api: tuple[str, Made]) -> None:
    identifier, checker = opaque_api
    token = provider.party(provider.client("service", apis=[identifier])).client_credentials().json["access_token"]
    text = check_of(provider, identifier, "curl").replace("YOUR_CLIENT_SECRET", str(checker.secret)).replace("THE_TOKEN", token)
    assert json.loads(run(["sh", "-c", text]))["active"] is True


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An application</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"oidc-client-ts": "./node_modules/oidc-client-ts/dist/esm/oidc-client-ts.js",
"jwt-decode": "./node_modules/jwt-decode/build/esm/index.js"}}</script></head><body><h1>An application</h1>%s</body></html>"""


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.browser
@pytest.mark.node
def test_the_module_with_oidc_client_ts_signs_in_from_another_origin(provider: Provider, tab: Any, tmp_path: Path) -> None:
    host = SpaHost("localhost", tmp_path, PACKAGES)
    made = provider.client("spa", redirect_uris=[host.url], post_logout_redirect_uris=[host.url], apis=[API])
    script = text_of(provider, made, "oidc-client-ts") + "\ndocument.title = user ? `Signed in as ${user.profile.name}` : 'Signed out';"
    (tmp_path / "index.html").write_text(PAGE % f'<script type="module">{script}</script>')
    tab.goto(host.url)
    tab.get_by_label("Email address").fill(provider.person.email)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("button", name="Allow").click()
    tab.wait_for_function("document.title.startsWith('Signed in')")
    host.stop()
    assert tab.title() == "Signed in as Ada Example"


def test_a_placeholder_is_never_left(provider: Provider) -> None:
    clients: list[Client] = [
        *(provider.client(kind, redirect_uris=["https://a.example.com/cb"]).client for kind in ("spa", "web")),
        provider.client("native", redirect_uris=["com.example.app:/cb", "http://localhost/cb"], scope="openid read", apis=[API]).client,
        *(provider.client("service", token_endpoint_auth_method=method).client for method in SECRET_METHODS),
        provider.client("service", token_endpoint_auth_method="private_key_jwt", jwks_uri="https://a.example.com/keys").client,
        provider.client("device").client,
    ]
    texts = [each.text for client in clients for each in snippets(provider.runtime.settings, client)]
    assert len(texts) > 12
    assert [text for text in texts if "{{js" in text or "{{sh" in text or "[[" in text] == []
