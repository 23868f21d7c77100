"""README.md's chapter on AWS Lambda, followed to the letter, with AWS on loopback: the zip itself runs, on PostgreSQL."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import create_engine, text

from authserver.runtime.engine import database_url
from tests.aws import aws_command
from tests.aws.containers import Function, link_runtime, unpack
from tests.aws.control import Control
from tests.aws.gateways import CALLER, Gateway, http_api, rest_api, scheduled
from tests.aws.package import settings_for_here
from tests.aws_server import MotoServer
from tests.factories import Made, Person
from tests.http_client import OverNetwork
from tests.readme import PROGRAMS, ROOT, changed, environment, shell, the
from tests.relying_party import AUTHORIZE, Callback, RelyingParty

STAGE = "authserver-dev"
HANDLER = "authserver.lambda_handler.handler"
APPLICATION = "https://app.example.com/callback"
OWNER = Person(None, "ada@example.com", "correct horse battery staple")  # type: ignore[arg-type]


class Operator:
    """Somebody who has a clone of this repository and an account of AWS, and follows the chapter."""

    def __init__(self, folder: Path, package: Path, moto: MotoServer, control: Control, database_url: str) -> None:
        self.folder, self.control = folder, control
        shutil.copytree(ROOT / "examples" / "aws", folder / "examples" / "aws")
        (folder / "dist").mkdir()
        (folder / "dist" / "authserver-lambda.zip").symlink_to(package)
        self.settings = settings_for_here(folder)
        programs = aws_command.install(folder / "programs")
        path = f"{programs}:{PROGRAMS}:{environment()['PATH']}"
        here = {
            "PATH": path,
            "AWS_ENDPOINT_URL_LAMBDA": control.url,
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "VIRTUAL_ENV": str(PROGRAMS.parent),
        }
        self.variables = {**moto.environment(), **here}
        self.database_url = database_url
        self.put("postgresql://authserver@HOST/authserver", database_url)
        self.put('"AUTHSERVER_DATABASE_IAM": "true"', '"AUTHSERVER_DATABASE_IAM": "false"')

    def put(self, old: str, new: str) -> None:
        """Edit zappa_settings.json."""
        self.settings.write_text(changed(self.settings.read_text(), {old: new}))

    def types(self, script: str) -> str:
        return shell(script, self.folder, **self.variables)

    def invoke(self, event: Any) -> Any:
        """Invoke the function as an operator's program would; return its answer."""
        outcome = self.control.invoke(STAGE, event)
        assert not outcome.error, outcome
        return outcome.answer

    @property
    def gateway(self) -> Gateway:
        found = self.control.functions[STAGE].url
        assert found is not None
        return found


@pytest.fixture
def operator(tmp_path: Path, package: Path, moto: MotoServer, control: Control, database_server: Any) -> Iterator[Operator]:
    url = database_server.empty()
    folder = tmp_path / "clone"
    folder.mkdir()
    yield Operator(folder, package, moto, control, url)
    control.stop()
    database_server.drop(url)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.databases("postgresql")
def test_the_chapter_deploys_a_server_for_people_and_services_and_takes_it_away(
    operator: Operator, moto: MotoServer, chromium: Any
) -> None:
    issuer = deploy(operator)
    token, secret = first_steps(operator)
    use_it(issuer, secret)
    let_the_schedules_run(operator, moto)
    sign_in_with_a_browser(operator, issuer, token, chromium)
    go_through_other_gateways(operator, issuer, secret)
    look_at_what_was_left(operator, (token, secret, OWNER.password))
    operator.types(the("lambda removal"))
    assert moto.client("lambda").list_functions()["Functions"] == []
    assert not [rule for rule in moto.client("events").list_rules()["Rules"] if rule["Name"].startswith(STAGE)]


@pytest.mark.databases("postgresql")
def test_two_migrations_at_once_do_no_harm(package: Path, database_server: Any, tmp_path: Path) -> None:
    task, url = tmp_path / "task", database_server.empty()
    unpack(package.read_bytes(), task)
    settings = {"AUTHSERVER_ISSUER": "https://login.example.com", "AUTHSERVER_DATABASE_URL": url, "AUTHSERVER_SECRET_KEY": "A" * 43}
    function = Function(task, HANDLER, settings, link_runtime(tmp_path / "runtime"), tmp_path / "log")
    with ThreadPoolExecutor() as both:
        outcomes = list(both.map(function.invoke, [{"command": "authserver.jobs.migrate"}] * 2))
    function.stop()
    database_server.drop(url)
    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert outcomes[0].answer == outcomes[1].answer


def deploy(operator: Operator) -> str:
    """Make key and role, deploy, say what the address is, and migrate; return the issuer."""
    item = operator.types(the("lambda role")).splitlines()[-1]
    operator.put("kms:KEY", item)
    printed = operator.types(the("lambda deployment"))
    address = shown(r"function URL address: (\S+)", printed)
    operator.put("https://ISSUER", address.rstrip("/"))
    printed = operator.types(the("lambda update"))
    assert '"job":"migrate"' in printed
    assert operator.invoke({"command": "authserver.jobs.health"})["needed"] in printed
    assert address in operator.types("zappa status dev")
    return address.rstrip("/")


