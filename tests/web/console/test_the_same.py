"""Each page says the same as a command and as an API call: the commands are commands, and the calls are endpoints."""

import html
import re
import shlex
from urllib.parse import urlsplit

import click
import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter

from authserver.cli import main
from authserver.web.administration import create_admin_app
from tests.factories import API, make_client, make_resource_server, make_user
from tests.pages import read

KINDS = ("spa", "web", "native", "service", "device")
TABS = ("of", "credentials", "apis", "tokens", "people", "activity", "snippets", "test-drive", "danger")
LISTS = ("applications", "applications/new", "apis", "apis/new", "users", "users/invite", "sessions", "grants", "keys", "audit", "failures")


def shown(answer, title):
    """The text of a page below one of the two titles; '' where it has none."""
    found = re.search(rf"<h2>{title}</h2>.*?<code>(.*?)</code>", answer.text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def parse(words):
    """Parse a command line without running it."""
    command, name = main, "authserver"
    with click.Context(main, info_name="authserver") as context:
        while isinstance(command, click.Group):
            name, *words = words
            found = command.get_command(context, name)
            assert found is not None, name
            command = found
        if "--help" not in words:
            command.make_context(name, list(words), parent=context)


def address_of(adapter: MapAdapter, call):
    """The endpoint of a curl."""
    words = shlex.split(call)
    assert words[0] == "curl"
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    url = urlsplit(next(word for word in words if word.startswith("http")))
    try:
        return adapter.match(url.path, method=method)[0]
    except NotFound:
        return None


@pytest.fixture
def pages(console, runtime):
    """Every page with something to show: path and answer."""
    make_resource_server(runtime)
    person, http = make_user(runtime), console()
    made = [make_client(runtime, kind, apis=[API]) for kind in KINDS]
    paths = [f"/admin/{name}" for name in LISTS] + [f"/admin/applications/new/{kind}" for kind in KINDS]
    paths += [f"/admin/applications/{tab}/{each.client_id}" for each in made for tab in (*TABS, "created")]
    paths += [f"/admin/apis/{tab}/{API}" for tab in ("of", "clients", "snippets", "danger")]
    paths += [f"/admin/users/{person.subject}{part}" for part in ("", "/sessions", "/access", "/log", "/danger")]
    paths += ["/admin", "/admin/keys/rotate", f"/admin/audit?action=x&client_id=y&request_id=z&subject={person.subject}&since=2026-12-01"]
    return [(path, http.get(http.issuer + path)) for path in paths]


def test_every_command_is_one(pages):
    for path, answer in pages:
        assert answer.status == 200, path
        text = shown(answer, "As a command").replace("\\\n", " ")
        for line in filter(None, text.splitlines()):
            words = shlex.split(line.partition(" < ")[0])
            assert words[0] == "authserver", path
            try:
                parse(words[1:])
            except click.ClickException as error:
                raise AssertionError(f"{path}: {line}: {error.format_message()}") from error


def test_every_call_is_one(pages, runtime):
    adapter = create_admin_app(runtime).url_map.bind("login.example.com")
    for path, answer in pages:
        for call in filter(None, re.split(r"\n\n(?=curl)", shown(answer, "As an API call"))):
            if "/admin/api/v1/" in call:
                assert address_of(adapter, call.replace("\\\n", " ")), f"{path}: {call}"


def test_every_page_says_one_of_them(pages):
    silent = [path for path, answer in pages if not shown(answer, "As a command") and not shown(answer, "As an API call")]
    assert [path for path in silent if "/test-drive/device" not in path] == []
    assert all("Skip to the content" in read(answer).text for _, answer in pages)
