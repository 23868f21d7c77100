"""The authorizer stands alone: what it imports, and the zip that is made of it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.authorizer import forge
from tests.authorizer.events import rest_token
from tests.authorizer.packaging import package

ROOT = Path(__file__).parent.parent.parent
ROOM = ROOT / "authserver" / "authorizer"
AARCH64 = 183
HEAVY = ("urllib.request", "http", "ssl", "logging", "dataclasses", "pathlib", "hashlib", "asyncio", "socket")
DECIDE = """
import json, sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from authserver.authorizer.handler import Authorizer
from authserver.authorizer.settings import read_settings
asked = json.load(sys.stdin)
authorizer = Authorizer(read_settings(asked["environ"]), lambda: asked["now"])
print(json.dumps([authorizer.decide(event)["policyDocument"]["Statement"][0]["Effect"] for event in asked["events"]]))
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def decide_alone(folder: Path) -> tuple[list[str], set[str]]:
    """Let a fresh interpreter decide about a token of each algorithm; return the effects and the modules that it loaded."""
    asked = {
        "environ": {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API, "AUTHORIZER_JWKS": forge.jwks()},
        "now": forge.NOW,
        "events": [rest_token(f"Bearer {forge.token(alg)}") for alg in forge.ALGORITHMS],
    }
    flags = ["-I", "-B", *([] if folder == ROOT else ["-S"])]
    done = subprocess.run(
        [sys.executable, *flags, "-c", DECIDE, str(folder)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    effects, modules = map(json.loads, done.stdout.splitlines())
    return effects, set(modules)


def test_it_imports_the_standard_library_and_cryptography_alone():
    effects, modules = decide_alone(ROOT)
    own = {name for name in modules if name.startswith("authserver")}
    tops = {name.partition(".")[0] for name in modules} - {"authserver"}
    assert effects == ["Allow"] * 5
    assert own - {"authserver"} == {name for name in own if name.startswith("authserver.authorizer")}
    assert tops - set(sys.stdlib_module_names) <= {"cryptography", "_cffi_backend", "_openssl"}


def test_nothing_heavy_is_imported_before_it_is_needed():
    assert not decide_alone(ROOT)[1] & set(HEAVY)


def test_only_one_place_knows_the_environment_and_the_clock():
    texts = {path.name: path.read_text() for path in ROOM.glob("*.py")}
    assert [name for name, text in texts.items() if "os.environ" in text] == ["handler.py"]
    assert [name for name, text in texts.items() if "time.time" in text] == ["handler.py"]


@pytest.mark.slow
def test_the_package_is_small_and_the_same_each_time(authorizer_zip, tmp_path):
    again = tmp_path / "again.zip"
    package(again)
    assert authorizer_zip.read_bytes() == again.read_bytes()
    assert authorizer_zip.stat().st_size <= 5_000_000


@pytest.mark.slow
def test_the_package_decides_with_nothing_else_installed(authorizer_zip, tmp_path):
    with zipfile.ZipFile(authorizer_zip) as archive:
        archive.extractall(tmp_path)
    effects, modules = decide_alone(tmp_path)
    assert effects == ["Allow"] * 5
    assert not modules & {"authserver.runtime", "flask", "joserfc"}


@pytest.mark.slow
def test_the_bytecode_in_the_package_is_checked_by_hash(authorizer_zip):
    with zipfile.ZipFile(authorizer_zip) as archive:
        names = archive.namelist()
        compiled = [name for name in names if name.endswith(".pyc")]
        assert {int.from_bytes(archive.read(name)[4:8], "little") for name in compiled} == {0b11}
    assert len(compiled) == len([name for name in names if name.endswith(".py")])
    assert {name.partition("/")[0] for name in names} == {"authserver", "cryptography", *(name for name in names if "/" not in name)}


@pytest.mark.slow
def test_the_package_for_arm64_has_libraries_for_arm64_alone(tmp_path):
    """Read in their ELF headers (System V ABI, e_machine); nothing here can run them."""
    file = tmp_path / "arm64.zip"
    package(file, "--architecture", "arm64")
    with zipfile.ZipFile(file) as archive:
        libraries = {name: archive.read(name) for name in archive.namelist() if ".so" in name}
    assert {name.partition("/")[0].partition(".")[0] for name in libraries} == {"cryptography", "_cffi_backend"}
    assert {(data[:5], int.from_bytes(data[18:20], "little")) for data in libraries.values()} == {(b"\x7fELF\x02", AARCH64)}
    assert file.stat().st_size <= 5_000_000


def test_another_minor_version_is_refused_with_what_to_do(tmp_path):
    done = package(tmp_path / "authorizer.zip", "--python", "3.12", "--interpreter", sys.executable, check=False)
    assert done.returncode == 1
    assert "choose the same for both" in done.stderr


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot be read: No such file"), ("<html>", "is no JWK Set: fetch it"), ('{"keys": []}', "is no JWK Set")]
)
def test_keys_that_the_function_would_not_start_with_are_not_put_in(tmp_path, content, why):
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_text(content)
    done = package(tmp_path / "authorizer.zip", "--jwks", str(file), check=False)
    assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "authorizer.zip").exists()