def first_steps(operator: Operator) -> tuple[str, str]:
    """Make the owner's link and a client; return the token of the one and the secret of the other, which never left here."""
    printed = operator.types(the("lambda owner"))
    assert "/admin/setup?token=" in printed
    made = operator.types(the("lambda client") + "\necho; echo $SECRET")
    assert '"client_id":"billing"' in made
    return printed.split()[-1], made.split()[-1]


def use_it(issuer: str, secret: str) -> None:
    """What a service does, through the gateway as it is now."""
    http = OverNetwork(issuer)
    assert http.get("/.well-known/openid-configuration").json["issuer"] == issuer
    service = RelyingParty(http, made_client("billing", secret))
    answer = service.client_credentials()
    assert answer.status == 200, answer.text
    assert service.verify(answer.json["access_token"])["client_id"] == "billing"
    assert RelyingParty(http, made_client("billing", "wrong")).client_credentials().status == 401


def let_the_schedules_run(operator: Operator, moto: MotoServer) -> None:
    """Each rule is named by Zappa so that the function knows its job."""
    rules = {rule["Name"].rpartition(".")[2]: rule["Arn"] for rule in moto.client("events").list_rules()["Rules"]}
    answers = {name: operator.invoke(scheduled(arn)) for name, arn in rules.items() if STAGE in arn}
    assert answers["deliver"]["letters_sent"] == 0
    assert answers["rotate_keys"]["keys"]
    assert "browser_sessions" in answers["janitor"]


def sign_in_with_a_browser(operator: Operator, issuer: str, token: str, chromium: Any) -> None:
    """Set the owner up by the link, sign in to an application in Chromium, consent, redeem the code, refresh."""
    register_application(operator)
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.route("https://app.example.com/**", lambda route: route.fulfill(body="<!doctype html><title>Application</title>"))
    page.goto(f"{issuer}/admin/setup?token={token}")
    for field, value in {"email": OWNER.email, "password": OWNER.password, "repeated": OWNER.password}.items():
        page.fill(f"input[name={field}]", value)
    page.click("button[type=submit]")
    party = RelyingParty(OverNetwork(issuer), made_client("photos", None, [APPLICATION]))
    parameters, verifier = party.parameters(scope="openid offline_access")
    page.goto(f"{issuer}{AUTHORIZE}?{urlencode(parameters)}")
    page.fill("#email", OWNER.email)
    page.fill("#password", OWNER.password)
    page.click("button[type=submit]")
    page.click("button[value=allow]")
    page.wait_for_url(f"{APPLICATION}?**")
    finish(party, Callback(dict(parse_qsl(urlsplit(page.url).query)), verifier, APPLICATION))
    context.close()


def go_through_other_gateways(operator: Operator, issuer: str, secret: str) -> None:
    """The same over HTTP API, and over a REST API whose stage is in the path, and so in the issuer."""
    operator.gateway.shape = http_api
    go_through(issuer, secret)
    operator.put(issuer, f"{issuer}/dev")
    operator.types("zappa update dev --no-upload yes")
    operator.gateway.shape = rest_api
    go_through(f"{issuer}/dev", secret)


def go_through(issuer: str, secret: str) -> None:
    use_it(issuer, secret)
    http = OverNetwork(issuer)
    http.session.headers["X-Forwarded-For"] = "203.0.113.9"
    party = RelyingParty(http, made_client("photos", None, [APPLICATION]))
    finish(party, party.authorize(OWNER, scope="openid offline_access"))


def finish(party: RelyingParty, callback: Callback) -> None:
    """Redeem a code, verify what it gives, and refresh."""
    answer = party.redeem(callback)
    assert answer.status == 200, answer.text
    assert party.verify(answer.json["id_token"], "photos")["nonce"]
    again = party.refresh(answer.json["refresh_token"])
    assert again.status == 200, again.text
    assert party.verify(again.json["access_token"])["iss"] == party.issuer


def look_at_what_was_left(operator: Operator, secrets: tuple[str, ...]) -> None:
    """Nothing secret is in the log, and the sessions know where the caller was, who said something else."""
    log = operator.control.functions[STAGE].log.read_text()
    assert '"message":"request"' in log
    assert [secret for secret in secrets if secret in log] == []
    engine = create_engine(database_url(operator.database_url))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT DISTINCT address_prefix FROM browser_sessions")).scalars().all()
    engine.dispose()
    assert found == [f"{CALLER.rpartition('.')[0]}.0/24"]


def register_application(operator: Operator) -> None:
    words = "kind=spa client_id=photos name=Photos consent=required scope='openid offline_access'"
    operator.invoke({"command": f"authserver.jobs.create_client {words} redirect_uri={APPLICATION}"})


def made_client(client_id: str, secret: str | None, redirect_uris: list[str] | None = None) -> Made:
    method = "client_secret_basic" if secret else "none"
    client: Any = SimpleNamespace(client_id=client_id, auth_method=method, metadata={"redirect_uris": redirect_uris or []})
    return Made(client, secret)


def shown(pattern: str, printed: str) -> str:
    match = re.search(pattern, printed)
    assert match is not None, printed
    return match[1]
