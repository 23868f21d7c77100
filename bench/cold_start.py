"""`python -m bench.cold_start`: what a cold start on AWS Lambda costs, beside the package that Zappa makes by itself.

Both packages run under AWS's own runtime client (awslambdaric) with a Runtime API on loopback and PostgreSQL, in turns. INIT is
the processor time from the start of the process until it asks for work; then come the first request, and the tenth. The
medians count, since one start is much like another.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.cost import machine
from tests import databases
from tests.aws.containers import Container, link_runtime, unpack
from tests.aws.gateways import function_url
from tests.aws.loopback import Request

ROOT = Path(__file__).parent.parent
MOST_INIT_MS, MOST_FIRST_MS, MOST_BYTES = 450.0, 10.0, 21 * 1024 * 1024
STOCK_MS = 300.0 + 1370.0  # of the machine that the limits are for
WARM = 10
STAGE = {"app_function": "authserver.wsgi.app", "project_name": "stock", "aws_region": "eu-central-1", "use_precompiled_packages": False}
OF_THE_RUNTIME = {
    *("awslambdaric", "simplejson", "snapshot-restore-py"),
    *("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"),
}
SETTINGS = {"AUTHSERVER_ISSUER": "https://login.example.com", "AUTHSERVER_SECRET_KEY": "A" * 43}
REQUEST = function_url(Request("GET", "/.well-known/openid-configuration", [("Host", "login.example.com")], b""), "")


@dataclass
class Contestant:
    """A package, where it lies unpacked, and what its starts took in milliseconds."""

    name: str
    handler: str
    package: Path
    task: Path
    init_cpu_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    warm_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return the medians, and the size of the zip in bytes."""
        times = {name: getattr(self, name) for name in ("init_cpu_ms", "first_ms", "warm_ms")}
        return {name: round(statistics.median(values), 2) for name, values in times.items()} | {"bytes": self.package.stat().st_size}


def main() -> int:
    """Build, run, show, and fail where a limit is passed."""
    arguments = read_arguments()
    server = databases.start("postgresql")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runtime = make_runtime(arguments.interpreter, folder)
        contestants = [make_ours(arguments, folder), *([] if arguments.no_stock else [make_stock(arguments, folder)])]
        settings = {
            "AUTHSERVER_ISSUER": "https://login.example.com",
            "AUTHSERVER_SECRET_KEY": "A" * 43,
            "AUTHSERVER_DATABASE_URL": server.new(),
        }
        try:
            for _ in range(arguments.rounds):
                for one in contestants:
                    start(one, settings, runtime, folder / "log", arguments.interpreter)
        finally:
            server.stop()
        figures = {one.name: one.figures() for one in contestants}
    found = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "rounds": arguments.rounds, "figures": figures}
    print("\n".join(lines(found)))
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    return int(bool(too_much(figures)))


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--interpreter", default=sys.executable, help="the Python that runs the functions: 3.11 or newer")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--package", type=Path, help="our zip for that Python; without it, one is built")
    parser.add_argument("--no-stock", action="store_true", help="measure ours alone")
    parser.add_argument("--output", type=Path, help="a file for the results as JSON")
    return parser.parse_args()


# Who takes part


