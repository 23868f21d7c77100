"""Builds the authorizer's zip for Lambda: `python .ci/package_authorizer.py [--python 3.13] [--architecture x86_64]`.

In it are authserver/authorizer, cryptography and _cffi_backend in the versions and with the hashes of uv.lock, as
wheels for the runtime's Amazon Linux, with hash-checked bytecode; nothing that a wheel does not need to verify signatures.
The same input gives the same bytes.
"""

# ruff: noqa: T201 - it says what it made

import argparse
import json
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from package import ARCHITECTURES, GLIBC, ROOT, compile_all, find_interpreter, install, leave_out, locked, pack, run

MOST_BYTES = 5_000_000
UNUSED = ("asn1", "primitives/kdf", "primitives/serialization", "primitives/twofactor")
LEFT_OUT = ("x509", "fernet.py", "cobblestone.py", "py.typed", "**/*.pyi", *(f"hazmat/{name}" for name in UNUSED))
SMOKE = "import sys; sys.path.insert(0, sys.argv[1]); import authserver.authorizer.handler, authserver.authorizer.introspection"


def main() -> int:
    """Build, try and measure the package."""
    arguments = read_arguments()
    interpreter = find_interpreter(arguments.python, arguments.interpreter)
    check_keys(arguments.jwks)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "package"
        wanted = {name: text for name, text in locked().items() if name in ("cryptography", "cffi")}
        install(wanted, folder, arguments.python, arguments.architecture)
        copy(folder)
        if arguments.jwks:
            shutil.copyfile(arguments.jwks, folder / "jwks.json")
        compile_all(interpreter, folder)
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
    parser.add_argument("--python", default="3.13", choices=GLIBC, help="minor version of the function's runtime")
    parser.add_argument("--interpreter", help="what compiles: a Python of that minor version; found by uv unless given")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--jwks", type=Path, help="a JWK Set to put in as jwks.json (AUTHORIZER_JWKS_FILE=jwks.json)")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "authorizer.zip")
    return parser.parse_args()


def check_keys(file: Path | None) -> None:
    """Refuse a file that is no JWK Set: the function would not start with it."""
    if file is None:
        return
    try:
        keys = json.loads(file.read_text())["keys"]
    except OSError as error:
        raise SystemExit(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        keys = None
    if not isinstance(keys, list) or not keys:
        raise SystemExit(f"{file} is no JWK Set: fetch it from the server, ISSUER/.well-known/jwks.json")


def copy(folder: Path) -> None:
    """Leave what signatures need, and add the authorizer."""
    for path in folder.iterdir():
        if path.name != "cryptography" and not path.name.startswith("_cffi_backend"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    leave_out(folder / "cryptography", LEFT_OUT)
    source, target = ROOT / "authserver", folder / "authserver"
    shutil.copytree(source / "authorizer", target / "authorizer", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(source / "__init__.py", target / "__init__.py")


if __name__ == "__main__":
    sys.exit(main())
