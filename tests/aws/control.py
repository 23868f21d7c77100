"""Lambda's control plane: moto's, with what moto does not do. Functions that are made there really run (tests/aws/containers.py).

It stands between a client of AWS and moto (AWS_ENDPOINT_URL_LAMBDA). Function URLs lead to a gateway of ours.
"""

import base64
import hashlib
import json
import platform
import re
import sys
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.aws.containers import Function, Outcome, link_runtime, unpack
from tests.aws.gateways import Event, Gateway
from tests.aws.loopback import Loopback, Request, Response

ROUTE = re.compile(r"/\d{4}-\d{2}-\d{2}/functions(?:/([^/?]+))?(/[a-z]+)?/?")
SMALL_ZIP = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="  # moto keeps what it is given, and needs none of it
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Deployed:
    """A function as its owner configured it, and what runs of it."""

    folder: Path
    configuration: dict[str, Any] = field(default_factory=dict)
    task: Path = Path()
    function: Function | None = None
    url: Gateway | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def take(self, package: bytes) -> None:
        """Take the code, and unpack it unless it is what is there."""
        self.stop()
        self.task = self.folder / hashlib.sha256(package).hexdigest()
        if not self.task.exists():
            unpack(package, self.task)

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration |= configuration
        self.stop()

    def stop(self) -> None:
        """End what runs; the next invocation starts it again."""
        if self.function is not None:
            self.function.stop()
        self.function = None


class Control:
    """Lambda at a port of loopback. `added` are variables that only this machine needs, such as where AWS is."""

    def __init__(self, moto_url: str, folder: Path, added: dict[str, str]) -> None:
        self._moto, self._folder, self._added = urlsplit(moto_url), folder, added
        self._runtime = link_runtime(folder / "runtime")
        self.functions: dict[str, Deployed] = {}
        self._server = Loopback(self._answer)
        self.url = self._server.url

    def invoke(self, name: str, event: Event) -> Outcome:
        """Invoke a function, and start it where it does not run."""
        deployed = self.functions[name]
        if deployed.function is None:
            given = deployed.configuration
            named = {"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(given["MemorySize"])}
            variables = {**named, **self._added, **given["Environment"]["Variables"]}
            deployed.function = Function(deployed.task, given["Handler"], variables, self._runtime, deployed.log)
        return deployed.function.invoke(event, deployed.configuration["Timeout"])

    def stop(self) -> None:
        for deployed in self.functions.values():
            deployed.stop()
            if deployed.url is not None:
                deployed.url.stop()
        self._server.stop()

    def _answer(self, request: Request) -> Response:
        match = ROUTE.fullmatch(request.path)
        name = unquote(match[1] or "").rpartition(":function:")[2].partition(":")[0] if match else ""
        known = {
            ("POST", ""): self._create,
            ("PUT", "/code"): self._update_code,
            ("PUT", "/configuration"): self._configure,
            ("POST", "/invocations"): self._invocation,
            ("POST", "/url"): self._create_url,
            ("PUT", "/url"): self._show_url,
            ("GET", "/urls"): self._list_urls,
            ("DELETE", ""): self._delete,
        }
        found = known.get((request.method, match[2] or "")) if match else None
        return found(name, request) if found else self._pass_on(request)

    def _create(self, _name: str, request: Request) -> Response:
        asked = json.loads(request.body)
        wanted = (asked["Runtime"], asked["Architectures"])
        if wanted != (RUNTIME, [platform.machine()]):
            return _json(400, {"Message": f"here runs {RUNTIME} on {platform.machine()}, not {wanted}"}, "InvalidParameterValueException")
        folder = self._folder / asked["FunctionName"]
        folder.mkdir()
        made = self.functions[asked["FunctionName"]] = Deployed(folder)
        made.configure(asked)
        made.take(base64.b64decode(asked["Code"]["ZipFile"]))
        return self._pass_on(request, {**asked, "Code": {"ZipFile": SMALL_ZIP}})

    def _update_code(self, name: str, request: Request) -> Response:
        asked = json.loads(request.body)
        self.functions[name].take(base64.b64decode(asked["ZipFile"]))
        return self._pass_on(request, {**asked, "ZipFile": SMALL_ZIP})

    def _configure(self, name: str, request: Request) -> Response:
        self.functions[name].configure(json.loads(request.body))
        return self._pass_on(request)

    def _invocation(self, name: str, request: Request) -> Response:
        outcome = self.invoke(name, json.loads(request.body or b"{}"))
        headers = [("X-Amz-Executed-Version", "$LATEST"), ("X-Amz-Log-Result", base64.b64encode(outcome.log.encode()).decode())]
        if outcome.error:
            headers.append(("X-Amz-Function-Error", outcome.error))
        return Response(200, outcome.payload, headers)

    def _create_url(self, name: str, request: Request) -> Response:
        answer = self._pass_on(request)
        self.functions[name].url = Gateway(lambda event: self.invoke(name, event))
        return _json(201, {**json.loads(answer.body), **self._described(name)})

    def _show_url(self, name: str, _request: Request) -> Response:
        return _json(200, self._described(name))

    def _list_urls(self, name: str, _request: Request) -> Response:
        return _json(200, {"FunctionUrlConfigs": [self._described(name)] if self.functions[name].url else []})

    def _delete(self, name: str, request: Request) -> Response:
        if "Qualifier" not in request.query and name in self.functions:
            self.functions.pop(name).stop()
        return self._pass_on(request)

    def _described(self, name: str) -> dict[str, Any]:
        gateway = self.functions[name].url
        assert gateway is not None
        arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{name}"
        times = {"CreationTime": "2026-11-22T00:00:00.000+0000", "LastModifiedTime": "2026-11-22T00:00:00.000+0000"}
        return {"FunctionUrl": gateway.url + "/", "FunctionArn": arn, "AuthType": "NONE", **times}

    def _pass_on(self, request: Request, document: dict[str, Any] | None = None) -> Response:
        """Ask moto, as the client did."""
        body = request.body if document is None else json.dumps(document).encode()
        connection = HTTPConnection(self._moto.hostname or "", self._moto.port, timeout=60)
        headers = {name: value for name, value in request.headers if name.lower() not in ("content-length", "connection")}
        try:
            connection.request(request.method, request.target, body, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("connection", "transfer-encoding", "date")]
            return Response(answer.status, answer.read(), kept)
        finally:
            connection.close()


def _json(status: int, document: dict[str, Any], error: str = "") -> Response:
    headers = [("Content-Type", "application/json"), *([("x-amzn-ErrorType", error)] if error else [])]
    return Response(status, json.dumps(document).encode(), headers)
