"""ETag and If-Match: a change is made to what was seen, or not at all (RFC 9110 sections 8.8.3 and 13.1.1)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from authserver.runtime import Runtime
from tests.http_client import Answer
from tests.web.api.conftest import Caller, code_of
from tests.web.api.examples import EXAMPLES, World, endpoints

CONDITIONAL = [endpoint for endpoint in endpoints() if endpoint.conditional]


@pytest.fixture
def path(api: Caller) -> str:
    return f"/clients/{api.post('/clients', {'kind': 'service', 'client_name': 'Billing'}).json['client_id']}"


@pytest.mark.spec("RFC 9110", "13.1.1")
@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"', 'W/"1", "1"', ' "1" ', '"7",, ,"1",', ""])
def test_a_tag_of_what_it_is_now_lets_a_change_through(api: Caller, path: str, tag: str) -> None:
    answer = api.patch(path, {"client_name": "New"}, tag=tag)
    assert (answer.status, answer.headers["ETag"]) == (200, '"2"')


@pytest.mark.spec("RFC 9110", "15.5.13")
@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', '"01"', '"x", "y"', '""'])
def test_another_tag_stops_it_and_the_answer_has_the_right_one(api: Caller, path: str, tag: str) -> None:
    for answer in (api.patch(path, {"client_name": "New"}, tag=tag), api.delete(path, tag=tag)):
        assert (answer.status, code_of(answer), answer.headers["ETag"]) == (412, "changed", '"1"')
    assert api.get(path).json["client_name"] == "Billing"


@pytest.mark.parametrize("tag", ["1", '"1', '"1 "', '"a" "b"', "W/1", '"1",,"2'])
def test_what_is_no_tag_is_refused(api: Caller, path: str, tag: str) -> None:
    answer = api.patch(path, {"client_name": "New"}, tag=tag)
    assert (answer.status, code_of(answer)) == (400, "malformed-request")


@pytest.mark.parametrize("endpoint", CONDITIONAL, ids=lambda endpoint: endpoint.name)
def test_every_change_of_a_versioned_thing_can_be_conditional(api: Caller, runtime: Runtime, endpoint: Any) -> None:
    example = EXAMPLES[endpoint.name](World(runtime, api.http))
    stale = api.call(endpoint.method, example.path, example.body, headers={"If-Match": '"0"'})
    assert (stale.status, code_of(stale)) == (412, "changed")
    current = api.call(endpoint.method, example.path, example.body, headers={"If-Match": stale.headers["ETag"]})
    assert current.status == endpoint.status


def test_what_is_not_there_is_not_found_whatever_the_tag(api: Caller) -> None:
    assert api.patch("/clients/nobody", {}, tag='"1"').status == 404
    assert api.delete("/clients/nobody", tag="*").status == 404


def together(*acts: Callable[[], Answer]) -> list[Answer]:
    """Act at once."""
    answers, start = list[Answer](), threading.Barrier(len(acts))

    def run(act: Callable[[], Answer]) -> None:
        start.wait()
        answers.append(act())

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.databases
def test_of_changes_at_once_to_one_version_one_is_made(api: Caller, path: str) -> None:
    def change(name: str) -> Callable[[], Answer]:
        caller = Caller(api.http.fresh(), api.token)
        return lambda: caller.patch(path, {"client_name": name}, tag='"1"')

    answers = together(*map(change, ("A", "B", "C")))
    assert sorted(answer.status for answer in answers) == [200, 412, 412]
    (made,) = (answer for answer in answers if answer.status == 200)
    now = api.get(path)
    assert (now.json["client_name"], now.headers["ETag"]) == (made.json["client_name"], '"2"')


@pytest.mark.databases
def test_changes_at_once_that_expect_nothing_lose_nothing(api: Caller, path: str) -> None:
    def change(member: str) -> Callable[[], Answer]:
        caller = Caller(api.http.fresh(), api.token)
        return lambda: caller.patch(path, {"attributes": {member: True}})

    members = ("a", "b", "c")
    answers = together(*map(change, members))
    made = [answer for answer in answers if answer.status == 200]
    assert {code_of(answer) for answer in answers if answer.status != 200} <= {"conflict"}
    assert len(made) == len(api.get(path).json["attributes"]) >= 1
