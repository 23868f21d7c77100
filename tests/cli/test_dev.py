"""`authserver dev`, started for real: what it makes, prints and refuses."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.http_client import OverNetwork
from tests.servers import free_port

PROGRAM = str(Path(sys.executable).parent / "authserver")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}


class Dev:
    """`authserver dev` in a folder, until the end of the test."""

    def __init__(self, folder: Path, port: int, *arguments: str) -> None:
        self.folder, self.port = folder, port
        self.issuer = f"http://localhost:{port}"
        command = [PROGRAM, "dev", "--port", str(port), *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self.lines = self._read()

    def _read(self) -> list[str]:
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Next"):
                break
        return lines

    def http(self) -> OverNetwork:
        return OverNetwork(self.issuer)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal the whole group, as a terminal does, and return the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
        self.rest = self.process.communicate(timeout=20)[0]
        return self.process.returncode


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(*arguments, port=None):
        running.append(Dev(tmp_path, port or free_port(), *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.stop(signal.SIGKILL)


def run(folder, *arguments, **environment):
    return subprocess.run(
        [PROGRAM, *arguments], cwd=folder, env={**CLEAN, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
def test_a_first_start_needs_nothing_and_a_second_keeps_everything(start, tmp_path):
    began = time.monotonic()
    first = start()
    assert time.monotonic() - began < 15
    shown = "\n".join(first.lines)
    assert len(first.lines) <= 14
    assert max(map(len, first.lines)) <= 160
    assert first.issuer in shown
    assert "/.well-known/openid-configuration" in shown
    assert f"{first.issuer}/demo" in shown
    (link,) = re.findall(r"^  (http://localhost:\d+/admin/setup\?token=[\w-]{43})$", shown, re.MULTILINE)
    assert first.http().get(link.removeprefix(first.issuer)).status == 200
    assert re.search(r"alice@example.com +password +[a-z0-9-]{27}$", shown, re.MULTILINE)

    curl = next(line for line in first.lines if line.lstrip().startswith("curl "))
    token = subprocess.run(curl, shell=True, capture_output=True, text=True, timeout=30, check=True).stdout
    assert json.loads(token)["token_type"] == "Bearer"
    assert first.http().get("/readyz").json["status"] == "ok"
    assert first.http().get("/demo").status == 200

    data = tmp_path / ".authserver"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in ("secret.key", "settings.env"):
        assert stat.S_IMODE((data / file).stat().st_mode) == 0o600
    assert (data / "secret.key").read_text().startswith("dev_")
    key = (data / "secret.key").read_text()

    listed = run(tmp_path, "clients", "list", "--json")
    demo = [client["client_id"] for client in json.loads(listed.stdout) if not client["managed_by"]]
    assert demo == ["demo-service", "demo-spa", "demo-web"]
    assert "Using .authserver/settings.env" in listed.stderr
    assert ".authserver/settings.env" in run(tmp_path, "config", "show").stdout
    assert "unset AUTHSERVER_LOG_LEVEL" in run(tmp_path, "clients", "list", AUTHSERVER_LOG_LEVEL="DEBUG").stderr

    assert first.stop(signal.SIGINT) == 0
    assert "Traceback" not in first.rest
    assert "ERROR" not in first.rest
    second = start(port=free_port())
    again = "\n".join(second.lines)
    assert len(second.lines) <= 14
    assert "kept from before" in again
    assert (data / "secret.key").read_text() == key
    assert second.http().get("/readyz").json["status"] == "ok"
    assert "/admin/setup?token=" in again, "nobody is owner yet"
    assert run(tmp_path, "admins", "grant", "alice@example.com", "owner").returncode == 0
    spa = json.loads(run(tmp_path, "clients", "get", "demo-spa", "--json").stdout)
    assert spa["redirect_uris"] == [f"{second.issuer}/demo"]
    assert second.stop() == 0

    third = start(port=free_port())
    assert f"Console      {third.issuer}/admin" in third.lines
    assert "token=" not in "\n".join(third.lines), "somebody is owner"
    assert third.stop() == 0

    refused = run(tmp_path, "serve")
    assert refused.returncode == 1
    assert "settings of authserver dev" in refused.stderr


@pytest.mark.slow
def test_its_data_may_lie_elsewhere(start, tmp_path):
    server = start("--data", "some/where", "--host", "127.0.0.1")
    assert (tmp_path / "some/where/authserver.db").exists()
    assert f"http://127.0.0.1:{server.port}" in "\n".join(server.lines)
    assert not (tmp_path / ".authserver").exists()
    with socket.socket() as probe:
        own = next(item[4][0] for item in socket.getaddrinfo("localhost", None, socket.AF_INET))
        assert own.startswith("127.")
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.2", server.port)) != 0, "it listens on one address alone"


@pytest.mark.slow
def test_it_applies_a_configuration_file_too(tmp_path):
    file = tmp_path / "clients.yaml"
    file.write_text("clients:\n  tv:\n    kind: device\n    client_name: TV\n")
    port = free_port()
    process = subprocess.Popen(
        [PROGRAM, "dev", "--port", str(port)], cwd=tmp_path, env={**CLEAN, "AUTHSERVER_APPLY": str(file)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert any(line.startswith("Next") for line in process.stdout)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert json.loads(run(tmp_path, "clients", "get", "tv", "--json").stdout)["managed_by"] == "clients"


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--host", "0.0.0.0"], {}, "this machine alone"),
        (["--host", "192.0.2.1"], {}, "this machine alone"),
        ([], {"AUTHSERVER_ISSUER": "https://login.example.com"}, "unset AUTHSERVER_ISSUER"),
        ([], {"AUTHSERVER_DATABASE_URL": "sqlite:///x.db"}, "unset AUTHSERVER_DATABASE_URL"),
        ([], {"AUTHSERVER_SECRET_KEY": "x"}, "unset AUTHSERVER_SECRET_KEY"),
        ([], {"AUTHSERVER_LOG_LEVL": "INFO"}, "did you mean AUTHSERVER_LOG_LEVEL"),
    ],
)
def test_it_refuses_what_is_for_production(tmp_path, arguments, environment, says):
    done = run(tmp_path, "dev", "--port", str(free_port()), *arguments, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "dev", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / ".authserver").exists()


def test_without_settings_or_data_a_command_says_what_to_do(tmp_path):
    for command in (["users", "list"], ["serve"], ["config", "show"]):
        done = run(tmp_path, *command)
        assert done.returncode == 1
        assert "authserver dev" in done.stderr
