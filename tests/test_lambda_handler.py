"""What Lambda calls: requests, commands, schedules, whatever else comes; and what happens before the first of them."""

import json
import logging
import socket
import subprocess
import sys
from contextlib import contextmanager
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Pool, event

from authserver.jobs import JobFailed
from authserver.runtime.log import configure
from tests.authorizer import events as authorizer_events
from tests.factories import ISSUER, SECRET_KEY, make_client, make_user
from tests.http_client import InProcess
from tests.lambda_function import ROOT, environment, load
from tests.relying_party import RelyingParty
from tests.web.events import Front, alb_single, http_2, read_answer, rest

pytestmark = pytest.mark.databases("postgresql")

RULE = "arn:aws:events:eu-central-1:123456789012:rule/"
QUEUE = {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:q", "body": "x"}]}


@contextmanager
def initialized(url):
    handlers, level = logging.root.handlers[:], logging.root.level
    with pytest.MonkeyPatch.context() as patch:
        module = load(patch, environment(url, ISSUER, SECRET_KEY))
        yield module
    module.runtime.engine.dispose()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def function(database_url):
    """The module that Lambda has imported."""
    with initialized(database_url) as module:
        yield module


@pytest.fixture(scope="module")
def alone():
    """The same without a database."""
    with initialized("postgresql://authserver@127.0.0.1:9/authserver") as module:
        yield module


@pytest.fixture
def zappa(monkeypatch):
    """Zappa's handler, in place of the real one, which wants a deployed package around it; the events that it was given."""
    given = []
    handler, settings = ModuleType("zappa.handler"), ModuleType("zappa_settings")
    handler.lambda_handler = lambda event, context: given.append(event)
    monkeypatch.setitem(sys.modules, "zappa.handler", handler)
    monkeypatch.setitem(sys.modules, "zappa_settings", settings)
    return given


def scheduled(rule):
    return {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [RULE + rule], "detail": {}}


def test_requests_go_to_the_application_and_figures_to_the_log(function, capsys):
    made = make_client(function.runtime, "service")
    for shape in (rest, http_2):
        service = RelyingParty(InProcess(Front(lambda event: function.handler(event, None), shape), ISSUER), made)
        assert service.client_credentials().status == 200
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [figure["TokensIssued"] for figure in figures] == [1, 1]


def faults(capsys):
    return [json.loads(line).get("Answers5xx", 0) for line in capsys.readouterr().out.splitlines()]


def test_a_fault_of_the_gateway_is_counted(function, capsys):
    rp = RelyingParty(
        InProcess(Front(lambda event: function.handler(event, None), alb_single), ISSUER), make_client(function.runtime, "web")
    )
    assert rp.go_on(rp.begin().answer, make_user(function.runtime)).status == 500
    assert sum(faults(capsys)) == 1


def test_a_fault_of_the_application_is_counted_once(alone, capsys):
    alone.handler(http_2("GET", "/livez"), None)
    capsys.readouterr()
    assert read_answer(alone.handler(http_2("GET", "/.well-known/jwks.json"), None))[0] == 503
    assert faults(capsys) == [1]


def test_before_the_first_request_the_database_is_connected_and_the_keys_are_loaded(function):
    assert function.runtime.engine.pool.checkedin() == 1
    assert function.runtime.caches.key_ring.stale("ring") is not None


def test_a_command_runs_a_job_with_its_words_and_its_answer_is_one_line_without_secrets(function, capsys):
    configure("INFO")  # to this test's own stream
    command = "authserver.jobs.create_client kind=web name='My Wiki' redirect_uri=https://a.example/?a=b redirect_uri=https://b.example/"
    made = function.handler({"command": command}, None)
    assert made["client_name"] == "My Wiki"
    assert made["redirect_uris"] == ["https://a.example/?a=b", "https://b.example/"]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (done,) = [line for line in lines if line["message"] == "job done"]
    assert (done["job"], done["answer"]["client_secret"]) == ("create_client", "only in the answer of the invocation")
    assert done["answer"]["client_id"] == made["client_id"]


def test_words_may_come_as_arguments_beside_the_command(function):
    made = function.handler({"command": "authserver.jobs.create_client", "arguments": {"kind": "service", "name": "A=B"}}, None)
    assert made["client_name"] == "A=B"


def test_a_job_that_fails_is_an_error_with_a_short_text(function):
    with pytest.raises(JobFailed, match=r"^create_client: kind must be one of spa, native, web, service, device$"):
        function.handler({"command": "authserver.jobs.create_client kind=robot name=x"}, None)


def test_a_job_needs_no_connection_and_no_opened_key_of_its_own(function):
    opened = []

    def note(connection, record):
        opened.append(connection)

    event.listen(Pool, "connect", note)
    for name in ("migrate", "health", "rotate_keys", "janitor", "deliver"):
        function.handler({"command": f"authserver.jobs.{name}"}, None)
    event.remove(Pool, "connect", note)
    assert opened == []
    assert function.runtime.engine.pool.checkedin() == 1


def test_a_rules_name_says_which_job_it_schedules(function):
    for name in ("deliver", "rotate_keys", "janitor"):
        answer = function.handler(scheduled(f"authserver-production-authserver.jobs.{name}"), None)
        assert answer == function.handler(scheduled(f"authserver-production-1-hourly-authserver.jobs.{name}"), None)


def test_a_rule_that_keeps_the_function_warm_does_nothing_more(alone, zappa):
    assert alone.handler(scheduled("authserver-dev-zappa-keep-warm-handler.keep_warm_callback"), None) == {}
    assert zappa == []


REFUSED = {
    "python": {"raw_command": "import os"},
    "python and more": {"raw_command": "import os", "command": "authserver.jobs.health"},
    "django": {"manage": "shell"},
    "another function": {"command": "os.system"},
    "the module's own": {"command": "authserver.jobs.make_runtime"},
    "private": {"command": "authserver.jobs._runtime"},
    "below": {"command": "authserver.jobs.health.__init__"},
    "handler": {"command": "authserver.lambda_handler.warm_up"},
    "job without its place": {"command": "health"},
    "no text": {"command": ["authserver.jobs.health"]},
    "no command": {"command": ""},
    "quotes": {"command": "authserver.jobs.create_client name='x"},
    "no word": {"command": "authserver.jobs.create_client service"},
    "a rule for another function": scheduled("authserver-dev-os.system"),
    "a rule for a command": scheduled("authserver-dev-authserver.jobs.setup_link"),
    "a rule without a name": {"detail-type": "Scheduled Event", "resources": []},
    "a rule that is none": {"detail-type": "Scheduled Event", "resources": [None]},
    "socket": {"requestContext": {"eventType": "CONNECT", "connectionId": "x", "domainName": "x"}, "triggerSource": "x"},
    "token authorizer": authorizer_events.rest_token("Bearer x"),
    "request authorizer": authorizer_events.rest_request("Bearer x"),
    "http authorizer": authorizer_events.http_2("Bearer x"),
    "bucket": {"Records": [{"s3": {"configurationId": "x:os.system", "bucket": {"arn": "x"}}}]},
    "topic": {"Records": [{"Sns": {"Message": '{"command": "os.system"}', "TopicArn": "x"}}]},
    "records that are none": {"Records": "x"},
    "records and a command": {**QUEUE, "command": "os.system"},
    "records and variables": {**QUEUE, "stageVariables": {"PATH": "x"}},
    "records and a request": {**QUEUE, "version": "2.0"},
    "trigger and a request": {"triggerSource": "x", "version": "2.0"},
    "log": {"awslogs": {"data": "x"}},
    "nothing": {},
    "null": None,
    "list": [1],
    "text": "authserver.jobs.health",
}


@pytest.mark.parametrize("event", REFUSED.values(), ids=REFUSED)
def test_what_is_not_served_is_refused_without_a_word_of_it(event, alone, zappa):
    with pytest.raises(alone.Refused) as refused:
        alone.handler(event, None)
    assert "os" not in str(refused.value).split()
    assert (refused.value.__cause__, zappa) == (None, [])


def test_an_event_whose_function_the_package_names_goes_to_zappa(alone, zappa):
    alone.handler(QUEUE, None)
    alone.handler({"triggerSource": "PreSignUp_SignUp", "version": "1"}, None)
    assert zappa == [QUEUE, {"triggerSource": "PreSignUp_SignUp", "version": "1"}]


@pytest.mark.parametrize("missing", ["zappa.handler", "zappa_settings"])
def test_without_zappa_its_events_are_refused(missing, alone, zappa, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(alone.Refused, match="which is not in the package"):
        alone.handler(QUEUE, None)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(["\ud800", "Scheduled Event", "2.0", "'"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["command", "detail-type", "resources", "arguments", "Records", "version", "requestContext", "httpMethod", "path", "type", "bot"]


@given(event=st.dictionaries(st.sampled_from(NAMES), ODD, max_size=5) | ODD)
def test_no_event_gives_anything_but_an_answer_or_a_refusal(event, alone, zappa):
    try:
        answer = alone.handler(event, None)
    except alone.Refused:
        return
    assert answer is None or read_answer(answer)[0] == 400


# INIT


CHECK = """
import os

drawn, urandom = [], os.urandom
os.urandom = lambda size: drawn.append(size) or urandom(size)

import json
from authserver import lambda_handler as function
from snapshot_restore_py import get_after_restore

def look():
    pool = function.runtime.engine.pool
    return [pool.checkedin(), function.runtime.caches.key_ring.stale("ring") is not None, len(get_after_restore())]

looks = [drawn.copy(), look()]
for hook, arguments, options in get_after_restore():
    hook(*arguments, **options)
print(json.dumps([*looks, look()]))
"""


def test_a_snapshot_is_taken_before_anything_is_drawn_connected_or_opened(database_url):
    environ = environment(database_url, ISSUER, SECRET_KEY) | {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    looked = subprocess.check_output([sys.executable, "-c", CHECK], env=environ, cwd=ROOT, timeout=60)
    assert json.loads(looked) == [[], [0, False, 1], [1, True, 1]]


def test_a_snapshot_is_taken_before_aws_is_asked_for_keys_or_passwords():
    with socket.create_server(("127.0.0.1", 0)) as aws:
        aws.settimeout(0)
        place = f"127.0.0.1:{aws.getsockname()[1]}"
        secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:authserver-AbCdEf"
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": f"http://{place}"}
        environ = environment(f"postgresql://authserver@{place}/authserver", ISSUER, secret, DATABASE_PASSWORD=secret)
        code = "import authserver.lambda_handler"
        snapshot = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
        subprocess.run([sys.executable, "-c", code], env={**environ, **credentials, **snapshot}, cwd=ROOT, timeout=60, check=True)
        with pytest.raises(BlockingIOError):
            aws.accept()


def test_a_database_that_is_away_does_not_keep_the_function_from_starting(alone):
    assert alone.runtime.caches.key_ring.stale("ring") is None
    assert read_answer(alone.handler(http_2("GET", "/livez"), None))[0] == 200
    assert read_answer(alone.handler(http_2("GET", "/.well-known/jwks.json"), None))[0] == 503


def test_a_connection_that_was_lost_while_the_function_was_frozen_is_no_error(function, database_server):
    made = make_client(function.runtime, "service")
    database_server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test\\_%'")
    service = RelyingParty(InProcess(Front(lambda event: function.handler(event, None), http_2), ISSUER), made)
    assert service.client_credentials().status == 200
