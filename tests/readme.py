"""Who follows README.md in the tests: its code blocks by kind, a newcomer with a fresh copy, a site in production."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from authserver.runtime.settings import PREFIX
from tests.http_client import OverNetwork
from tests.nginx import start_nginx, write_certificate
from tests.servers import free_port

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"(?:<!-- file (\S+) -->\n)?^```(\w*)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
KINDS: dict[str, Callable[[str, str], bool]] = {
    "start": lambda language, text: text == "make run",
    "tests": lambda language, text: text == "make test",
    "first token": lambda language, text: text.startswith("curl "),
    "registration": lambda language, text: "authserver apis create" in text,
    "automation": lambda language, text: text.startswith("authserver clients create"),
    "calls": lambda language, text: text.startswith("API="),
    "configuration": lambda language, text: language == "json",
    "file": lambda language, text: language == "yaml",
    "comparison": lambda language, text: text.startswith("authserver diff"),
    "application": lambda language, text: text.startswith("authserver apply"),
    "schema": lambda language, text: "config schema" in text,
    "verification": lambda language, text: language == "python",
    "key": lambda language, text: text.startswith("(umask"),
    "production": lambda language, text: "authserver serve" in text,
    "proxy": lambda language, text: language == "nginx",
    "lambda package": lambda language, text: text.startswith("make lambda-package"),
    "lambda role": lambda language, text: "aws cloudformation deploy" in text,
    "lambda settings": lambda language, text: language == "jsonc",
    "lambda deployment": lambda language, text: text.startswith("zappa deploy"),
    "lambda update": lambda language, text: text.startswith("zappa update"),
    "lambda owner": lambda language, text: text.startswith("TOKEN="),
    "lambda client": lambda language, text: text.startswith("SECRET="),
    "lambda removal": lambda language, text: text.startswith("zappa undeploy"),
    "layout": lambda language, text: language == "text",
}
HOST = "login.example.com"
PROGRAMS = Path(sys.executable).parent
NOT_OF_A_NEWCOMER = (PREFIX, "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTEST", "PYTHON", "COV")


@dataclass(frozen=True)
class Block:
    """A code block, and the file that it shows where it is one."""

    file: str | None
    language: str
    text: str

    @property
    def kinds(self) -> list[str]:
        return ["shown"] if self.file else [kind for kind, matches in KINDS.items() if matches(self.language, self.text)]


BLOCKS = [Block(*match.groups()) for match in BLOCK.finditer(TEXT)]


def the(kind: str) -> str:
    """The text of the one block of a kind."""
    (text,) = [block.text for block in BLOCKS if block.kinds == [kind]]
    return text


def changed(text: str, changes: dict[str, str]) -> str:
    """Put what a test has in the place of what the README shows, and nothing else."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def environment(**added: str) -> dict[str, str]:
    """What a shell has where nobody has set anything up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OF_A_NEWCOMER)}
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if Path(part) != PROGRAMS)
    return {**kept, **added}


def shell(script: str, folder: Path, **added: str) -> str:
    """Run a script and return what it printed."""
    command, variables = ["bash", "-e", "-c", script], environment(**added)
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def poll(condition: Callable[[], Any], process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    """Wait until something is so, for as long as a process lives."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process that was told to stop; return its exit code."""
    try:
        return process.wait(30)
    finally:
        process.kill()


class Newcomer:
    """Somebody with a fresh copy of this repository."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder / "authserver", folder / "log"
        ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(".git", *ignored))
        self.port = free_port()
        self.issuer = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.log.touch()

    def start(self, script: str) -> str:
        """Start the server; return what is printed until it is ready."""
        variables = environment(ARGS=f"--port {self.port}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", script], cwd=self.folder, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        poll(lambda: "Ctrl-C stops" in self.log.read_text(), self.process, self.log)
        return self.log.read_text()

    def stop(self) -> str:
        """Press Ctrl-C; return what is printed then."""
        before = self.log.stat().st_size
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            end(self.process)
        return self.log.read_bytes()[before:].decode()

    def here(self, text: str) -> str:
        return changed(text, {"http://localhost:9000": self.issuer})

    def verify(self, token: str) -> str:
        """Run the API's verification; return the error."""
        command = [sys.executable, "-c", self.here(the("verification"))]
        done = subprocess.run(command, env={**os.environ, "TOKEN": token}, capture_output=True, text=True, timeout=60, check=False)
        return done.stderr


class Site:
    """The server and nginx in front of it, each as the README shows it."""

    def __init__(self, folder: Path, database_url: str, nginx: str) -> None:
        self.folder, self.log = folder, folder / "log"
        self.port, self.tls_port = free_port(), free_port()
        self.certificate, certificate_key = write_certificate(HOST, folder)
        self.script = changed(
            the("production"),
            {"postgresql://authserver@localhost/authserver": shlex.quote(database_url), "--port 8000": f"--port {self.port}"},
        )
        proxy = changed(
            the("proxy"),
            {
                "listen 443": f"listen 127.0.0.1:{self.tls_port}",
                f"/etc/ssl/{HOST}.pem": str(self.certificate),
                f"/etc/ssl/{HOST}.key": str(certificate_key),
                "http://127.0.0.1:8000": f"http://127.0.0.1:{self.port}",
            },
        )
        self.variables = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "AUTHSERVER_DRAIN_DELAY": "0"}
        self.nginx = start_nginx(nginx, folder, proxy)
        self.process = self._serve()

    def _serve(self) -> subprocess.Popen[bytes]:
        shell(the("key"), self.folder)
        # The shell gives its process to the server, which so gets the signals.
        command = ["bash", "-e", "-c", changed(self.script, {"authserver serve": "exec authserver serve"})]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment(**self.variables), stdout=log, stderr=log)

    def command(self, line: str) -> Any:
        """Run a command with the settings of the server; return its document."""
        exports = [export for export in self.script.splitlines() if export.startswith("export ")]
        return json.loads(shell("\n".join([*exports, f"authserver {line} --json"]), self.folder, **self.variables))

    def is_up(self, http: OverNetwork) -> bool:
        """Tell whether nginx answers, and has an answer to pass on."""
        try:
            return http.get("/readyz").status == 200
        except requests.ConnectionError:
            return False

    def stop(self) -> int:
        """Stop both; return the server's exit code."""
        for process in (self.nginx, self.process):
            process.terminate()
            code = end(process)
        return code
