"""`python -m bench.authorizer`: what the Lambda authorizer costs, beside verifiers of the same token on Node.

Import: CPU milliseconds of a fresh process that imports the handler, less those of one that imports nothing. Decision:
CPU microseconds of a whole answer to a REST TOKEN event, keys in memory. The least of all rounds; the contestants take
turns. On Node, jsonwebtoken with jwks-rsa, and aws-jwt-verify, are measured where tests/node has them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from bench.cost import machine

ROOT = Path(__file__).parent.parent
ISSUER, API = "https://login.example.com", "https://api.example.com"
MOST_IMPORT_MS, MOST_DECISION_US = 30.0, 60.0
NODE_FOLDER = ROOT / "tests" / "node"
NODE_SCRIPT = Path(__file__).parent / "authorizer_peers.mjs"
PEERS = {"jsonwebtoken + jwks-rsa": ("jsonwebtoken", "jwks-rsa"), "aws-jwt-verify": ("aws-jwt-verify",)}
IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); import authserver.authorizer.handler"


def main() -> int:
    """Measure, show, and fail where a limit is passed."""
    arguments = read_arguments()
    keys, tokens = make_tokens()
    with tempfile.TemporaryDirectory() as name:
        folder = unpacked(arguments.package, Path(name)) if arguments.package else ROOT
        imported = import_ms(arguments.interpreter, folder, arguments.rounds)
    decisions = {alg: decision_us(keys, token, arguments.rounds) for alg, token in tokens.items()}
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "import_ms": imported,
        "decision_us": decisions,
        "node": on_node(keys, tokens["RS256"], arguments.rounds),
    }
    print("\n".join(lines(found)))
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    return int(imported > MOST_IMPORT_MS or decisions["RS256"] > MOST_DECISION_US)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.authorizer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--package", type=Path, help="the zip whose import is measured; without it, the source with this environment")
    parser.add_argument("--interpreter", default=sys.executable, help="what imports it: the zip needs its own minor version")
    parser.add_argument("--output", type=Path, help="a file for the results as JSON")
    return parser.parse_args()


def make_tokens() -> tuple[str, dict[str, str]]:
    """Return a JWK Set, and one good access token of each algorithm."""
    rsa: Key = RSAKey.generate_key(2048, {"kid": "rsa"})
    keys: dict[str, Key] = {
        "RS256": rsa,
        "PS256": rsa,
        "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
        "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    }
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": API, "sub": "248289761001", "client_id": "app", "jti": "vbxRBNRlWXcHXDbZDtIYrg"}
    times = {"iat": now, "exp": now + 3600, "scope": "orders:read orders:write"}
    tokens = {
        alg: jwt.encode({"alg": alg, "typ": "at+jwt", "kid": key.kid}, {**claims, **times}, key, algorithms=[alg])
        for alg, key in keys.items()
    }
    public = [{**key.as_dict(private=False), "use": "sig"} for key in {key.kid: key for key in keys.values()}.values()]
    return json.dumps({"keys": public}), tokens


def unpacked(package: Path, folder: Path) -> Path:
    """Unpack the zip, as Lambda does."""
    shutil.unpack_archive(package, folder)
    return folder


def import_ms(interpreter: str, folder: Path, rounds: int) -> float:
    """Return the CPU milliseconds of importing the handler."""
    flags = ["-I", "-S"] if folder != ROOT else ["-I"]
    with_it, without = [interpreter, *flags, "-c", IMPORT, str(folder)], [interpreter, *flags, "-c", "pass"]
    cpu_ms(with_it)  # compiles, where nothing is compiled
    pairs = [(cpu_ms(with_it), cpu_ms(without)) for _ in range(rounds)]
    return round(min(pair[0] for pair in pairs) - min(pair[1] for pair in pairs), 1)


def cpu_ms(command: list[str]) -> float:
    """Return the CPU milliseconds that a process takes from its start to its end."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000


def decision_us(keys: str, token: str, rounds: int) -> float:
    """Return the CPU microseconds of an answer."""
    from authserver.authorizer.handler import Authorizer
    from authserver.authorizer.settings import read_settings

    settings = read_settings({"AUTHORIZER_ISSUER": ISSUER, "AUTHORIZER_AUDIENCE": API, "AUTHORIZER_JWKS": keys})
    authorizer = Authorizer(settings, time.time)
    arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live/GET/orders/17"
    event = {"type": "TOKEN", "methodArn": arn, "authorizationToken": f"Bearer {token}"}
    assert authorizer.decide(event)["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        for _ in range(200):
            authorizer.decide(event)
        times.append((time.thread_time() - began) / 200 * 1e6)
    return round(min(times), 1)


def on_node(keys: str, token: str, rounds: int) -> dict[str, Any]:
    """Return the same two figures of each verifier on Node; a text says why there are none."""
    node = shutil.which("node")
    found: dict[str, Any] = {}
    for name, packages in PEERS.items():
        missing = [package for package in packages if not (NODE_FOLDER / "node_modules" / package).exists()]
        if node is None or missing:
            found[name] = "Node is not installed" if node is None else f"not in tests/node: {' '.join(missing)}"
            continue
        asked = json.dumps({"name": name, "keys": keys, "token": token, "issuer": ISSUER, "audience": API, "rounds": rounds})
        answers = [subprocess.check_output([node, str(NODE_SCRIPT), str(NODE_FOLDER)], input=asked, text=True) for _ in range(5)]
        measured = [json.loads(answer) for answer in answers]
        found[name] = {figure: round(min(one[figure] for one in measured), 1) for figure in ("import_ms", "decision_us")}
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """Return the table."""
    limits = f"limits: {MOST_IMPORT_MS:g} ms, {MOST_DECISION_US:g} µs"
    own = f"{'authserver.authorizer':<26} {found['import_ms']:>9} ms {found['decision_us']['RS256']:>9} µs   ({limits})"
    rows = [f"{'':<26} {'import':>12} {'RS256':>12}", own]
    for name, figures in found["node"].items():
        rows.append(
            f"{name:<26} " + (figures if isinstance(figures, str) else f"{figures['import_ms']:>9} ms {figures['decision_us']:>9} µs")
        )
    others = ", ".join(f"{alg} {figure} µs" for alg, figure in found["decision_us"].items() if alg != "RS256")
    return [*rows, f"other algorithms: {others}"]


if __name__ == "__main__":
    sys.exit(main())
