"""Real servers on loopback: the command that operators run, in a process of its own, in real time."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from authserver.runtime import Runtime, Settings, make_runtime
from authserver.runtime.settings import format_value
from tests.factories import make_settings
from tests.http_client import OverNetwork


def free_port() -> int:
    """A port that nobody has, below those that the system gives to outgoing connections."""
    while True:
        port = random.randint(20001, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class RealServer:
    """`authserver serve` with some workers; `runtime` looks at its database from here."""

    def __init__(self, database_url: str, log: Path, *, workers: int = 1, **changes: Any) -> None:
        self.port = free_port()
        self.log, self.workers = log, workers
        self.issuer = f"http://127.0.0.1:{self.port}"
        quick = {"drain_delay": timedelta(0), "log_level": "WARNING"}
        self.settings: Settings = make_settings(**{"issuer": self.issuer, "database_url": database_url, **quick, **changes})
        self.runtime: Runtime = make_runtime(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSERVER_", "COVERAGE_"))}
        changed = {name: value for name, value in vars(self.settings).items() if value != Settings.__dataclass_fields__[name].default}
        return {**kept, **{f"AUTHSERVER_{name.upper()}": format_value(value) for name, value in changed.items()}}

    def start(self) -> "RealServer":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=log, stderr=log, start_new_session=True)
        self.wait()
        return self

    def command(self) -> list[str]:
        """What an operator would type."""
        return [str(Path(sys.executable).parent / "authserver"), "serve", "--port", str(self.port), "--workers", str(self.workers)]

    def supervise(self) -> None:
        """Start it again if it has ended, as systemd would: granian ends when a worker dies twice within seconds."""
        if self.process is not None and self.process.poll() is not None:
            time.sleep(0.1)
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=log, stderr=log, start_new_session=True)

    def wait(self, seconds: float = 20, *, supervised: bool = False) -> None:
        """Wait until it answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.http().get("/.well-known/jwks.json").status == 200:
                    return
            except OSError:
                pass
            assert self.process is not None
            if supervised:
                self.supervise()
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.05)
        raise AssertionError("server does not answer: " + self.log.read_text()[-3000:])

    def http(self) -> OverNetwork:
        return OverNetwork(self.issuer)

    def workers_running(self) -> list[int]:
        """The ids of the processes that serve, which are below the one that was started."""
        assert self.process is not None
        return descendants(self.process.pid)

    def stop(self) -> None:
        self.runtime.engine.dispose()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill all of its processes at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def descendants(pid: int) -> list[int]:
    """The ids of all processes below one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return found + [below for child in found for below in descendants(child)]
