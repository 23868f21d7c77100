"""The AUTHORIZER_* variables, and the process that has them."""

import re
from pathlib import Path

import pytest

from authserver.authorizer import handler
from authserver.authorizer.refusal import SettingsError
from authserver.authorizer.settings import Settings, read_settings
from tests.authorizer import forge
from tests.authorizer.events import rest_token

BASE = {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API}


def settings(**changes):
    texts = {**BASE, **{f"AUTHORIZER_{name.upper()}": value for name, value in changes.items()}}
    return read_settings({name: value for name, value in texts.items() if value is not None})


def test_issuer_and_audience_are_enough():
    read = settings()
    assert read.jwks_url == f"{forge.ISSUER}/.well-known/jwks.json"
    assert read.audience == {forge.API}
    assert (read.leeway, read.jwks_lifetime, read.jwks_cool_down, read.scopes) == (10, 900, 30, frozenset())


def test_values_are_read_by_their_kind():
    read = settings(
        audience="a b", jwks_lifetime="10m", leeway="0", context="roles email", simple_responses="true", jwks_url="http://[::1]:8/x"
    )
    assert (read.audience, read.jwks_lifetime, read.leeway) == ({"a", "b"}, 600, 0)
    assert (read.context, read.simple_responses, read.jwks_url) == (("roles", "email"), True, "http://[::1]:8/x")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": None}, "AUTHORIZER_ISSUER is not set"),
        ({"audience": " "}, "AUTHORIZER_AUDIENCE is not set"),
        ({"audiance": "x"}, "AUTHORIZER_AUDIANCE is not a setting"),
        ({"issuer": "https://login.example.com/"}, "AUTHORIZER_ISSUER ends with a slash"),
        ({"issuer": "http://login.example.com"}, "AUTHORIZER_ISSUER must be an https URL"),
        ({"issuer": "https://user@login.example.com"}, "AUTHORIZER_ISSUER must be an https URL"),
        ({"jwks_url": "file:///etc/passwd"}, "AUTHORIZER_JWKS_URL must be an https URL"),
        ({"jwks_url": "http://localhost.evil.example/x"}, "AUTHORIZER_JWKS_URL must be an https URL"),
        ({"algorithms": "RS256 HS256"}, "AUTHORIZER_ALGORITHMS must be some of"),
        ({"algorithms": ""}, "AUTHORIZER_ALGORITHMS must be some of"),
        ({"leeway": "61"}, "AUTHORIZER_LEEWAY must be at most 60"),
        ({"leeway": "-1"}, "AUTHORIZER_LEEWAY: a duration is written"),
        ({"jwks_cool_down": "0"}, "must be at least a second"),
        ({"simple_responses": "yes"}, "AUTHORIZER_SIMPLE_RESPONSES: must be true or false"),
        ({"routes": "["}, "AUTHORIZER_ROUTES must be one JSON object"),
        ({"routes": '{"GET /": "a", "GET /": "b"}'}, "AUTHORIZER_ROUTES must be one JSON object"),
        ({"routes": '{"GET /": ["a"]}'}, "the scopes of a route are one text"),
        ({"introspection_url": "https://x.example/i"}, "belong together"),
        ({"check_revocation": "true"}, "CHECK_REVOCATION needs"),
        ({"jwks_file": "/nowhere/jwks.json"}, "AUTHORIZER_JWKS_FILE: cannot read /nowhere/jwks.json"),
        ({"jwks_file": "/nowhere", "jwks": "{}"}, "both set"),
    ],
)
def test_a_wrong_setting_says_what_to_change(changes, words):
    with pytest.raises(SettingsError, match=words):
        settings(**changes)


def test_lambda_calls_a_function_that_reads_its_environment_once(monkeypatch):
    handler.authorizer.cache_clear()
    for name, value in {**BASE, "AUTHORIZER_JWKS": forge.jwks()}.items():
        monkeypatch.setenv(name, value)
    import time

    now = int(time.time())
    event = rest_token(f"Bearer {forge.token(iat=now, exp=now + 60)}")
    assert handler.handler(event, None)["principalId"] == "248289761001"
    monkeypatch.delenv("AUTHORIZER_ISSUER")
    assert handler.handler(event, None)["principalId"] == "248289761001"
    handler.authorizer.cache_clear()


def test_a_process_that_is_set_up_wrongly_answers_nothing_and_says_so(monkeypatch, capsys):
    handler.authorizer.cache_clear()
    with pytest.raises(SettingsError):
        handler.handler(rest_token("Bearer x"), None)
    assert capsys.readouterr().err == "authorizer: AUTHORIZER_ISSUER is not set\n"


def test_the_guide_has_every_setting_and_no_other():
    guide = (Path(__file__).parent.parent.parent / "docs" / "authorizers.md").read_text()
    listed = set(re.findall(r"^\| `(AUTHORIZER_[A-Z_]+)`", guide, re.MULTILINE))
    assert listed == {f"AUTHORIZER_{name.upper()}" for name in Settings._fields}
