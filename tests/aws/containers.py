"""Lambda functions as processes here: AWS's own runtime client (awslambdaric) runs an unpacked zip, over a Runtime API of ours.

A container answers one invocation at a time, as in Lambda. It sees its package, Python's standard library, and what the
managed runtime has: the runtime client and boto3; nothing else of this environment.
"""

import io
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.aws.loopback import Loopback, Request, Response
from tests.aws_server import ACCOUNT, REGION

OF_THE_RUNTIME = (
    *("awslambdaric", "runtime_client*.so", "simplejson", "snapshot_restore_py*"),
    *("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"),
)
TAIL_BYTES = 4096
PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Outcome:
    """What an invocation gave: the answer's JSON, the kind of error where it is one, and the end of the log."""

    payload: bytes
    error: str = ""
    log: str = ""

    @property
    def answer(self) -> Any:
        return json.loads(self.payload)


class Container:
    """One process of a function. `python` may be another interpreter, whose `runtime` folder then has what is for it."""

    def __init__(
        self, task: Path, handler: str, environment: Mapping[str, str], runtime: Path, log: Path, python: str = sys.executable
    ) -> None:
        self._next: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._done: queue.Queue[Outcome] = queue.Queue()
        self._ids = (f"00000000-0000-4000-8000-{number:012d}" for number in itertools.count(1))
        self._is_ready = threading.Event()
        self.initialization_cpu_ms = 0.0
        self.log = log
        self._api = Loopback(self._answer)
        given = environment_of(self._api.port, task, handler, runtime, environment)
        with log.open("ab") as output:
            command = [python, "-S", "-m", "awslambdaric", handler]
            self.process = subprocess.Popen(command, cwd=task, env=given, stdout=output, stderr=output)
        threading.Thread(target=self._watch, daemon=True).start()

    def wait(self, seconds: float = 30) -> None:
        """Wait until it asks for work; what it takes until then is INIT."""
        assert self._is_ready.wait(seconds), self.log.read_text()[-3000:]

    def invoke(self, event: Any, seconds: float = 60) -> Outcome:
        began = self.log.stat().st_size
        self._next.put((next(self._ids), json.dumps(event).encode()))
        try:
            outcome = self._done.get(timeout=seconds)
        except queue.Empty:
            self.process.kill()
            outcome = Outcome(json.dumps({"errorMessage": f"Task timed out after {seconds:.2f} seconds"}).encode(), "Unhandled")
        return Outcome(outcome.payload, outcome.error, self.log.read_bytes()[began:][-TAIL_BYTES:].decode(errors="replace"))

    def cpu_ms(self) -> float:
        """Processor time of all its threads until now."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._next.put(None)
        self._api.stop()

    def _watch(self) -> None:
        """Nobody waits for the answer of a process that has ended."""
        code = self.process.wait()
        self._done.put(Outcome(json.dumps({"errorType": "Runtime.ExitError", "errorMessage": f"exit {code}"}).encode(), "Unhandled"))
        self._is_ready.set()

    def _answer(self, request: Request) -> Response:
        """The Runtime API (AWS: Lambda runtime API, 2018-06-01)."""
        match request.path.removeprefix(PREFIX).strip("/").split("/"):
            case ["invocation", "next"]:
                return self._hand_out()
            case ["invocation", _, "response"]:
                self._done.put(Outcome(request.body))
            case ["invocation", _, "error"] | ["init", "error"]:
                self._done.put(Outcome(request.body, "Unhandled"))
        return Response(202, b"{}")

    def _hand_out(self) -> Response:
        if not self._is_ready.is_set():
            self.initialization_cpu_ms = self.cpu_ms()
            self._is_ready.set()
        given = self._next.get()
        if given is None:
            return Response(500)
        identifier, event = given
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", identifier),
            ("Lambda-Runtime-Deadline-Ms", "32503680000000"),
            ("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:here"),
            ("Content-Type", "application/json"),
        ]
        return Response(200, event, headers)


def environment_of(port: int, task: Path, handler: str, runtime: Path, added: Mapping[str, str]) -> dict[str, str]:
    """The variables of a function (AWS: Lambda environment variables); nothing comes from this process but the path."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(runtime),
        "PYTHONDONTWRITEBYTECODE": "1",  # a function's folder is read-only
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "here",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        **added,
    }


def unpack(package: bytes, folder: Path) -> None:
    """Unpack a zip with the dates of its entries, as Lambda does: bytecode that goes by dates is worth nothing then."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for entry in archive.infolist():
            file = archive.extract(entry, folder)
            seconds = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(file, (seconds, seconds))


def link_runtime(folder: Path) -> Path:
    """Make a folder of what the managed runtime has beside Python, by links to what is installed here."""
    import boto3

    installed = Path(boto3.__file__).parents[1]
    folder.mkdir()
    for pattern in OF_THE_RUNTIME:
        for path in installed.glob(pattern):
            (folder / path.name).symlink_to(path)
    return folder


class Function:
    """A function with as many containers as are needed at once, up to `most`."""

    def __init__(self, task: Path, handler: str, environment: Mapping[str, str], runtime: Path, log: Path, most: int = 2) -> None:
        self._make = lambda: Container(task, handler, environment, runtime, log)
        self._places, self._idle = threading.Semaphore(most), queue.LifoQueue[Container]()
        self._all: list[Container] = []

    def invoke(self, event: Any, seconds: float = 60) -> Outcome:
        with self._places:
            container = self._take()
            try:
                return container.invoke(event, seconds)
            finally:
                if container.is_alive:
                    self._idle.put(container)

    def stop(self) -> None:
        for container in self._all:
            container.stop()

    def _take(self) -> Container:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            self._all.append(self._make())
            return self._all[-1]
