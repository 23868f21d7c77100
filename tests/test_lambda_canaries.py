"""No secret, token, code, cookie or password is in what a function on Lambda logs, at any log level, nor in its error answers."""

import hashlib
import json
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest

from authserver.runtime import make_runtime
from tests.factories import ISSUER, SECRET_KEY, make_settings
from tests.http_client import InProcess
from tests.lambda_function import Failed, Function, environment
from tests.test_canaries import METRICS_TOKEN, TOKENS, WRONG_SECRET, hits, marks_of, walk_everything
from tests.web.events import Front, http_1, http_2, rest, url

OWN_SECRET = "canary-operators-own-secret-2f80-0123456789"
SHAPES = {"DEBUG": http_2, "INFO": rest, "WARNING": url, "ERROR": http_1}


class Recorder(InProcess):
    """Remembers every answer that came through a gateway, and every secret that it brought."""

    def __init__(self, app, issuer, address="", answers=None, secrets=None):
        super().__init__(app, issuer)
        self.answers = [] if answers is None else answers
        self.secrets = set() if secrets is None else secrets

    def fresh(self):
        return Recorder(self.app, self.issuer, answers=self.answers, secrets=self.secrets)

    def request(self, method, url, **rest):
        answer = super().request(method, url, **rest)
        self.answers.append(answer)
        self.secrets.update(filter(None, self.cookies().values()))
        if answer.headers.get("Content-Type", "").startswith("application/json") and answer.status == 200:
            self.secrets.update(value for name, value in answer.json.items() if name in TOKENS)
        query = dict(parse_qsl(urlsplit(answer.location or "").query))
        self.secrets.update(query[name] for name in ("code", "resume") if name in query)
        return answer


def command_everything(function):
    """Every command, well and badly; the secrets that they brought."""
    made = function({"command": "authserver.jobs.create_client kind=service name=One"})
    digest = hashlib.sha256(OWN_SECRET.encode()).hexdigest()
    function({"command": f"authserver.jobs.create_client kind=service name=Two secret_sha256={digest}"})
    links = [
        function({"command": "authserver.jobs.setup_link"}),
        function({"command": "authserver.jobs.invite_user email=new@example.net"}),
    ]
    for name in ("migrate", "deliver", "janitor", "rotate_keys", "health", "rotate_keys when=announce"):
        function({"command": f"authserver.jobs.{name}"})
    refused = [
        {"command": f"authserver.jobs.create_client kind=service name=Three secret={WRONG_SECRET}"},
        {"command": f"authserver.jobs.create_client kind=service name=Three {WRONG_SECRET}"},
        {"command": f"authserver.jobs.setup_link token_sha256={WRONG_SECRET}"},
        {"command": f"authserver.jobs.invite_user email={WRONG_SECRET}"},
        {"command": WRONG_SECRET},
        {"raw_command": f"print({WRONG_SECRET!r})"},
        {"unknown": WRONG_SECRET},
    ]
    errors = [fail(function, event) for event in refused]
    return {OWN_SECRET, made["client_secret"], *(link["link"].partition("token=")[2] for link in links)}, errors


def fail(function, event):
    with pytest.raises(Failed) as failed:
        function(event)
    return str(failed.value)


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("level", SHAPES)
def test_no_secret_is_logged_by_a_function(level, database_url, tmp_path):
    settings = make_settings(database_url=database_url)
    server = SimpleNamespace(runtime=make_runtime(settings), settings=settings)
    environ = environment(database_url, ISSUER, SECRET_KEY, LOG_LEVEL=level, METRICS_TOKEN=METRICS_TOKEN)
    function = Function(environ, tmp_path / "log")
    try:
        http = Recorder(Front(function, SHAPES[level]), ISSUER)
        walk_everything(server, http)
        secrets, errors = command_everything(function)
    finally:
        function.stop()
        server.runtime.engine.dispose()
    log, known = function.log.read_text(), secrets | http.secrets
    assert len(http.secrets) > 20, "the flows brought secrets"
    assert (level not in ("DEBUG", "INFO")) or {"authserver.access", "authserver.jobs"} <= loggers(log)
    assert hits(log, known) == []
    assert hits("\n".join(errors), known) == []
    for answer in (answer for answer in http.answers if answer.status >= 400):
        assert hits(answer.text, known - marks_of(answer)) == [], answer.url


def loggers(log):
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return {line.get("logger") for line in lines}
