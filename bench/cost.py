"""What this machine takes for what is the same everywhere: a signature of each kind, and a cold start of ours."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

MESSAGE = b"m" * 400
IMPORT = [sys.executable, "-c", "import authserver.wsgi"]
HELP = [str(Path(sys.executable).parent / "authserver"), "--help"]


def machine() -> dict[str, Any]:
    """Describe the machine; CPU microseconds of a signature are the minimum of many batches."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    return {
        "processor": model or platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "rsa2048_sign_us": _least(lambda: rsa_key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())),
        "es256_sign_us": _least(lambda: ec_key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))),
    }


def startup(times: int) -> dict[str, float]:
    """Return the CPU milliseconds of a cold process that imports the application, and of `--help`: the least of some runs."""
    settings = {"AUTHSERVER_ISSUER": "http://127.0.0.1:8000", "AUTHSERVER_SECRET_KEY": "A" * 43}
    with tempfile.TemporaryDirectory() as bytecode:
        others = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSERVER_", "PYTHON"))}
        environment = {**others, **settings, "PYTHONPYCACHEPREFIX": bytecode}
        for command in (IMPORT, HELP):
            _cpu_of(command, environment)  # compiles
        return {
            "import_ms": round(min(_cpu_of(IMPORT, environment) for _ in range(times)), 1),
            "help_ms": round(min(_cpu_of(HELP, environment) for _ in range(times)), 1),
        }


def _cpu_of(command: list[str], environment: dict[str, str]) -> float:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000


def _least(act: Callable[[], object]) -> float:
    return round(min(_batches(act, 25, 40)), 1)


def _batches(act: Callable[[], object], batches: int, times: int) -> Iterator[float]:
    for _ in range(batches):
        began = time.thread_time()
        for _ in range(times):
            act()
        yield (time.thread_time() - began) / times * 1e6
