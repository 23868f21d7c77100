"""Metrics on Lambda: one line of CloudWatch's embedded metric format an invocation, of what was counted since the last."""

import json
from datetime import timedelta

import jsonschema
import pytest

from authserver.admin.janitor import sweep
from authserver.runtime import metrics
from authserver.runtime.embedded_metrics import COUNTS, write_embedded_metrics
from authserver.store.base import transaction
from authserver.store.upkeep import overdue
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty

NAMED = {"type": "string", "minLength": 1, "maxLength": 255}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {"Name": {**NAMED, "maxLength": 1024}, "Unit": {"enum": ["Count", "Seconds"]}},
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": {**NAMED, "maxLength": 1024, "pattern": "^[^:]"},
        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": NAMED}},
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": METRIC},
    },
}
FORMAT = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["CloudWatchMetrics", "Timestamp"],
            "additionalProperties": False,
            "properties": {
                "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE},
                "Timestamp": {"type": "integer", "minimum": 10**12, "maximum": 10**13},
            },
        }
    },
}
"""What the format's specification demands of a document, as JSON Schema."""


@pytest.fixture
def line(runtime, capsys, monkeypatch):
    """What is written at the end of an invocation: the document of its line, or None."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "authserver-production")

    def read():
        capsys.readouterr()
        write_embedded_metrics(runtime)
        written = capsys.readouterr().out
        if not written:
            return None
        assert written.count("\n") == 1
        assert written.endswith("}\n")
        document = json.loads(written)
        jsonschema.validate(document, FORMAT)
        return document

    read()
    return read


def values_of(document):
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    for dimension in directive["Dimensions"][0]:
        assert isinstance(document[dimension], str)
    return {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}


def test_a_line_has_what_was_counted_since_the_last(line, clock):
    assert line() is None
    metrics.tokens_issued("client_credentials")
    metrics.tokens_issued("refresh_token")
    metrics.happened("sign_in", "refused", "wrong_password")
    document = line()
    assert values_of(document) == {"TokensIssued": 2, "SignInsSucceeded": 0, "SignInsFailed": 1, "SignInsLimited": 0}
    assert document["_aws"]["Timestamp"] == clock.timestamp() * 1000
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "authserver"
    assert (document["_aws"]["CloudWatchMetrics"][0]["Dimensions"], document["service"]) == ([["service"]], "authserver-production")
    assert line() is None
    metrics.tokens_issued("refresh_token")
    assert values_of(line()) == {"TokensIssued": 1}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("TokensIssued", lambda: metrics.tokens_issued("x")),
        ("RefreshReuse", metrics.reuse_detected),
        ("RequestsRefused", lambda: metrics.happened("token.refuse", "refused", "invalid_grant")),
        ("Answers5xx", lambda: metrics.answered("endpoints.token", 503)),
        ("JanitorLagSeconds", lambda: metrics.janitor_lagged(7.0)),
    ],
)
def test_each_metric_counts_its_own(line, name, count):
    count()
    metrics.answered("endpoints.token", 200)
    metrics.happened("client.create", "ok", "")
    assert set(values_of(line())) == {name}
    assert len(COUNTS) <= 100


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("SignInsSucceeded", lambda: metrics.happened("sign_in", "ok", "")),
        ("SignInsFailed", lambda: metrics.happened("sign_in", "refused", "x")),
        ("SignInsLimited", metrics.sign_in_limited),
    ],
)
def test_outcomes_of_sign_ins_are_written_together_since_an_alarm_weighs_them_against_each_other(line, name, count):
    count()
    assert values_of(line()) == {"SignInsSucceeded": 0, "SignInsFailed": 0, "SignInsLimited": 0} | {name: 1}


def test_a_flow_is_counted_and_the_keys_have_an_age_once_they_are_loaded(line, http, runtime, clock):
    metrics.reuse_detected()
    assert "SigningKeyAgeSeconds" not in values_of(line()), "which loads none by itself"
    clock.advance(hours=1)
    rp = RelyingParty(http, make_client(runtime), clock=clock)
    rp.redeem(rp.authorize(make_user(runtime)))
    counted = values_of(line())
    outcomes = {"SignInsSucceeded": 1, "SignInsFailed": 0, "SignInsLimited": 0}
    assert counted == {"TokensIssued": 1, **outcomes, "SigningKeyAgeSeconds": 3600}


def test_the_janitor_says_how_late_it_is(line, http, runtime, clock):
    def lag():
        with transaction(runtime.engine) as db:
            return overdue(db, runtime.now())

    assert lag() == timedelta(0)
    RelyingParty(http, make_client(runtime), clock=clock).authorize(make_user(runtime))
    clock.advance(days=1)
    assert lag() > timedelta(hours=23)
    sweep(runtime)
    assert values_of(line())["JanitorLagSeconds"] > 23 * 3600
    sweep(runtime)
    assert values_of(line())["JanitorLagSeconds"] < 3600


def test_a_code_is_not_overdue_while_its_replay_is_remembered(http, runtime, clock):
    from sqlalchemy import delete

    from authserver.store.authorization_code import authorization_codes
    from authserver.store.upkeep import EXPIRIES

    RelyingParty(http, make_client(runtime), clock=clock).authorize(make_user(runtime))
    with transaction(runtime.engine) as db:
        for table, _ in EXPIRIES:
            if table is not authorization_codes:
                db.execute(delete(table))
    for minutes, expected in ((11, timedelta(0)), (1, timedelta(minutes=1))):
        clock.advance(minutes=minutes)
        with transaction(runtime.engine) as db:
            assert overdue(db, runtime.now()) == expected
