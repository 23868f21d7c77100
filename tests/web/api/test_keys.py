"""Keys over the admin API: seen and rotated, never shown."""

from typing import Any

import pytest

from tests.clock import Clock
from tests.http_client import InProcess
from tests.web.api.conftest import Caller, code_of


def keys(api: Caller, alg: str) -> list[dict[str, Any]]:
    return [key for key in api.get("/keys").json["items"] if key["alg"] == alg]


def test_keys_are_seen_without_their_secrets(api: Caller, http: InProcess) -> None:
    shown = api.get("/keys").json["items"]
    published = {key["kid"] for key in http.get("/.well-known/jwks.json").json["keys"]}
    assert {key["kid"] for key in shown if key["alg"] != "refresh"} == published
    assert {key["state"] for key in shown} == {"signing"}
    assert set(shown[0]) == {"kid", "alg", "state", "created_at", "signs_from", "retired_at", "removed_at"}


def test_a_rotation_lets_a_new_key_sign_at_once(api: Caller, clock: Clock) -> None:
    (old,) = keys(api, "ES256")
    clock.advance(seconds=1)
    answer = api.post("/keys/rotations", {"algs": ["ES256"]})
    assert (answer.status, answer.json["algs"]) == (201, ["ES256"])
    states = {key["kid"]: key["state"] for key in answer.json["items"] if key["alg"] == "ES256"}
    assert states.pop(old["kid"]) == "retired"
    assert list(states.values()) == ["signing"]


def test_a_rotation_can_be_announced(api: Caller) -> None:
    api.post("/keys/rotations", {"algs": ["ES256"], "announce": True})
    assert sorted(key["state"] for key in keys(api, "ES256")) == ["announced", "signing"]
    answer = api.post("/keys/rotations", {"algs": ["ES256"], "announce": True})
    assert (answer.status, code_of(answer)) == (409, "conflict")


def test_a_revocation_ends_what_was_signed_before(api: Caller, clock: Clock) -> None:
    clock.advance(seconds=1)
    assert api.post("/keys/rotations", {"algs": ["RS256"], "revoke": True}).status == 201
    clock.advance(minutes=1)  # by then every process has read the ring again
    answer = api.get("/keys")
    assert (answer.status, code_of(answer)) == (401, "invalid-token")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"algs": ["HS256"]}, "#/algs"),
        ({"algs": "RS256"}, "#/algs"),
        ({"algs": [1]}, "#/algs/0"),
        ({"announce": 1}, "#/announce"),
        ({"kid": "x"}, "#/kid"),
    ],
)
def test_a_rotation_that_cannot_be_is_pointed_at(api: Caller, body: dict[str, Any], pointer: str) -> None:
    answer = api.post("/keys/rotations", body)
    assert (answer.status, code_of(answer)) == (422, "invalid")
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_a_rotation_is_in_the_audit_log(api: Caller, clock: Clock) -> None:
    clock.advance(seconds=1)
    api.post("/keys/rotations", {"algs": ["ES256"]})
    (event,) = api.get("/audit-events", action="keys.rotate").json["items"]
    assert event["details"]["algs"] == ["ES256"]
