"""Hostile tokens and events: nothing but a good token is ever an Allow, and no token is ever in a log line."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authserver.authorizer.handler import Authorizer
from authserver.authorizer.refusal import Unauthorized, Undecided
from authserver.authorizer.settings import read_settings
from tests.authorizer import forge
from tests.authorizer.events import SHAPES, rest_token

LINES: list[str] = []
BASE = {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API, "AUTHORIZER_JWKS": forge.jwks(), "AUTHORIZER_SCOPES": "read"}


def no_network(*_: object) -> bytes:
    from authserver.authorizer.fetch import FetchFailed

    raise FetchFailed


def made(**settings: str) -> Authorizer:
    environ = {**BASE, **{f"AUTHORIZER_{name.upper()}": value for name, value in settings.items()}}
    return Authorizer(read_settings(environ), lambda: forge.NOW, no_network, no_network, LINES.append)


POLICY, SIMPLE = made(), made(simple_responses="true", http_api_raises="true")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([forge.ISSUER, forge.API, "at+jwt", "read"]),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
algorithms = st.sampled_from(forge.ALGORITHMS)
shapes = st.sampled_from(list(SHAPES.values()))


def is_allowed(event: Any) -> bool:
    """Ask both authorizers; whatever they say that is no clean refusal counts."""
    return _allows(POLICY, event) | _allows(SIMPLE, event)


def _allows(one: Authorizer, event: Any) -> bool:
    try:
        answer = one.decide(event)
    except (Unauthorized, Undecided):
        return False
    return '"Allow"' in json.dumps(answer) or (answer.get("isAuthorized") is not False and "policyDocument" not in answer)


def test_the_good_token_is_allowed():
    for shape in SHAPES.values():
        for alg in forge.ALGORITHMS:
            assert is_allowed(shape(f"Bearer {forge.token(alg)}"))


@given(shapes, st.text(max_size=60))
def test_no_text_is_a_token(shape, text):
    assert not is_allowed(shape(text))
    assert not is_allowed(shape(f"Bearer {text}"))


@given(shapes, algorithms, st.data())
def test_no_changed_character_is_forgiven(shape, alg, data):
    good = forge.token(alg)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != good[place]))
    assert not is_allowed(shape(f"Bearer {good[:place]}{other}{good[place + 1 :]}"))


@given(shapes, algorithms, st.data())
def test_no_missing_or_added_character_is_forgiven(shape, alg, data):
    good = forge.token(alg)
    start = data.draw(st.integers(0, len(good) - 1))
    end = data.draw(st.integers(start + 1, len(good)))
    assert not is_allowed(shape(f"Bearer {good[:start]}{good[end:]}"))
    assert not is_allowed(shape(f"Bearer {good[:end]}{good[start:]}"))  # at least one character is there twice


@given(
    algorithms, st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5u", "zip"]), json_values, min_size=1)
)
def test_no_other_header_signed_by_the_right_key_is_taken(alg, changes):
    heading = {**forge.header(alg), **changes}
    is_good = all(heading[name] == value for name, value in forge.header(alg).items()) and "crit" not in heading
    assert is_good or not is_allowed(rest_token(f"Bearer {forge.sign(heading, forge.claims(), alg)}"))


@given(algorithms, st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "sub", "client_id", "jti", "scope", "cnf"]), json_values)
def test_no_claim_of_another_value_is_taken_unless_it_is_a_good_one(alg, name, value):
    token = forge.sign(forge.header(alg), {**forge.claims(), name: value}, alg)
    assert is_good_claim(name, value) or not is_allowed(rest_token(f"Bearer {token}"))


def is_good_claim(name: str, value: Any) -> bool:
    """Say by other words than the code what may stand there."""
    match name, value:
        case "iss", str():
            return value == forge.ISSUER
        case "aud", str() | list():
            return value == forge.API or (isinstance(value, list) and forge.API in value)
        case (("exp" | "iat" | "nbf"), int()) if not isinstance(value, bool):
            return value > forge.NOW - 10 if name == "exp" else value <= forge.NOW + 10
        case (("sub" | "client_id" | "jti"), str()):
            return value != ""
        case "scope", str():
            return "read" in value.split(" ")
    return False


@given(
    st.one_of(
        json_values,
        st.dictionaries(st.sampled_from(["type", "version", "methodArn", "routeArn", "headers", "requestContext"]), json_values),
    )
)
def test_no_other_event_is_answered_with_allow(event):
    assert not is_allowed(event)


@given(shapes, st.data(), json_values)
def test_a_spoilt_event_with_a_bad_token_is_no_allow(shape, data, value):
    event = shape(f"Bearer {forge.token(exp=1)}")
    event[data.draw(st.sampled_from(sorted(event)))] = value
    assert not is_allowed(event)


@given(shapes, st.data(), json_values)
def test_a_spoilt_event_with_a_good_token_is_an_answer_or_a_clean_refusal(shape, data, value):
    event = shape(f"Bearer {forge.token()}")
    event[data.draw(st.sampled_from(sorted(event)))] = value
    for one in (POLICY, SIMPLE):
        try:
            answer = one.decide(event)
        except (Unauthorized, Undecided):
            continue
        resources = [statement["Resource"] for statement in answer.get("policyDocument", {}).get("Statement", [])]
        assert all(resource.endswith(":a1b2c3d4e5/live/*") for resource in resources)


def test_no_line_of_the_log_holds_anything_that_was_sent():
    LINES.clear()
    secrets = ["canary-" + part for part in ("kid", "sub", "typ", "alg", "iss")]
    tokens = [
        forge.sign(forge.header(kid=secrets[0]), forge.claims()),
        forge.token(sub=secrets[1], exp=1),
        forge.sign(forge.header(typ=secrets[2]), forge.claims()),
        forge.sign(forge.header(alg=secrets[3]), forge.claims()),
        forge.token(iss=secrets[4]),
        forge.token(),
    ]
    for shape in SHAPES.values():
        for token in tokens:
            is_allowed(shape(f"Bearer {token}"))
            is_allowed(shape(f"Bearer {token}x"))
            is_allowed({**shape(f"Bearer {token}"), "methodArn": token, "routeArn": token})
    written = "\n".join(LINES)
    assert LINES
    assert not [part for token in tokens for part in (*token.split("."), *secrets) if part in written]
    assert all(set(json.loads(line)) == {"logger", "level", "message", "because"} for line in LINES)
