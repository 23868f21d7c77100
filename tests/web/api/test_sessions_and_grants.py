"""Sessions and grants over the admin API: seen and ended."""

import pytest

from authserver.runtime import Runtime
from tests.web.api.conftest import Caller, code_of
from tests.web.api.examples import World


@pytest.fixture
def world(runtime: Runtime, api: Caller) -> World:
    return World(runtime, api.http)


def test_a_session_is_seen_and_ended(api: Caller, world: World) -> None:
    _, person = world.signed_in()
    world.signed_in()
    (session,) = api.get("/sessions", user=person.email).json["items"]
    assert session["user_id"] == person.subject
    assert len(api.get("/sessions").json["items"]) == 2
    assert api.delete(f"/sessions/{session['id']}").json == {"ended": 1}
    assert api.delete(f"/sessions/{session['id']}").json == {"ended": 0}
    assert api.get("/sessions", user=person.subject).json["items"] == []


def test_all_sessions_of_a_user_end_and_nobody_elses(api: Caller, world: World) -> None:
    _, person = world.signed_in()
    _, other = world.signed_in()
    assert api.delete("/sessions", user=person.subject).json == {"ended": 1}
    assert len(api.get("/sessions", user=other.subject).json["items"]) == 1


def test_a_grant_is_seen_and_revoked(api: Caller, world: World) -> None:
    application, person = world.signed_in()
    (grant,) = api.get("/grants", user=person.subject).json["items"]
    assert (grant["client_id"], grant["offline"]) == (application.made.client_id, True)
    assert grant in api.get("/grants", client_id=application.made.client_id).json["items"]
    assert api.delete(f"/grants/{grant['id']}").json == {"ended": 1}
    assert api.get("/grants", user=person.subject).json["items"] == []


@pytest.mark.parametrize("names", [("user",), ("client_id",), ("user", "client_id")])
def test_grants_are_revoked_by_user_and_client(api: Caller, world: World, names: tuple[str, ...]) -> None:
    application, person = world.signed_in()
    _, other = world.signed_in()
    query = {"user": person.subject, "client_id": application.made.client_id}
    assert api.delete("/grants", **{name: query[name] for name in names}).json == {"ended": 1}
    assert len(api.get("/grants", user=other.subject).json["items"]) == 1


def test_not_everything_is_revoked_by_leaving_the_filters_out(api: Caller, world: World) -> None:
    _, person = world.signed_in()
    for answer in (api.delete("/grants"), api.delete("/grants", user="", client_id=""), api.delete("/sessions")):
        assert (answer.status, code_of(answer)) == (422, "invalid")
        assert [fault["parameter"] for fault in answer.json["errors"]] == ["user"]
    assert len(api.get("/grants", user=person.subject).json["items"]) == 1


def test_whom_or_what_nobody_knows_is_not_found(api: Caller) -> None:
    guess = "00000000-0000-4000-8000-000000000000"
    answers = [
        *(api.get(path, user=user) for path in ("/sessions", "/grants") for user in (guess, "nobody@example.com", "nobody")),
        *(api.delete(path, user=guess) for path in ("/sessions", "/grants")),
        *(api.delete(f"{path}/{name}") for path in ("/sessions", "/grants") for name in (guess, "1", "me")),
        api.delete("/grants", client_id="nobody"),
    ]
    assert {(answer.status, code_of(answer)) for answer in answers} == {(404, "not-found")}


def test_what_ends_is_in_the_audit_log(api: Caller, world: World) -> None:
    _, person = world.signed_in()
    api.delete("/sessions", user=person.subject)
    (event,) = api.get("/audit-events", action="session.revoke").json["items"]
    assert (event["subject"], event["actor"].split(":")[0]) == (person.subject, "client")
