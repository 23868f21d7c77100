"""What the builders of Lambda's zips share: locked wheels for a runtime, hash-checked bytecode, the same bytes for the same input."""

# ruff: noqa: S603 - it runs commands of its own

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# The glibc of a runtime's system: Amazon Linux 2 below 3.12, Amazon Linux 2023 from there on.
GLIBC = {"3.11": (2, 26), "3.12": (2, 34), "3.13": (2, 34), "3.14": (2, 34)}
BEGINNING_OF_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
PINNED = re.compile(r"^(\S+)==(?:.*\\\n)*.*\n", re.MULTILINE)


def find_interpreter(minor: str, named: str | None) -> str:
    """Return an interpreter of that minor version: the one that is named, or what uv finds.

    One of another minor version is refused: its bytecode would be worth nothing to the function.
    """
    interpreter = named or _found(minor)
    if shutil.which(interpreter) is None:
        raise SystemExit(f"{interpreter} is no program that can be run: name a Python {minor} with --interpreter")
    actual = run([interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    if actual != minor:
        raise SystemExit(f"{interpreter} is Python {actual}, and the function's runtime python{minor}: choose the same for both")
    return interpreter


def _found(minor: str) -> str:
    if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = subprocess.run([uv(), "python", "find", minor], capture_output=True, text=True, check=False)
    if found.returncode:
        shown = "uv" if shutil.which("uv") else uv()
        raise SystemExit(
            f"there is no Python {minor} to compile with: run `{shown} python install {minor}`, or name one with --interpreter"
        )
    return found.stdout.strip()


def locked(*groups: str) -> dict[str, str]:
    """Return the requirements of uv.lock, with their hashes, by name: those of the server, and of groups of dependencies."""
    chosen = [option for group in groups for option in ("--group", group)]
    exported = run([uv(), "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate", *chosen])
    found: dict[str, str] = {}
    for match in PINNED.finditer(exported):
        found[match[1]] = found.get(match[1], "") + match[0]  # a marker can choose between two versions
    return found


def install(requirements: dict[str, str], folder: Path, minor: str, architecture: str) -> None:
    """Put locked wheels there for a runtime, refusing any whose hash is another."""
    machine = ARCHITECTURES[architecture]
    if GLIBC[minor] >= (2, 28):
        _install(requirements, folder, minor, f"{machine}-manylinux_{GLIBC[minor][0]}_{GLIBC[minor][1]}")
        return
    old = with_old_wheels(machine)
    _install({name: text for name, text in requirements.items() if name in old}, folder, minor, f"{machine}-manylinux2014")
    _install({name: text for name, text in requirements.items() if name not in old}, folder, minor, f"{machine}-manylinux_2_28")


def with_old_wheels(machine: str) -> set[str]:
    """Return who has a wheel for glibc 2.17, or for any system; the others' wheels for 2.28 may do with less than that."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    wheels = {package["name"]: [Path(wheel["url"]).name for wheel in package.get("wheels", [])] for package in packages}
    return {
        name for name, files in wheels.items() if any(file.endswith("-any.whl") or f"manylinux2014_{machine}" in file for file in files)
    }


def _install(requirements: dict[str, str], folder: Path, minor: str, system: str) -> None:
    file = folder.parent / "requirements.txt"
    file.write_text("".join(requirements.values()))
    target = ["--target", str(folder), "--python-version", minor, "--python-platform", system]
    how = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    run([uv(), "pip", "install", *how, *target, "-r", str(file)])


def leave_out(folder: Path, patterns: Iterable[str]) -> None:
    """Remove what matches."""
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def compile_all(interpreter: str, folder: Path, but: str = "^$") -> None:
    """Add bytecode that is checked by the source's hash, since every file of a zip has the same date; without columns for tracebacks."""
    how = ["-X", "no_debug_ranges", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "-s", str(folder), "-x", but]
    run([interpreter, *how, str(folder)], PYTHONHASHSEED="0")


def pack(folder: Path, output: Path) -> None:
    """Zip a folder, readable for all, in one order and with one date."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w") as archive:
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(name, BEGINNING_OF_ZIP_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=7)


def uv() -> str:
    """Return the program uv, of the path or of the Makefile's own copy."""
    return shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")


def run(command: list[str], **variables: str) -> str:
    """Run a command and return what it prints; its own message is shown where it fails."""
    environment = {**os.environ, **variables}  # noqa: TID251 - this is no part of the server
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
