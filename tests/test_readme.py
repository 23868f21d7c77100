"""README.md, followed to the letter: every code block is run, or a rule that is checked here stands for it."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import requests
import urllib3.util.connection
import yaml

from authserver.cli import main
from authserver.runtime.settings import PREFIX, Settings
from tests.factories import Made, Person
from tests.http_client import OverNetwork
from tests.nginx import find_nginx
from tests.readme import BLOCKS, HOST, KINDS, ROOT, TEXT, Newcomer, Site, environment, poll, shell, the
from tests.relying_party import RelyingParty


def sign_in(http: OverNetwork, client_id: str, redirect_uri: str, email: str, password: str, **parameters: str) -> dict[str, Any]:
    """Sign in to an application that has no secret; return its tokens."""
    client: Any = SimpleNamespace(client_id=client_id, auth_method="none", metadata={"redirect_uris": [redirect_uri]})
    user: Any = None
    return RelyingParty(http, Made(client), back=http).sign_in(Person(user, email, password), **parameters)


# What is there


def test_every_code_block_is_run_or_has_a_rule() -> None:
    assert [block for block in BLOCKS if len(block.kinds) != 1] == []
    assert len(BLOCKS) == TEXT.count("```") / 2
    paths = [Path(__file__), ROOT / "tests" / "readme.py", *(ROOT / "tests" / "aws").glob("test_*.py")]
    followers = "".join(path.read_text() for path in paths)
    assert [kind for kind in KINDS if f'the("{kind}")' not in followers] == []


def test_the_tests_are_what_ci_runs() -> None:
    assert the("tests") in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("file", [block.file for block in BLOCKS if block.file])
def test_a_file_that_is_shown_is_run_by_another_test(file: str) -> None:
    folder = Path(file).parent.name
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "interop").glob("*.py"))
    assert f'EXAMPLES / "{folder}"' in tests


def test_the_layout_names_what_exists() -> None:
    for line in the("layout").splitlines():
        inside = ROOT / "authserver" if line.startswith(" ") else ROOT
        for name in re.findall(r"(?<!\S)\S+(?:/|\.py)(?!\S)", line):
            assert (inside / name).exists() or (ROOT / name).exists(), name
    for name in re.findall(r"`([\w/]+\.py)`", TEXT):
        assert (ROOT / "authserver" / name).exists(), name


def test_every_link_leads_somewhere() -> None:
    headings = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in TEXT.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT):
        assert target.removeprefix("#") in headings if target.startswith("#") else (ROOT / target).exists(), target


def test_every_command_and_setting_that_is_named_exists() -> None:
    for line in re.findall(r"`authserver ([^`<]+)", TEXT):
        command: click.Command = main
        for word in shlex.split(line):
            if word.startswith("-"):
                options = [name for option in command.get_params(click.Context(command)) for name in option.opts]
                assert word in options, line
            elif isinstance(command, click.Group):
                found = command.get_command(click.Context(command), word)
                assert found is not None, line
                command = found
    known = {PREFIX + item.name.upper() for item in fields(Settings)}
    assert {name.removesuffix("_FILE") for name in re.findall(rf"{PREFIX}[A-Z_]+", TEXT)} - known == set()


@pytest.mark.parametrize("picture", re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT))
def test_a_picture_is_small(picture: str) -> None:
    assert (ROOT / picture).stat().st_size < 120_000


# The first steps


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    one = Newcomer(tmp_path)
    yield one
    one.stop()


@pytest.mark.slow
def test_a_newcomer_starts_a_server_registers_clients_and_verifies_their_tokens(newcomer: Newcomer) -> None:
    printed = newcomer.start(the("start"))
    secret, password = found(r"demo-service:(\S+) ", printed), found(r"password +(\S+)", printed)
    notes = json.loads(shell(newcomer.here(the("first token")), newcomer.folder, DEMO_SERVICE_SECRET=secret))["access_token"]
    assert "Usage:" in shell(found(r"Next +(.+?)   ", printed), newcomer.folder)

    created = shell(the("registration"), newcomer.folder)
    billing = (found(r"^client_id +(service-\S+)", created), found(r"^client_secret +(\S+)", created))
    data = {"grant_type": "client_credentials", "scope": "orders:read"}
    answer = requests.post(f"{newcomer.issuer}/oauth2/token", data=data, auth=billing, timeout=30)
    assert newcomer.verify(answer.json()["access_token"]) == ""
    assert "InvalidAudienceError" in newcomer.verify(notes)

    shop = json.loads(newcomer.here(the("configuration")))
    assert shop.pop("authority") == newcomer.issuer
    client_id = shop.pop("client_id")
    for person in ("alice@example.com", password), ("bob@example.com", found(r"^password +(\S+)", created)):
        tokens = sign_in(OverNetwork(newcomer.issuer), client_id, "http://localhost:5173/", *person, **shop)
        assert newcomer.verify(tokens["access_token"]) == ""
        assert newcomer.verify(tokens["id_token"]) != ""
    follow_the_chapter_on_the_api(newcomer)
    follow_the_chapter_on_the_file(newcomer)
    rest = newcomer.stop()
    assert "Traceback" not in rest
    assert "rror" not in rest


def activated(newcomer: Newcomer) -> dict[str, str]:
    """What `. .venv/bin/activate` does."""
    return {"PATH": f"{newcomer.folder / '.venv' / 'bin'}{os.pathsep}{environment()['PATH']}"}


def follow_the_chapter_on_the_api(newcomer: Newcomer) -> None:
    """Register the program that administers, and let it list, register and change clients."""
    made = shell(newcomer.here(the("automation")), newcomer.folder, **activated(newcomer))
    secret = found(r"^client_secret +(\S+)", made)
    answers = shell(newcomer.here(the("calls")), newcomer.folder, AUTOMATION_SECRET=secret)
    assert '"Monthly reports"' in answers
    assert '"next_page_token"' in answers


def follow_the_chapter_on_the_file(newcomer: Newcomer) -> None:
    """Compare, apply, compare again, export; the exit code of the first comparison is 6."""
    (newcomer.folder / "clients.yaml").write_text(the("file") + "\n")
    given = {**activated(newcomer), "STOCK_WEB_SECRET": "s" * 32}
    compared = shell("{ " + the("comparison") + "; } || test $? = 6", newcomer.folder, **given)
    assert "+ client stock-web" in compared
    assert shell(the("application"), newcomer.folder, **given).endswith("No difference.\n")
    shell(the("schema"), newcomer.folder, **given)
    assert {"stock-web", "stock-import"} <= yaml.safe_load((newcomer.folder / "exported.yaml").read_text())["clients"].keys()
    assert json.loads((newcomer.folder / "clients.schema.json").read_text())["type"] == "object"


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None, text
    return match[1]


# Production


@pytest.fixture
def site(tmp_path: Path, database_server: Any) -> Iterator[Site]:
    nginx = find_nginx()
    if nginx is None:
        pytest.skip("nginx is not installed")
    url = database_server.empty()
    made = Site(tmp_path, url, nginx)
    yield made
    made.stop()
    database_server.drop(url)


@pytest.fixture
def through_nginx(site: Site, monkeypatch: pytest.MonkeyPatch) -> OverNetwork:
    """A browser that finds the site under its name, as if it were in the DNS; and lies about where it is."""
    connect = urllib3.util.connection.create_connection
    to_nginx: Any = {(HOST, 443): ("127.0.0.1", site.tls_port)}
    monkeypatch.setattr(
        urllib3.util.connection,
        "create_connection",
        lambda address, *rest, **named: connect(to_nginx.get(address, address), *rest, **named),
    )
    http = OverNetwork(f"https://{HOST}")
    http.session.verify = str(site.certificate)
    http.session.headers.update({"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"})
    return http


@pytest.mark.slow
@pytest.mark.databases("postgresql")
def test_production_behind_nginx_serves_its_issuer_and_sees_who_calls(site: Site, through_nginx: OverNetwork) -> None:
    http = through_nginx
    poll(lambda: site.is_up(http), site.process, site.log)
    assert http.get("/.well-known/openid-configuration").json["issuer"] == http.issuer
    assert (site.folder / "authserver.key").stat().st_mode & 0o077 == 0

    site.command("apis create --identifier https://orders.example.com --name Orders --scope 'orders:read=See your orders'")
    service = site.command("clients create --kind service --name Billing --api https://orders.example.com")
    credentials = (service["client_id"], service["client_secret"])
    answer = http.session.post(f"{http.issuer}/oauth2/token", {"grant_type": "client_credentials"}, auth=credentials, timeout=30)
    assert answer.json()["scope"] == "orders:read"

    site.command("clients create --kind spa --name Shop --client-id shop --redirect-uri https://shop.example.com/")
    bob = site.command("users create --email bob@example.com")
    assert sign_in(http, "shop", "https://shop.example.com/", "bob@example.com", bob["password"])["id_token"]
    (session,) = site.command("sessions list")
    assert session["address_prefix"] == "127.0.0.0/24"
    assert site.stop() == 0
