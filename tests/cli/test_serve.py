"""`authserver serve`, started for real: what it refuses, how it drains, and that it outlives its workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import SECRET_KEY
from tests.http_client import OverNetwork
from tests.servers import RealServer, free_port

PROGRAM = str(Path(sys.executable).parent / "authserver")
BODY = b"grant_type=client_credentials&client_id=nobody&client_secret=none"
AWAY = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


def refused(**environment):
    """Start with those settings, expect a refusal, and return its words."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}
    done = subprocess.run(
        [PROGRAM, "serve", "--port", str(free_port())],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def good(database_url):
    return {"AUTHSERVER_ISSUER": "https://login.example.com", "AUTHSERVER_DATABASE_URL": database_url, "AUTHSERVER_SECRET_KEY": SECRET_KEY}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"AUTHSERVER_ISSUER": "http://login.example.com"}, "AUTHSERVER_ISSUER must start with https://"),
        ({"AUTHSERVER_DEV": "true"}, "unset AUTHSERVER_DEV"),
        ({"AUTHSERVER_SECRET_KEY": ""}, "AUTHSERVER_SECRET_KEY is not set"),
        ({"AUTHSERVER_SECRET_KEY": "dev_" + SECRET_KEY}, "authserver dev made"),
        ({"AUTHSERVER_SECRET_KEY": SECRET_KEY + " dev_" + SECRET_KEY}, "authserver dev made"),
        ({"AUTHSERVER_SECRET_KEY": "B" * 43}, "not in AUTHSERVER_SECRET_KEY"),
        ({"AUTHSERVER_SECRET_KEY": "kms:no"}, "AUTHSERVER_SECRET_KEY: each secret key that begins with kms: must be"),
        ({"AUTHSERVER_SECRET_KEY": f"kms:01234567:{'A' * 160}", **AWAY}, "AUTHSERVER_SECRET_KEY: 127.0.0.1 cannot be reached"),
        ({"AUTHSERVER_SPECIFICATIONS_OFF": "RFC-6749"}, "AUTHSERVER_SPECIFICATIONS_OFF can name"),
        ({"AUTHSERVER_COMPONENTS": "everything"}, "AUTHSERVER_COMPONENTS must be protocol, admin, or both"),
        ({"AUTHSERVER_SMTP_URL": "smtp://mail.example"}, "AUTHSERVER_MAIL_FROM must be an address"),
        ({"AUTHSERVER_APPLY": "/nowhere/clients.yaml"}, "/nowhere/clients.yaml cannot be read"),
        ({"AUTHSERVER_DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "AUTHSERVER_DATABASE_URL cannot be used"),
    ],
)
def test_it_refuses_what_is_unsafe_and_names_the_setting(good, runtime, change, says):
    assert says in refused(**{**good, **change})


@pytest.mark.databases
def test_it_refuses_a_database_without_tables(good, database_server):
    url = database_server.empty()
    assert "run authserver db upgrade" in refused(**{**good, "AUTHSERVER_DATABASE_URL": url})
    database_server.drop(url)


def test_it_refuses_a_port_that_is_taken(good, runtime):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(**good, AUTHSERVER_METRICS_PORT=port)
    assert "AUTHSERVER_METRICS_PORT" in said
    assert port in said


@pytest.mark.slow
@pytest.mark.parametrize(("only", "token", "console"), [("protocol", 401, 404), ("admin", 404, 303)])
def test_it_serves_one_part_alone(database_url, tmp_path, only, token, console):
    server = RealServer(database_url, tmp_path / "log", workers=2)
    command = [*server.command(), "--only", only]
    with server.log.open("ab") as log:
        server.process = subprocess.Popen(command, env=server.environment(), stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_alive(server)
        http = server.http()
        assert http.post("/oauth2/token", {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}).status == token
        assert http.get("/admin").status == console
    finally:
        server.stop()


def wait_until_alive(server):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(OSError):
            if server.http().get("/livez").status == 200:
                return
        assert server.process.poll() is None, server.log.read_text()
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())


