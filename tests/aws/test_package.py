"""The server's package for Lambda: what is in it, what never is, and for what it is not built."""

import importlib.util
import json
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from authserver.jobs import SCHEDULED
from tests.aws.containers import link_runtime
from tests.aws.package import CANARY, IN_THE_TREE, MINOR, ROOT, build, settings_for_here
from tests.readme import PROGRAMS, TEXT, environment, the

MOST_BYTES = 21 * 1024 * 1024
HASH_CHECKED = 0b11
OF_ZAPPA = {"__init__", "asgi", "handler", "middleware", "utilities", "wsgi"}
WANTED = (
    *("lambda_handler.py", "jobs.py", "app.py", "migrations/env.py", "migrations/script.py.mako", "templates/snippets/verify.py"),
    *("templates/layout.html", "web/static/style.css", "web/translations/de/LC_MESSAGES/messages.po"),
)
NOT_IN_IT = ("authserver/authorizer/", "authserver/cli/", "boto3/", "botocore/", "granian/", "moto/", "pip/", "rich/", "tests/")


@pytest.fixture
def zipped(package: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(package) as archive:
        yield archive


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The builder's modules, which lie outside of every package: `tools("elf")`."""
    monkeypatch.syspath_prepend(ROOT / ".ci")
    names = set(sys.modules)

    def load(name: str) -> ModuleType:
        specification = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    yield load
    for name in set(sys.modules) - names:
        del sys.modules[name]


# What is in it


@pytest.mark.slow
def test_it_is_small_and_has_what_runs_and_nothing_else(package: Path, zipped: zipfile.ZipFile) -> None:
    names = zipped.namelist()
    assert package.stat().st_size <= MOST_BYTES
    assert {f"authserver/{name}" for name in WANTED} <= set(names)
    assert [name for name in names if name.startswith(NOT_IN_IT)] == []
    assert {Path(name).stem for name in names if re.fullmatch(r"zappa/\w+\.py", name)} == OF_ZAPPA
    assert {Path(name).name for name in names if ".dist-info/" in name} <= {"METADATA", "entry_points.txt"}


def test_its_entries_say_nothing_of_when_and_by_whom_it_was_built(zipped: zipfile.ZipFile) -> None:
    entries = zipped.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o644}


def test_all_bytecode_is_checked_by_hash_and_there_is_some_for_every_module(zipped: zipfile.ZipFile) -> None:
    names = zipped.namelist()
    compiled = [name for name in names if name.endswith(".pyc")]
    flags = {struct.unpack_from("<I", zipped.read(name), 4)[0] for name in compiled}
    modules = [name for name in names if name.endswith(".py") and not name.startswith("authserver/templates/")]
    assert flags == {HASH_CHECKED}
    assert len(compiled) == len(modules)


def test_no_secret_of_the_environment_or_the_folder_gets_in(zipped: zipfile.ZipFile) -> None:
    assert [name for name in zipped.namelist() if CANARY.encode() in zipped.read(name)] == []
    names = {path.removeprefix("authserver/") for path in IN_THE_TREE}
    assert [name for name in zipped.namelist() if name.removeprefix("authserver/") in names] == []


def test_its_libraries_are_stripped_and_want_no_newer_glibc_than_the_runtime_has(zipped: zipfile.ZipFile, tools: Any) -> None:
    elf, glibc = tools("elf"), tools("package").GLIBC[MINOR]
    libraries = {name: zipped.read(name) for name in zipped.namelist() if ".so" in name}
    assert len(libraries) > 20
    assert {name for name, data in libraries.items() if elf.newest_glibc(data) > glibc} == set()
    assert {name for name, data in libraries.items() if elf._sections(data)} == set()


@pytest.mark.parametrize("pretence", ["sys.version_info = (3, 99)", "os.uname = lambda: type('Uname', (), {'machine': 'riscv64'})"])
def test_on_another_runtime_it_says_so_before_a_library_fails(package: Path, pretence: str) -> None:
    code = f"import os, sys; {pretence}; sys.path.insert(0, sys.argv[1]); import authserver.lambda_handler"
    done = run("-I", "-S", "-B", "-c", code, str(package))
    assert f"ImportError: this package is for python{MINOR} on " in done.stderr
    assert "change the function's runtime" in done.stderr


