"""Builds the server's zip for Lambda: `python .ci/package_lambda.py [--python 3.13] [--architecture x86_64]`.

In it are authserver with its templates and migrations, the libraries that it needs at run time in the versions and with
the hashes of uv.lock, and those modules of Zappa that run in a function; with hash-checked bytecode. boto3 is not: the
runtime has it. Nothing of the environment gets in, nor any file that git does not know. The same input gives the same bytes.
"""

# ruff: noqa: T201 - it says what it made

import argparse
import json
import platform
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from elf import is_library, machine, newest_glibc, stripped
from package import ARCHITECTURES, GLIBC, ROOT, compile_all, find_interpreter, install, leave_out, locked, pack, run

MOST_BYTES = 21 * 1024 * 1024
FOLDERS = ("authserver", "templates", "migrations")
# A function of its own, the command line, and what only that calls.
OTHER_PROGRAMS = ("authserver/authorizer/", "authserver/cli/", "authserver/admin/doctor/")
NO_SOURCES = (".pyc", ".env", ".key", ".db")
# The server of other deployments, tables in a terminal, and what only a C compiler needs.
NOT_ON_LAMBDA = {"granian", "rich", "markdown-it-py", "mdurl", "pygments", "pycparser"}
OF_ZAPPA = ("zappa", "durationpy")
# What no request and no job imports; the server is asked to import everything that is left before it is packed.
UNUSED = {
    ".": ".lock bin cffi wrapt-stubs **/*.pyi **/*.pxd **/*.pyx **/*.c **/*.h **/py.typed",
    "*.dist-info": "[!Me]*",  # METADATA and entry_points.txt are asked for
    "zappa": "ext policies* asynchronous.py cli.py core.py letsencrypt.py websocket.py",
    "sqlalchemy": "orm testing ext/[!_c]* dialects/mssql dialects/oracle",
    "authlib": "oauth1 integrations/*_client integrations/django_* integrations/starlette_*",
    "alembic": "templates testing",
    "mako": "ext testing",
    "packaging": "dependency_groups.py direct_url.py licenses markers.py metadata.py pylock.py requirements.py",
    "prometheus_client": "aiohttp django twisted",
    "pydantic": "mypy.py v1",
    "pygal": "test",
    "urllib3": "contrib/emscripten",
    "wtforms": "locale/*",
    "yaml": "_yaml.*",
}
# At the end of authserver/__init__.py, which is imported before any library that could not be loaded.
REFUSAL = """

import os
import sys

if (sys.version_info[:2], os.uname().machine) != ({}, {!r}):
    raise ImportError(
        "this package is for python{} on {}, and runs on python%d.%d on %s: build it for that, or change the function's runtime"
        % (*sys.version_info[:2], os.uname().machine)
    )
"""
# What Zappa's handler asks its settings; there is no application in it: requests never come to Zappa.
ZAPPA_SETTINGS = '''"""What Zappa's handler wants to know where it is asked; a secret has no place here."""

PROJECT_NAME = "authserver"
API_STAGE = ""
DEBUG = False
LOG_LEVEL = None
BINARY_SUPPORT = True
ENVIRONMENT_VARIABLES: dict = {}
CONTEXT_HEADER_MAPPINGS: dict = {}
AWS_EVENT_MAPPING: dict = {}
AWS_BOT_EVENT_MAPPING: dict = {}
COGNITO_TRIGGER_MAPPING: dict = {}
ADDITIONAL_TEXT_MIMETYPES: list = []
ASYNC_RESPONSE_TABLE = ""
DJANGO_SETTINGS = DOMAIN = BASE_PATH = EXCEPTION_HANDLER = SETTINGS_FILE = None
'''


def main() -> int:
    """Check what it is built for; build, try and measure the package."""
    arguments = read_arguments()
    check_stages(arguments.settings, arguments.python, arguments.architecture)
    interpreter = find_interpreter(arguments.python, arguments.interpreter)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "package"
        fill(folder, arguments.python, arguments.architecture)
        compile_all(interpreter, folder, but="/authserver/templates/")
        if ARCHITECTURES[arguments.architecture] == platform.machine():
            run([interpreter, "-I", "-S", "-B", str(ROOT / ".ci" / "import_everything.py"), str(folder)])
        pack(folder, arguments.output)
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {size:,} bytes, for python{arguments.python} on {arguments.architecture}")
    if size > MOST_BYTES:
        print(f"more than {MOST_BYTES:,} bytes", file=sys.stderr)
        return 1
    return 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Build the server's zip for Lambda")
    parser.add_argument("--python", default="3.13", choices=GLIBC, help="minor version of the function's runtime")
    parser.add_argument("--interpreter", help="what compiles: a Python of that minor version; found by uv unless given")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--settings", type=Path, default=ROOT / "zappa_settings.json", help="the stages that it is for")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "authserver-lambda.zip")
    return parser.parse_args()


