"""Idempotency-Key: a POST that is repeated is done once, and a secret is shown once (draft-ietf-httpapi-idempotency-key-header)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from authserver.runtime import Runtime
from authserver.store.base import count, transaction
from authserver.store.client import clients
from authserver.store.idempotency import idempotency_keys
from tests.clock import Clock
from tests.factories import make_user
from tests.http_client import Answer
from tests.web.api.conftest import Caller, code_of
from tests.web.api.examples import World

KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
SERVICE = {"kind": "service", "client_name": "Billing"}


def count_clients(runtime: Runtime) -> int:
    with transaction(runtime.engine) as db:
        return count(db, clients)


def without_secret(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if not name.startswith("client_secret")}


@pytest.mark.databases
def test_a_repetition_gets_the_first_answer_without_its_secret(api: Caller, runtime: Runtime) -> None:
    before = count_clients(runtime)
    first, second = api.post("/clients", SERVICE, key=KEY), api.post("/clients", SERVICE, key=KEY)
    assert (first.status, second.status) == (201, 201)
    assert "client_secret" in first.json
    assert second.json == without_secret(first.json)
    for name in ("Location", "ETag", "Content-Type"):
        assert second.headers[name] == first.headers[name]
    assert (first.headers.get("Idempotent-Replayed"), second.headers["Idempotent-Replayed"]) == (None, "true")
    assert count_clients(runtime) == before + 1


def test_without_a_key_each_request_counts(api: Caller, runtime: Runtime) -> None:
    before = count_clients(runtime)
    for _ in range(2):
        assert api.post("/clients", SERVICE).status == 201
    assert count_clients(runtime) == before + 2


def test_quotes_around_a_key_mean_nothing(api: Caller) -> None:
    first = api.post("/clients", SERVICE, key="abc")
    assert api.post("/clients", SERVICE, key='"abc"').json == without_secret(first.json)


@pytest.mark.parametrize(
    ("path", "body"), [("/clients", {**SERVICE, "client_name": "Other"}), ("/apis", {"identifier": "https://a.example.com", "name": "A"})]
)
def test_a_key_belongs_to_one_request(api: Caller, runtime: Runtime, path: str, body: dict[str, Any]) -> None:
    api.post("/clients", SERVICE, key=KEY)
    before = count_clients(runtime)
    answer = api.post(path, body, key=KEY)
    assert (answer.status, code_of(answer)) == (422, "key-reused")
    assert count_clients(runtime) == before


def test_a_key_belongs_to_one_caller(api: Caller, caller: Callable[..., Caller]) -> None:
    mine = api.post("/clients", SERVICE, key=KEY).json
    theirs = caller().post("/clients", SERVICE, key=KEY)
    assert theirs.status == 201
    assert "client_secret" in theirs.json
    assert theirs.json["client_id"] != mine["client_id"]


def test_a_key_is_remembered_for_24_hours(api: Caller, caller: Callable[..., Caller], clock: Clock, http: Any, service: Any) -> None:
    client = service("clients:read", "clients:write")

    def post() -> str:
        token = client.token(grant_type="client_credentials").json["access_token"]
        return Caller(http, token).post("/clients", SERVICE, key=KEY).json["client_id"]

    first = post()
    clock.advance(hours=23, minutes=59)
    assert post() == first
    clock.advance(minutes=1)
    assert post() != first


@pytest.mark.parametrize("wrong", [{"kind": "car", "client_name": "Billing"}, {**SERVICE, "apis": ["https://nowhere.example.com"]}])
def test_what_was_refused_spends_no_key(api: Caller, runtime: Runtime, wrong: dict[str, Any]) -> None:
    assert api.post("/clients", wrong, key=KEY).status == 422
    with transaction(runtime.engine) as db:
        assert count(db, idempotency_keys) == 0
    assert api.post("/clients", SERVICE, key=KEY).status == 201


def test_a_repetition_needs_the_permission_still(api: Caller, http: Any, service: Any, runtime: Runtime, clock: Clock) -> None:
    client = service("clients:read", "clients:write")
    caller = Caller(http, client.token(grant_type="client_credentials").json["access_token"])
    assert caller.post("/clients", SERVICE, key=KEY).status == 201
    api.patch(f"/clients/{client.made.client_id}", {"scope": "clients:read"})
    clock.advance(seconds=6)
    assert caller.post("/clients", SERVICE, key=KEY).status == 403


@pytest.mark.parametrize("key", ["", '""', "a" * 256, "a b", '"a', "caf\u00e9", '"a\\b"'])
def test_a_key_that_is_none_is_refused(api: Caller, runtime: Runtime, key: str) -> None:
    answer = api.post("/clients", SERVICE, key=key)
    assert (answer.status, code_of(answer)) == (400, "malformed-request")


def test_a_link_is_shown_once_too(api: Caller) -> None:
    first, second = (api.post("/users", {"email": "grace@example.com"}, key=KEY).json for _ in range(2))
    assert first.pop("link").startswith("https://")
    assert second == first


def test_a_mend_is_repeated_too(api: Caller, runtime: Runtime) -> None:
    failure = World(runtime, api.http).failure()
    first, second, without = (api.post(f"/failures/{failure}/mend", key=key) for key in (KEY, KEY, None))
    assert (first.status, second.status, without.status) == (200, 200, 409)
    assert second.json == first.json


@pytest.mark.settings(smtp_url="smtp://127.0.0.1:9", mail_from="login@example.com")
def test_an_answer_without_a_document_is_repeated_too(api: Caller, runtime: Runtime) -> None:
    path = f"/users/{make_user(runtime).subject}/password-reset"
    for answer in [api.post(path, key=KEY) for _ in range(2)]:
        assert (answer.status, answer.body) == (202, b"")
    assert len(api.get("/audit-events", action="user.start_password_reset").json["items"]) == 1


def test_a_request_whose_first_one_has_no_answer_yet_is_told_to_wait(api: Caller, runtime: Runtime) -> None:
    api.post("/clients", SERVICE, key=KEY)
    with transaction(runtime.engine) as db:
        db.execute(update(idempotency_keys).values(status=None, answer=None))
    answer = api.post("/clients", SERVICE, key=KEY)
    assert (answer.status, code_of(answer)) == (409, "key-in-use")


def test_no_secret_is_kept(api: Caller, runtime: Runtime) -> None:
    secrets = [
        api.post("/clients", SERVICE, key="one").json["client_secret"],
        api.post("/users", {"email": "grace@example.com"}, key="two").json["link"].partition("=")[2],
    ]
    with transaction(runtime.engine) as db:
        kept = str([tuple(row) for row in db.execute(select(idempotency_keys))])
    assert [secret for secret in secrets if secret in kept] == []


@pytest.mark.databases
def test_of_two_requests_at_once_with_one_key_one_is_done(api: Caller, runtime: Runtime) -> None:
    before, answers, start = count_clients(runtime), list[Answer](), threading.Barrier(2)

    def send() -> None:
        start.wait()
        answers.append(Caller(api.http.fresh(), api.token).post("/clients", SERVICE, key=KEY))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [201, 201]
    assert len({answer.json["client_id"] for answer in answers}) == 1
    assert sum("client_secret" in answer.json for answer in answers) == 1
    assert count_clients(runtime) == before + 1
