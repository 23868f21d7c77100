"""The server's package for this interpreter, built once for all processes of a run of tests, out of a copy with secrets in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
CANARY = "canary-4f1c2b7e90d3"
BUILT_OF = ("authserver", "migrations", "templates", ".ci", "pyproject.toml", "uv.lock", "zappa_settings.json")
IN_THE_TREE = ("authserver.env", ".env", "authserver.key", "authserver/.env", "authserver/web/new.py", "templates/.env", "migrations/x.db")


def build(output: Path, *arguments: str, root: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the builder."""
    command = [sys.executable, str(root / ".ci" / "package_lambda.py"), "--output", str(output), *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if "error sending request" in done.stderr:
        pytest.skip("the registry cannot be reached")
    return done


def settings_for_here(folder: Path) -> Path:
    """Return a copy of zappa_settings.json whose functions run on this interpreter's minor version."""
    stages: dict[str, Any] = json.loads((ROOT / "zappa_settings.json").read_text())
    stages["dev"]["runtime"] = f"python{MINOR}"
    file = folder / "zappa_settings.json"
    file.write_text(json.dumps(stages, indent=4))
    return file


def built_once(folder: Path) -> Path:
    """Return the package; `folder` is shared by all processes of the run, and the first of them builds."""
    file, lock = folder / "authserver-lambda.zip", folder / "authserver-lambda.lock"
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        end = time.monotonic() + 300
        while not file.exists():
            assert time.monotonic() < end, "another process did not build the package"
            time.sleep(0.2)
        return file
    tree = copy_with_secrets(folder / "tree")
    made = folder / "made.zip"
    done = build(made, "--python", MINOR, "--settings", str(settings_for_here(folder)), root=tree, AUTHSERVER_SECRET_KEY=CANARY)
    assert done.returncode == 0, done.stdout + done.stderr
    return made.rename(file)


def copy_with_secrets(tree: Path) -> Path:
    """Copy what it is built of, let git know all of it, and then put secrets in."""
    tree.mkdir()
    for name in BUILT_OF:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, tree / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tree, check=True)
    for name in IN_THE_TREE:
        (tree / name).write_text(f"# {CANARY}\n")
    return tree