def check_stages(file: Path, minor: str, architecture: str) -> None:
    """Refuse to build for another runtime or processor than a stage has: the function could not load its libraries."""
    stages = read_stages(file)
    for name in stages:
        stage = resolved(stages, name)
        runtime, processor = stage.get("runtime"), stage.get("architecture", "x86_64")
        if (runtime, processor) != (f"python{minor}", architecture):
            raise SystemExit(
                f"{file.name}: stage {name} has the runtime {runtime} on {processor}, and this would be python{minor} on {architecture}: "
                f"build with --python {str(runtime).removeprefix('python')} --architecture {processor}, or change the stage"
            )


def read_stages(file: Path) -> dict[str, Any]:
    """Read the stages; comments, as the README shows them, are not JSON."""
    try:
        stages: dict[str, Any] = json.loads(file.read_text())
    except OSError as error:
        raise SystemExit(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SystemExit(f"{file.name} is no JSON: {error}; comments may not be in it") from None
    return stages


def resolved(stages: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a stage with what it extends."""
    stage = stages[name]
    return {**resolved(stages, stage["extends"]), **stage} if "extends" in stage else stage


def fill(folder: Path, minor: str, architecture: str) -> None:
    """Put in what the function runs, and what it says of itself."""
    libraries = {name: text for name, text in locked().items() if name not in NOT_ON_LAMBDA}
    of_zappa = {name: text for name, text in locked("deploy").items() if name in OF_ZAPPA}
    install(libraries | of_zappa, folder, minor, architecture)
    leave_out(folder, [f"{place}/{name}".removeprefix("./") for place, names in UNUSED.items() for name in names.split()])
    for about in folder.glob("*.dist-info/METADATA"):
        about.write_text(about.read_text().partition("\n\n")[0] + "\n")
    for library in [path for path in folder.rglob("*.so*") if is_library(path.read_bytes())]:
        slim(library, folder, minor, architecture)
    copy(folder)
    (folder / "zappa_settings.py").write_text(ZAPPA_SETTINGS)
    with (folder / "authserver" / "__init__.py").open("a") as first:
        first.write(REFUSAL.format(tuple(map(int, minor.split("."))), ARCHITECTURES[architecture], minor, architecture))


def slim(library: Path, folder: Path, minor: str, architecture: str) -> None:
    """Strip a library, and refuse one that the runtime could not load."""
    data = stripped(library.read_bytes())
    wants, has = newest_glibc(data), GLIBC[minor]
    if machine(data) != architecture:
        raise SystemExit(f"{library.relative_to(folder)} is for {machine(data)}: build with --architecture {machine(data)}")
    if wants > has:
        raise SystemExit(
            f"{library.relative_to(folder)} wants glibc {wants[0]}.{wants[1]}, and the runtime python{minor} has {has[0]}.{has[1]}: "
            "build for a newer runtime, or lock a version of it that has a wheel for this one"
        )
    library.write_bytes(data)


def copy(folder: Path) -> None:
    """Add the server, as its wheel has it: templates and migrations lie inside."""
    for path in sources():
        inside = path if path.parts[0] == "authserver" else Path("authserver", *path.parts)
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    about = folder / f"authserver-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")


def sources() -> list[Path]:
    """Return the server's files: those that git knows; all that are not hidden where this is no clone."""
    if (ROOT / ".git").exists():
        names = run(["git", "ls-files", "-z", *FOLDERS]).split("\0")
        new = run(["git", "ls-files", "-z", "--others", "--exclude-standard", *FOLDERS]).split("\0")
        print("".join(f"left out, since git does not know it: {name}\n" for name in new if name), end="")
        paths = [Path(name) for name in names if name and (ROOT / name).exists()]
    else:
        paths = [path.relative_to(ROOT) for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()]
    return [path for path in paths if not path.as_posix().startswith(OTHER_PROGRAMS) and is_source(path)]


def is_source(path: Path) -> bool:
    """Tell whether a file may be one of the server's; where there is no git, this is all that is known."""
    is_hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return not is_hidden and path.suffix not in NO_SOURCES


if __name__ == "__main__":
    sys.exit(main())
