"""The fixtures of all tests: a clock, a database of each kind, the application, a real server, a browser, Node."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage
import hypothesis
import pytest

from authserver.runtime import Runtime, Settings
from tests import databases
from tests.aws_server import MotoServer
from tests.browser import chromium as start_chromium
from tests.browser import find_chromium
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import ISSUER, insert_keys, make_settings, make_test_runtime
from tests.http_client import InProcess
from tests.servers import RealServer, free_port

IN_CI = os.environ.get("CI") == "true"
NODE_FOLDER = Path(__file__).parent / "node"

hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=IN_CI,
    max_examples=40,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=databases.KINDS, default="sqlite", help="the database of tests that use one")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("databases")
    if marker:
        metafunc.parametrize("database_kind", marker.args or databases.KINDS)
    else:
        metafunc.parametrize("database_kind", [pytest.param(metafunc.config.getoption("--database"), id=pytest.HIDDEN_PARAM)])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true everything must have run: a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped although CI=true", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    yield
    patch.undo()


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and host not in ("localhost", "::1") and not str(host).startswith("127."):
            raise AssertionError(f"a test connects to {host}")
        return original(self, address)

    return connect


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _servers() -> Iterator[dict[str, databases.Databases | str]]:
    """The database servers that were started, or why they could not be."""
    started: dict[str, databases.Databases | str] = {}
    yield started
    for server in started.values():
        if not isinstance(server, str):
            server.stop()


@pytest.fixture
def database_server(_servers: dict[str, databases.Databases | str], database_kind: str) -> databases.Databases:
    """The server of this test's kind of database, shared by all tests of this process."""
    if database_kind not in _servers:
        try:
            _servers[database_kind] = databases.start(database_kind)
        except databases.NotInstalled as error:
            _servers[database_kind] = str(error)
    server = _servers[database_kind]
    if isinstance(server, str):
        pytest.skip(server)
    return server


@pytest.fixture
def database_url(database_server: databases.Databases) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    url = database_server.new()
    yield url
    database_server.drop(url)


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    marker = request.node.get_closest_marker("settings")
    return make_settings(database_url=database_url, **(marker.kwargs if marker else {}))


@pytest.fixture
def runtime(settings: Settings, clock: Clock) -> Iterator[Runtime]:
    """The runtime of a server whose clock is `clock` and whose keys are there."""
    made = make_test_runtime(settings, clock)
    insert_keys(made)
    yield made
    made.engine.dispose()


@pytest.fixture
def app(runtime: Runtime) -> Any:
    from authserver.app import create_app

    return create_app(runtime)


@pytest.fixture
def http(app: Any, settings: Settings) -> InProcess:
    """A browser, or a backend, that talks to the application."""
    return InProcess(app, settings.issuer)


@pytest.fixture
def counts(runtime: Runtime) -> Counts:
    """Counts statements on the runtime's engine."""
    return Counts(runtime.engine)


@pytest.fixture
def untraced() -> Iterator[None]:
    """Pause the measuring of coverage, for a test that repeats thousands of times what others cover."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Callable[..., RealServer]]:
    """Start real servers on loopback, in real time: `serve(workers=2)`."""
    running: list[RealServer] = []

    def start(*, workers: int = 1, url: str = database_url, **settings: object) -> RealServer:
        running.append(RealServer(url, tmp_path / f"server-{len(running)}.log", workers=workers, **settings))
        return running[-1].start()

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def server(serve: Callable[..., RealServer]) -> RealServer:
    return serve(workers=2)


@pytest.fixture(scope="session")
def moto() -> Iterator[MotoServer]:
    """AWS on loopback, shared by all tests of this process: whoever makes something gives it a name of its own."""
    made = MotoServer(free_port()).start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chrome or Chromium is installed")
    with start_chromium(executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def node() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script of tests/node with Node: `node("verify.js", token)`."""
    program = shutil.which("node")
    if program is None or not (NODE_FOLDER / "node_modules").exists():
        pytest.skip("Node, or its packages in tests/node, are not installed")

    def run(script: str, *arguments: str, **rest: Any) -> subprocess.CompletedProcess[str]:
        command = [program, str(NODE_FOLDER / script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **rest)

    return run


__all__ = ["ISSUER"]
