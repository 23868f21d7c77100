"""Functions in Node, run as Lambda runs them: tests/node/lambda.cjs keeps a process with a module's handlers."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.aws_consumers.stages import Failed

NODE_FOLDER = Path(__file__).parent.parent / "node"


class NodeLambda:
    """`with NodeLambda(file, ISSUER=…) as functions: functions("handler", event)`."""

    def __init__(self, file: Path, **environment: str) -> None:
        self._command = ["node", str(NODE_FOLDER / "lambda.cjs"), str(file)]
        self._environment = {**os.environ, "NODE_PATH": str(NODE_FOLDER / "node_modules"), **environment}

    def __enter__(self) -> "NodeLambda":
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process: Any = subprocess.Popen(self._command, env=self._environment, text=True, **pipes)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __call__(self, name: str, event: Mapping[str, Any]) -> Any:
        """Call a function. Raises Failed with its error's message."""
        self._process.stdin.write(json.dumps({"name": name, "event": event}) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise Failed(said["error"])
        return said.get("answer")
