"""The function as AWS Lambda runs it: a process that imports the handler and is handed one event after the other.

Run as a program, it reads events from standard input, a JSON text per line, and writes what becomes of each. `Function`
starts one; what it logs, on either stream, is in a file.
"""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import authserver
from tests.web.events import Event

ROOT = Path(__file__).parent.parent
NAME = "authserver-test"
QUIET = {"AUTHSERVER_PASSWORD_HASH_MEMORY_BYTES": "65536", "AUTHSERVER_PASSWORD_HASH_ITERATIONS": "1"}


class Failed(Exception):
    """The invocation failed, as `zappa invoke` would say; the text has the error's name and message."""


def environment(url: str, issuer: str, secret_key: str, **settings: str) -> dict[str, str]:
    """What a function's environment has."""
    known = {"ISSUER": issuer, "DATABASE_URL": url, "SECRET_KEY": secret_key, **settings}
    lambdas = {"AWS_LAMBDA_FUNCTION_NAME": NAME, "AWS_REGION": "eu-central-1"}
    return {**lambdas, **QUIET, **{f"AUTHSERVER_{name}": value for name, value in known.items()}}


def load(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> Any:
    """Import the handler anew in this process, as INIT does."""
    for name in [name for name in os.environ if name.startswith(("AUTHSERVER_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name in ("wsgi", "lambda_handler"):
        sys.modules.pop(f"authserver.{name}", None)
        vars(authserver).pop(name, None)
    return import_module("authserver.lambda_handler")


class Function:
    """A function in a process of its own."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSERVER_", "AWS_", "COVERAGE_"))}
        self.log = log
        with log.open("ab") as file:
            command = [sys.executable, "-m", "tests.lambda_function"]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": file, "text": True}
            self._process = subprocess.Popen(command, cwd=ROOT, env={**kept, **environ}, **pipes)

    def __call__(self, event: Event) -> Any:
        """Invoke it. Raises Failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        answer, error = json.loads(line)
        if error is not None:
            raise Failed(error)
        return answer

    def modules(self) -> set[str]:
        """What it has imported so far."""
        return set(self({"modules": True}))

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


def run() -> None:
    """Serve until standard input ends; whatever the function prints goes where its log goes."""
    answers, sys.stdout = sys.stdout, sys.stderr
    handler = import_module("authserver.lambda_handler").handler
    for line in sys.stdin:
        event = json.loads(line)
        try:
            outcome = [sorted(sys.modules) if event == {"modules": True} else handler(event, None), None]
        except Exception as error:
            outcome = [None, f"{type(error).__name__}: {error}"]
        answers.write(json.dumps(outcome) + "\n")
        answers.flush()


if __name__ == "__main__":
    run()
