"""The authorizer's zip, built as `make authorizer-package` builds it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


def package(output: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Build it for this interpreter, unless `arguments` say otherwise; skip the test where the registry is out of reach."""
    command = [sys.executable, str(ROOT / ".ci" / "package_authorizer.py"), "--python", MINOR, "--output", str(output), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if check and done.returncode:
        if "error sending request" in done.stderr:
            pytest.skip("the registry cannot be reached")
        raise AssertionError(done.stderr)
    return done
