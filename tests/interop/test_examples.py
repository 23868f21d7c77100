"""The examples stay small, and their README's commands work."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import make_resource_server
from tests.interop.conftest import EXAMPLES, Provider

SOURCES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in (".js", ".py") and "node_modules" not in path.parts)
COMMANDS = re.findall(r"^authserver (.+)$", (EXAMPLES / "README.md").read_text(), re.MULTILINE)


MOST_LINES = {"bff/app.py": 65}


def name_of(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_an_example_has_at_most_40_lines_of_code(path: Path) -> None:
    """A backend for a frontend has more to do."""
    text = re.sub(r'^"""[\s\S]*?"""', "", path.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "//"))]
    assert 0 < len(lines) <= MOST_LINES.get(name_of(path), 40)


def test_the_commands_that_register_the_examples_work(provider: Provider) -> None:
    make_resource_server(provider.runtime, "https://notes.example.com", scopes={"notes:read": "Read your notes"})
    program = str(Path(sys.executable).parent / "authserver")
    for command in COMMANDS:
        done = subprocess.run(
            [program, *shlex.split(command)], env=provider.server.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(COMMANDS) == 4