def make_ours(arguments: argparse.Namespace, folder: Path) -> Contestant:
    """Build our package, unless there is one."""
    package: Path = arguments.package or folder / "ours.zip"
    if not arguments.package:
        minor = run([arguments.interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
        settings = folder / "zappa_settings.json"
        settings.write_text(json.dumps({"bench": {"runtime": f"python{minor}"}}))
        chosen = ["--python", minor, "--interpreter", arguments.interpreter, "--settings", str(settings), "--output", str(package)]
        run([sys.executable, str(ROOT / ".ci" / "package_lambda.py"), *chosen])
    return contestant("authserver", "authserver.lambda_handler.handler", package, folder)


def make_stock(arguments: argparse.Namespace, folder: Path) -> Contestant:
    """Have Zappa package the same server, with everything as it is by default, out of an environment with both of their libraries."""
    environment, project = folder / "environment", folder / "project"
    run(["uv", "venv", "--quiet", "--python", arguments.interpreter, str(environment)])
    wanted = "\n".join(exported("--no-dev", "--group", "deploy"))
    run(["uv", "pip", "install", "--quiet", "--no-deps", "--python", str(environment), "-r", "-"], given=wanted)
    shutil.copytree(ROOT / "authserver", project / "authserver", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("templates", "migrations"):
        shutil.copytree(ROOT / name, project / "authserver" / name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = "Metadata-Version: 2.1\nName: authserver\nVersion: 0\n"
    (project / "authserver-0.dist-info").mkdir()
    (project / "authserver-0.dist-info" / "METADATA").write_text(metadata)
    (project / "zappa_settings.json").write_text(json.dumps({"bench": STAGE}))
    variables = {"VIRTUAL_ENV": str(environment), "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    run([str(environment / "bin" / "zappa"), "package", "bench", "--output", "stock.zip"], project, **variables)
    return contestant("Zappa's own", "handler.lambda_handler", project / "stock.zip", folder)


def contestant(name: str, handler: str, package: Path, folder: Path) -> Contestant:
    """Unpack a package, with the dates that its entries have."""
    task = folder / f"task-{handler}"
    unpack(package.read_bytes(), task)
    return Contestant(name, handler, package, task)


def make_runtime(interpreter: str, folder: Path) -> Path:
    """Make a folder of what the managed runtime has beside Python, for that interpreter."""
    if interpreter == sys.executable:
        return link_runtime(folder / "runtime")
    wanted = [line for line in exported("--only-group", "dev") if line.partition("==")[0] in OF_THE_RUNTIME]
    target = folder / "runtime"
    run(
        ["uv", "pip", "install", "--quiet", "--no-deps", "--python", interpreter, "--target", str(target), "-r", "-"],
        given="\n".join(wanted),
    )
    return target


def exported(*groups: str) -> list[str]:
    """Return locked requirements."""
    return run(["uv", "export", "--frozen", "--no-hashes", "--no-emit-project", "--no-header", "--no-annotate", *groups]).splitlines()


def run(command: list[str], folder: Path = ROOT, given: str = "", **variables: str) -> str:
    """Run a command; return what it prints."""
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


# What is measured


def start(one: Contestant, settings: dict[str, str], runtime: Path, log: Path, interpreter: str) -> None:
    """Start a container cold, and send it requests."""
    container = Container(one.task, one.handler, settings, runtime, log, interpreter)
    try:
        container.wait()
        took = [request(container) for _ in range(WARM)]
    finally:
        container.stop()
    one.init_cpu_ms.append(container.initialization_cpu_ms)
    one.first_ms.append(took[0])
    one.warm_ms.append(took[-1])


def request(container: Container) -> float:
    """Return the milliseconds of one request."""
    began = perf_counter()
    outcome = container.invoke(REQUEST)
    took = (perf_counter() - began) * 1000
    if outcome.error or outcome.answer["statusCode"] != 200:
        raise SystemExit(f"a request failed: {outcome.payload[:500]!r}\n{outcome.log}")
    return took


# What is shown


def lines(found: dict[str, Any]) -> list[str]:
    """Return the table, and what is too much."""
    rows = [f"{'':<14} {'INIT, CPU':>12} {'first':>12} {'warm':>12} {'zip':>12}"]
    for name, of in found["figures"].items():
        size = of["bytes"] / 2**20
        rows.append(f"{name:<14} {of['init_cpu_ms']:>9.0f} ms {of['first_ms']:>9.1f} ms {of['warm_ms']:>9.2f} ms {size:>8.1f} MiB")
    return [*rows, *too_much(found["figures"])]


def too_much(figures: dict[str, Any]) -> list[str]:
    """Return a line for each limit that is passed; times are taken down or up with what Zappa's own package takes here."""
    ours, stock = figures["authserver"], figures.get("Zappa's own")
    factor = (stock["init_cpu_ms"] + stock["first_ms"]) / STOCK_MS if stock else 1.0
    limits = {"init_cpu_ms": MOST_INIT_MS * factor, "first_ms": MOST_FIRST_MS * factor, "bytes": MOST_BYTES}
    return [f"{name}: {ours[name]:.1f}, and {most:.1f} is the limit here" for name, most in limits.items() if ours[name] > most]


if __name__ == "__main__":
    sys.exit(main())
