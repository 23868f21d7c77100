"""Builds the authorizer's zip for Lambda: `python .ci/package_authorizer.py [--python 3.13] [--architecture x86_64]`.

In it are authserver/authorizer, cryptography and _cffi_backend in the versions and with the hashes of uv.lock, as
wheels for Amazon Linux 2023, with hash-checked bytecode; nothing that a wheel does not need to verify signatures.
The same input gives the same bytes.
"""

# ruff: noqa: S603, T201 - it runs commands of its own, and says what it made

import argparse
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 5_000_000
PLATFORM = "manylinux_2_34"  # the glibc of Amazon Linux 2023
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
UNUSED = ("asn1", "primitives/kdf", "primitives/serialization", "primitives/twofactor")
LEFT_OUT = ("x509", "fernet.py", "cobblestone.py", "py.typed", "**/*.pyi", *(f"hazmat/{name}" for name in UNUSED))
BEGINNING_OF_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
SMOKE = "import sys; sys.path.insert(0, sys.argv[1]); import authserver.authorizer.handler, authserver.authorizer.introspection"


def main() -> int:
    """Build, try and measure the package."""
    arguments = read_arguments()
    interpreter = arguments.interpreter or find_interpreter(arguments.python)
    check_minor(interpreter, arguments.python)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "package"
        install(folder, arguments.python, arguments.architecture)
        copy(folder)
        if arguments.jwks:
            shutil.copyfile(arguments.jwks, folder / "jwks.json")
        run([interpreter, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "-s", str(folder), str(folder)])
        if ARCHITECTURES[arguments.architecture] == platform.machine():
            run([interpreter, "-I", "-S", "-B", "-c", SMOKE, str(folder)])
        pack(folder, arguments.output)
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {size:,} bytes, for python{arguments.python} on {arguments.architecture}")
    if size > MOST_BYTES:
        print(f"more than {MOST_BYTES:,} bytes", file=sys.stderr)
        return 1
    return 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Build the authorizer's zip for Lambda")
    parser.add_argument("--python", default="3.13", help="minor version of the function's runtime")
    parser.add_argument("--interpreter", help="what compiles: a Python of that minor version; found by uv unless given")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--jwks", type=Path, help="a JWK Set to put in as jwks.json (AUTHORIZER_JWKS_FILE=jwks.json)")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "authorizer.zip")
    return parser.parse_args()


def find_interpreter(minor: str) -> str:
    """Return an interpreter of that minor version."""
    if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = subprocess.run([uv(), "python", "find", minor], capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"there is no Python {minor} to compile with: run `uv python install {minor}`, or name one with --interpreter")
    return found.stdout.strip()


def check_minor(interpreter: str, minor: str) -> None:
    """Refuse an interpreter of another minor version: its bytecode would be worth nothing to the function."""
    found = run([interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    if found != minor:
        raise SystemExit(f"{interpreter} is Python {found}, and the function's runtime python{minor}: choose the same for both")


def install(folder: Path, minor: str, architecture: str) -> None:
    """Put the locked wheels of cryptography and cffi there, refusing any whose hash is another."""
    exported = run([uv(), "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate"])
    wanted = re.findall(r"^(?:cryptography|cffi)==(?:.*\\\n)*.*\n", exported, re.MULTILINE)
    if len(wanted) != 2:
        raise SystemExit("uv.lock does not have cryptography and cffi once each")
    requirements = folder.parent / "requirements.txt"
    requirements.write_text("".join(wanted))
    target = ["--target", str(folder), "--python-version", minor, "--python-platform", f"{ARCHITECTURES[architecture]}-{PLATFORM}"]
    how = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    run([uv(), "pip", "install", *how, *target, "-r", str(requirements)])


def copy(folder: Path) -> None:
    """Leave what signatures need, and add the authorizer."""
    for path in folder.iterdir():
        if path.name != "cryptography" and not path.name.startswith("_cffi_backend"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for pattern in LEFT_OUT:
        for path in (folder / "cryptography").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    source, target = ROOT / "authserver", folder / "authserver"
    shutil.copytree(source / "authorizer", target / "authorizer", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(source / "__init__.py", target / "__init__.py")


def pack(folder: Path, output: Path) -> None:
    """Zip a folder, readable for all, in one order and with one date."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), BEGINNING_OF_ZIP_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def uv() -> str:
    """Return the program uv, of the path or of the Makefile's own copy."""
    return shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")


def run(command: list[str]) -> str:
    """Run a command and return what it prints; its own message is shown where it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