def test_zappas_handler_runs_in_it_with_what_the_runtime_has(package: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path[:0] = sys.argv[1:]; from zappa.handler import lambda_handler as call; print(call({'Records': [{}]}, None))"
    done = run("-I", "-S", "-B", "-c", code, str(package), str(link_runtime(tmp_path / "runtime")))
    assert done.stdout.splitlines()[-1:] == ["None"], done.stderr


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


# For what it is not built


@pytest.mark.parametrize(
    ("changes", "arguments", "reason"),
    [
        ({"runtime": "python3.14"}, (), "build with --python 3.14"),
        ({"architecture": "arm64"}, (), "build with --python 3.13 --architecture arm64"),
        ({}, ("--interpreter", sys.executable), "choose the same for both"),
        ({}, ("--python", "3.10"), "invalid choice: '3.10'"),
        ({}, ("--interpreter", "/nowhere/python3.13"), "/nowhere/python3.13 is no program that can be run: name a Python 3.13"),
    ],
)
def test_what_the_function_could_not_run_is_not_built(
    tmp_path: Path, changes: dict[str, str], arguments: tuple[str, ...], reason: str
) -> None:
    if MINOR == "3.13" and arguments == ("--interpreter", sys.executable):
        pytest.skip("this interpreter is what is wanted")
    stages = json.loads((ROOT / "zappa_settings.json").read_text())
    stages["dev"] |= changes
    settings = tmp_path / "zappa_settings.json"
    settings.write_text(json.dumps(stages))
    done = build(tmp_path / "it.zip", "--settings", str(settings), *arguments)
    assert done.returncode != 0
    assert reason in done.stderr
    assert not (tmp_path / "it.zip").exists()


def test_settings_that_are_no_json_are_named_with_the_place(tmp_path: Path) -> None:
    settings = tmp_path / "zappa_settings.json"
    settings.write_text('{\n    "dev": {} // a comment\n}')
    done = build(tmp_path / "it.zip", "--settings", str(settings))
    assert "zappa_settings.json is no JSON: Expecting ',' delimiter: line 2 column 15" in done.stderr
    assert "Traceback" not in done.stderr
    missing = build(tmp_path / "it.zip", "--settings", str(tmp_path / "none.json"))
    assert "none.json cannot be read: No such file or directory" in missing.stderr


@pytest.mark.parametrize(
    ("minor", "architecture", "reason"),
    [
        ("3.11", "x86_64", "wants glibc 2.34, and the runtime python3.11 has 2.26: build for a newer runtime"),
        ("3.13", "arm64", "is for x86_64: build with --architecture x86_64"),
    ],
)
def test_a_library_that_the_runtime_cannot_load_is_refused(tmp_path: Path, tools: Any, minor: str, architecture: str, reason: str) -> None:
    library = tmp_path / "some.so"
    library.write_bytes(elf_file(machine=62, version=b"GLIBC_2.34"))
    with pytest.raises(SystemExit, match=re.escape(reason)):
        tools("package_lambda").slim(library, tmp_path, minor, architecture)


def test_a_stripped_library_keeps_what_is_loaded_and_loses_the_rest(tools: Any) -> None:
    data = elf_file(machine=183, version=b"GLIBC_2.17", debugging=b"secret path of the builder")
    made = tools("elf").stripped(data)
    assert made[64 + 56 :].startswith(b"\0GLIBC_2.17\0")
    assert b"secret path" not in made
    assert len(made) < len(data)
    assert tools("elf").machine(made) == "arm64"


def elf_file(*, machine: int, version: bytes, debugging: bytes = b"") -> bytes:
    """Make the least library: one segment that is loaded, and one section that is not (System V ABI, ELF-64)."""
    loaded = b"\0" + version + b"\0"
    begin = 64 + 56
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 64, 1, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, begin, 0, 0, len(loaded), len(loaded), 1)
    body = bytearray(header + segment + loaded + debugging)
    struct.pack_into("<Q", body, 40, len(body))
    return bytes(body) + struct.pack("<IIQQQQIIQQ", 0, 1, 0, 0, begin + len(loaded), len(debugging), 0, 0, 1, 0)


# Its settings


def test_the_readme_shows_the_settings_as_they_are() -> None:
    uncommented = re.sub(r"(?m)\s+// .*$", "", the("lambda settings"))
    assert json.loads(uncommented) == json.loads((ROOT / "zappa_settings.json").read_text())


def test_zappa_knows_every_setting_and_the_server_every_job(stages: dict[str, Any]) -> None:
    import zappa.cli

    known = Path(zappa.cli.__file__).read_text()
    assert [name for stage in stages.values() for name in stage if f'"{name}"' not in known] == []
    assert {event["function"] for event in stages["dev"]["events"]} == {f"authserver.jobs.{name}" for name in SCHEDULED}


def test_neither_stage_shows_requests_or_has_rights_that_it_does_not_need(stages: dict[str, Any]) -> None:
    for stage in stages.values():
        whole = {**stages["dev"], **stage}
        assert (whole["debug"], whole["log_level"], whole["manage_roles"], whole["cloudwatch_data_trace"]) == (False, "INFO", False, False)
        assert "environment_variables" not in whole


@pytest.fixture
def stages() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "zappa_settings.json").read_text())
    return found


def test_the_chapter_takes_less_than_ten_commands() -> None:
    blocks = [the("lambda package"), the("lambda role"), the("lambda deployment"), the("lambda update")]
    lines = "\n".join(blocks).replace("\\\n", "").splitlines()
    assert len([line for line in lines if not line.startswith("export ")]) < 10


def test_the_prices_of_the_chapter_are_those_of_the_page_about_costs() -> None:
    chapter = TEXT.partition("## Deploy to AWS Lambda")[2].partition("\n## ")[0]
    prices = {price for row in re.findall(r"(?m)^\| the .*$", chapter) for price in re.findall(r"\d+\.\d\d", row)}
    known = (ROOT / "docs" / "costs.md").read_text()
    assert len(prices) == 4
    assert [price for price in prices if price not in known] == []


def test_the_command_of_the_readme_is_the_builder() -> None:
    assert the("lambda package").splitlines()[0] == "make lambda-package"
    done = subprocess.run(["make", "-n", "lambda-package"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ".ci/package_lambda.py" in done.stdout


@pytest.mark.parametrize("command", ["deploy", "update"])
def test_zappa_does_not_package_what_lies_here(tmp_path: Path, command: str) -> None:
    settings_for_here(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-central-1"}
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [str(PROGRAMS / "zappa"), command, "dev"],
        cwd=tmp_path,
        env=environment(**keys, **nowhere),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"make lambda-package && zappa {command} dev --zip dist/authserver-lambda.zip" in done.stderr