def test_only_one_of_the_parts_can_be_named():
    done = subprocess.run([PROGRAM, "serve", "--only", "pages"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "'protocol', 'admin'" in done.stderr


class SlowRequest:
    """A request whose body comes in two parts."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        lines = (
            "POST /oauth2/token HTTP/1.1",
            "Host: x",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(BODY)}",
        )
        self.socket.sendall("\r\n".join((*lines, "", "")).encode() + BODY[:10])

    def finish(self) -> bytes:
        self.socket.sendall(BODY[10:])
        return self.socket.recv(65536)


def status_of(port, path):
    return OverNetwork(f"http://127.0.0.1:{port}").get(path).status


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_on_sigterm_it_drains_then_closes_finishes_and_exits_with_0(serve, workers):
    server = serve(workers=workers, drain_delay=timedelta(seconds=2), log_level="INFO")
    assert status_of(server.port, "/readyz") == 200
    idle = socket.create_connection(("127.0.0.1", server.port))
    idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.recv(100).startswith(b"HTTP/1.1 200")
    with closing(idle), closing(SlowRequest(server.port).socket):
        slow = SlowRequest(server.port)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 1.4
        time.sleep(0.2)
        while time.monotonic() < until:
            assert status_of(server.port, "/readyz") == 503
            assert status_of(server.port, "/livez") == 200, "requests are still taken"
            assert status_of(server.port, "/.well-known/jwks.json") == 200
        wait_until_closed(server.port)
        assert server.process.poll() is None, "a request is in flight"
        assert slow.finish().startswith(b"HTTP/1.1 401")
    assert server.process.wait(20) == 0
    assert not server.workers_running()


def wait_until_closed(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            time.sleep(0.05)
            continue
        return
    raise AssertionError("it still listens")


@pytest.mark.slow
def test_a_second_sigterm_ends_the_wait(serve):
    server = serve(drain_delay=timedelta(seconds=60))
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert status_of(server.port, "/livez") == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0


@pytest.mark.slow
def test_ctrl_c_stops_at_once_with_0(serve):
    server = serve(workers=2, drain_delay=timedelta(seconds=60))
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(20) == 0


@pytest.mark.slow
def test_a_killed_worker_is_replaced(serve):
    server = serve(workers=2)
    before = set(server.workers_running())
    os.kill(max(before), signal.SIGKILL)
    until = time.monotonic() + 15
    while time.monotonic() < until and len(set(server.workers_running()) - before) == 0:
        time.sleep(0.1)
    server.wait()
    assert server.process.poll() is None
    assert set(server.workers_running()) - before


@pytest.mark.slow
def test_workers_end_with_a_main_process_that_is_killed(serve):
    server = serve(workers=2)
    workers = server.workers_running()
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(5)
    wait_until_closed(server.port)
    until = time.monotonic() + 10
    while time.monotonic() < until and any(Path(f"/proc/{worker}/task").exists() for worker in workers):
        time.sleep(0.1)
    assert not [worker for worker in workers if Path(f"/proc/{worker}/task").exists()]


@pytest.mark.slow
def test_metrics_on_a_port_of_their_own_are_the_sum_of_all_workers(serve):
    port = free_port()
    server = serve(workers=2, metrics_port=port)
    for _ in range(20):
        assert status_of(server.port, "/livez") == 200
    metrics = OverNetwork(f"http://127.0.0.1:{port}")
    shown = metrics.get("/metrics").text
    assert 'authserver_responses_total{endpoint="health.livez",status="2xx"} 20.0' in shown
    assert 'authserver_signing_key_age_seconds{alg="RS256"}' in shown
    assert metrics.get("/").status == 404
    assert status_of(server.port, "/metrics") == 404, "the public port has none without a token"
