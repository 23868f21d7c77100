"""panva's oidc-provider as a contestant: peer/server.js on Node, everything in its memory."""

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urljoin

import requests

from bench.contestant import APIS, APP, PEOPLE, REDIRECT_URI, SECRET, SERVICE, Contestant, new_folder
from bench.flow import authorization_query
from tests.servers import free_port

FOLDER = Path(__file__).parent / "peer"
SECONDS_TO_START = 20
MOST_HOPS = 10


class NoNode(Exception):
    """There is no Node on this machine, or no npm to install the peer with."""


def start(parent: Path) -> Contestant:
    """Start the peer, with its log below `parent`, and sign people in. Raises NoNode."""
    program = shutil.which("node")
    if program is None:
        raise NoNode("Node is not installed")
    _install()
    undo, port = ExitStack(), free_port()
    try:
        folder = undo.enter_context(new_folder(parent))
        process = _run(program, folder, port)
        undo.callback(_stop, process)
        _wait(process, folder, port)
        cookies = [_sign_in(port, f"person-{number}") for number in range(PEOPLE)]
    except BaseException:
        undo.close()
        raise
    return Contestant(name=f"oidc-provider {_version()}", port=port, pids=[process.pid], cookies=cookies, at_userinfo=None, stop=undo.close)


def _install() -> None:
    if (FOLDER / "node_modules" / ".package-lock.json").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NoNode("npm is not installed")
    subprocess.run([npm, "ci", "--prefix", str(FOLDER), "--ignore-scripts", "--silent"], check=True)


def _version() -> str:
    package = FOLDER / "node_modules" / "oidc-provider" / "package.json"
    return str(json.loads(package.read_text())["version"])


def _run(program: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    service, app = {"id": SERVICE, "secret": SECRET}, {"id": APP, "redirect_uri": REDIRECT_URI}
    apis = {identifier: alg for alg, identifier in APIS.items()}
    argument = json.dumps({"port": port, "apis": apis, "service": service, "app": app})
    with (folder / "peer.log").open("ab") as log:
        environment = {**os.environ, "NODE_ENV": "production"}
        return subprocess.Popen([program, str(FOLDER / "server.js"), argument], env=environment, stdout=log, stderr=log)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


def _wait(process: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < end:
        try:
            requests.get(f"http://127.0.0.1:{port}/jwks", timeout=5).raise_for_status()
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError("the peer does not start: " + (folder / "peer.log").read_text()[-2000:])


def _sign_in(port: int, person: str) -> str:
    """Sign one person in, allow everything, and return the Cookie header of that browser."""
    with requests.Session() as browser:
        at = f"http://127.0.0.1:{port}/auth?{authorization_query(None, login_hint=person)}"
        for _ in range(MOST_HOPS):
            answer = browser.get(at, allow_redirects=False, timeout=10)
            assert answer.status_code == 303, answer.text
            at = urljoin(at, answer.headers["Location"])
            if at.startswith(REDIRECT_URI):
                return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies if cookie.path == "/")
    raise RuntimeError("signing in to the peer does not end")
