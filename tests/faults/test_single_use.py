"""Single use under parallel posts: two processes post the same thing ten times at once to two workers, a hundred rounds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clock import RealTime
from tests.factories import API, make_client, make_key, make_resource_server, make_user
from tests.http_client import FORM, encode
from tests.relying_party import TOKEN, RelyingParty

ROUNDS = 100
PROCESSES = 2
AT_ONCE = 10

pytestmark = [pytest.mark.databases, pytest.mark.slow]


class Posters:
    """The posting processes."""

    def __init__(self, port: int) -> None:
        self.port = port
        command = [sys.executable, str(Path(__file__).parent / "poster.py")]
        self.running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]

    def post(self, headers: dict[str, str], data: dict[str, str]) -> list[tuple[int, dict]]:
        """Post the same form from all processes at once."""
        body = (encode(data) or b"").decode()
        order = {
            "port": self.port,
            "path": TOKEN,
            "headers": {"Content-Type": FORM, **headers},
            "body": body,
            "times": AT_ONCE // PROCESSES,
        }
        for process in self.running:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        results = [result for process in self.running for result in json.loads(process.stdout.readline())]
        assert {status for status, _ in results} <= {200, 400, 401}, [result for result in results if result[0] not in (200, 400, 401)]
        return [(status, json.loads(text)) for status, text in results]

    def stop(self) -> None:
        for process in self.running:
            process.stdin.close()
            process.stdout.close()
            process.wait(10)


@pytest.fixture
def running(server):
    make_resource_server(server.runtime, signing_alg="ES256")
    return server


@pytest.fixture
def posters(running):
    started = Posters(running.port)
    yield started
    started.stop()


@pytest.fixture
def rp(running):
    """A person's browser, signed in, at a public client."""
    made = make_client(
        running.runtime, "spa", apis=[API], consent="skipped", id_token_signed_response_alg="ES256", scope="openid offline_access read"
    )
    rp = RelyingParty(running.http(), made, clock=RealTime())
    rp.authorize(make_user(running.runtime))
    return rp


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_a_code_is_redeemed_once(rp, posters):
    headers, own = rp.credentials()
    for _ in range(ROUNDS):
        callback = rp.authorize(None, scope="openid offline_access read")
        code = {
            "grant_type": "authorization_code",
            "code": callback.code,
            "redirect_uri": callback.address,
            "code_verifier": callback.verifier,
        }
        answers = posters.post(headers, {**own, **code})
        assert sorted(status for status, _ in answers) == [200] + [400] * (AT_ONCE - 1)
        assert {body["error"] for status, body in answers if status == 400} == {"invalid_grant"}


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_a_refresh_token_has_one_successor(rp, posters):
    headers, own = rp.credentials()
    token = rp.redeem(rp.authorize(None, scope="openid offline_access read")).json["refresh_token"]
    for _ in range(ROUNDS):
        answers = posters.post(headers, {**own, "grant_type": "refresh_token", "refresh_token": token})
        assert {status for status, _ in answers} == {200}
        (successor,) = {body["refresh_token"] for _, body in answers}
        assert successor != token
        token = successor


@pytest.mark.spec("RFC 7523", "3")
def test_an_assertion_is_taken_once(running, posters):
    key = make_key("ES256")
    made = make_client(running.runtime, "service", key=key, apis=[API], scope="read")
    service = RelyingParty(running.http(), made, clock=RealTime())
    for _ in range(ROUNDS):
        headers, own = service.credentials()
        answers = posters.post(headers, {**own, "grant_type": "client_credentials"})
        assert sorted(status for status, _ in answers) == [200] + [401] * (AT_ONCE - 1)
