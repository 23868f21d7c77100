"""One real server for all of these tests, in real time, with APIs of every algorithm; and hosts for applications of ours."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authserver.app import create_app
from authserver.runtime import Runtime, make_runtime
from authserver.store.base import new_id
from tests import databases
from tests.factories import API, Made, Person, make_client, make_resource_server, make_settings, make_user
from tests.http_client import InProcess, OverNetwork
from tests.interop.hosts import SpaHost
from tests.relying_party import RelyingParty
from tests.servers import RealServer

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
NODE_FOLDER = ROOT / "tests" / "node"
PACKAGES = NODE_FOLDER / "node_modules"
OTHER_API = "https://other.example.com"
API_OF_ALG = {
    "RS256": API,
    "PS256": "https://ps256.example.com",
    "ES256": "https://es256.example.com",
    "Ed25519": "https://ed25519.example.com",
}


class RealTime:
    """The clock of the machine."""

    def timestamp(self) -> int:
        return int(datetime.now(UTC).timestamp())


@dataclass
class Provider:
    """The server, what it once issued, and short ways to have more."""

    server: RealServer
    expired_access_token: str
    person: Person

    @property
    def issuer(self) -> str:
        return self.server.issuer

    @property
    def runtime(self) -> Runtime:
        return self.server.runtime

    def http(self) -> OverNetwork:
        return self.server.http()

    def client(self, kind: str, **metadata: Any) -> Made:
        return make_client(self.runtime, kind, client_id=self.unique(kind), **metadata)

    def unique(self, word: str) -> str:
        """A name that no other test of this server has."""
        return f"{word}-{new_id(os.urandom(16)).hex()}"

    def party(self, made: Made) -> RelyingParty:
        return RelyingParty(self.http(), made, clock=RealTime())

    def service_token(self, **parameters: Any) -> str:
        """An access token of a new service that may use every API."""
        made = self.client("service", apis=[*API_OF_ALG.values(), OTHER_API])
        answer = self.party(made).client_credentials(**parameters)
        assert answer.status == 200, answer.text
        return str(answer.json["access_token"])

    def person_tokens(self, **metadata: Any) -> dict[str, Any]:
        """The tokens that a web application has after a sign-in."""
        made = self.client("web", apis=[API], **metadata)
        return self.party(made).sign_in(self.person, scope="openid profile email read")


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A server that has been there for an hour, as its oldest key and an expired token show."""
    database = databases.start("sqlite")
    url = database.new()
    many = {"sign_in_limit_address": "10000/minute", "sign_in_limit_account": "10000/minute"}
    server = RealServer(url, tmp_path_factory.mktemp("interop") / "server.log", **many)
    expired = begin_an_hour_ago(url, server.issuer)
    person = make_user(server.runtime, claims={"name": "Ada Example", "given_name": "Ada", "email_verified": True}, roles=["editor"])
    yield Provider(server.start(), expired, person)
    server.stop()
    database.stop()


def begin_an_hour_ago(url: str, issuer: str) -> str:
    """Let an earlier run of the server make the APIs, a key of every algorithm, and a token that has expired since."""
    past = make_runtime(make_settings(issuer=issuer, database_url=url), now=lambda: datetime.now(UTC) - timedelta(hours=1))
    for alg, identifier in API_OF_ALG.items():
        make_resource_server(past, identifier, signing_alg=alg, claims={"roles": "roles"})
    make_resource_server(past, OTHER_API)
    service = RelyingParty(InProcess(create_app(past), issuer), make_client(past, "service", apis=[*API_OF_ALG.values()]), clock=RealTime())
    answers = [service.client_credentials(resource=identifier) for identifier in API_OF_ALG.values()]
    assert {answer.status for answer in answers} == {200}
    past.engine.dispose()
    return str(answers[0].json["access_token"])


@pytest.fixture
def spa_host() -> Iterator[Callable[..., SpaHost]]:
    """Start web servers of single-page applications: `spa_host("localhost")`."""
    if not (PACKAGES / "oidc-client-ts").exists():
        pytest.skip("the packages of tests/node are not installed")
    running: list[SpaHost] = []

    def start(host: str) -> SpaHost:
        running.append(SpaHost(host, EXAMPLES / "spa", PACKAGES))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def node_api(node: Any, provider: Provider) -> Iterator[str]:
    """The example API in Node; the fixture is its address."""
    environment = {**os.environ, "NODE_PATH": str(PACKAGES), "ISSUER": provider.issuer, "AUDIENCE": API, "SCOPE": "read", "PORT": "0"}
    command = ["node", str(EXAMPLES / "node-api" / "api.js")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def run_node(node: Any, provider: Provider) -> Callable[..., Any]:
    """Run a script with the issuer and more as environment; return what it printed as JSON."""

    def run(script: str, *arguments: str, **environment: str) -> Any:
        variables = {**os.environ, "NODE_PATH": str(PACKAGES), "ISSUER": provider.issuer, "AUDIENCE": API, **environment}
        done = node(script, *arguments, env=variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
