"""The audit log over the admin API: filtered, page by page, and as JSON lines."""

import json
from typing import Any

import pytest

from authserver.admin.paging import MOST
from authserver.runtime import Runtime
from authserver.store.audit import Happening, record
from authserver.store.base import transaction
from tests.clock import Clock
from tests.web.api.conftest import Caller

LINES = "application/x-ndjson"


def lines(api: Caller, accept: str = LINES, **query: str) -> list[dict[str, Any]]:
    answer = api.get("/audit-events", headers={"Accept": accept}, **query)
    assert answer.headers["Content-Type"].split(";")[0] == LINES
    return list(map(json.loads, answer.text.splitlines()))


@pytest.fixture
def happened(api: Caller, clock: Clock) -> dict[str, Any]:
    """A client that was registered, and changed a minute later."""
    client = api.post("/clients", {"kind": "service", "client_name": "Billing"}).json
    clock.advance(minutes=1)
    api.patch(f"/clients/{client['client_id']}", {"client_name": "Bills"})
    return client


def test_every_filter_narrows(api: Caller, happened: dict[str, Any]) -> None:
    client_id = happened["client_id"]
    newest, oldest = api.get("/audit-events", client_id=client_id).json["items"]
    assert (newest["action"], oldest["action"]) == ("client.update", "client.create")
    assert api.get(f"/clients/{client_id}").json["client_name"] == "Bills"
    for query in (
        {"action": "client.update"},
        {"request_id": newest["request_id"]},
        {"since": "2026-12-01T12:01:00Z", "client_id": client_id},
        {"actor": newest["actor"], "action": "client.update", "outcome": "ok"},
    ):
        assert api.get("/audit-events", **query).json["items"] == [newest]
    assert api.get("/audit-events", client_id=client_id, until="2026-12-01T13:01:00.5+01:00").json["items"] == [oldest]
    assert api.get("/audit-events", subject="nobody").json["items"] == []


def test_json_lines_have_all_that_match(api: Caller, happened: dict[str, Any], runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        for number in range(MOST + 5):
            record(db, runtime, Happening(action="test", subject=f"{number}\n"))
    found = lines(api, action="test", page_size="3")
    assert len(found) == MOST + 5
    assert {event["subject"] for event in found} == {f"{number}\n" for number in range(MOST + 5)}
    assert lines(api, client_id=happened["client_id"]) == api.get("/audit-events", client_id=happened["client_id"]).json["items"]
    assert lines(api, action="nothing") == []


@pytest.mark.parametrize("accept", [LINES, f"application/json;q=0.5, {LINES}", f"{LINES}, */*;q=0.1"])
def test_who_likes_lines_better_gets_them(api: Caller, happened: dict[str, Any], accept: str) -> None:
    assert lines(api, accept, action="client.update")


@pytest.mark.parametrize("accept", ["application/json", "*/*", f"application/json, {LINES};q=0.5"])
def test_who_likes_json_better_gets_a_page(api: Caller, happened: dict[str, Any], accept: str) -> None:
    assert "items" in api.get("/audit-events", headers={"Accept": accept}).json


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-12-01", "2026-12-01T12:00:00", "1796126400", "2026-13-01T12:00:00Z", "2026-12-01 12:00:00Z"]
)
def test_an_instant_is_written_as_rfc_3339_says(api: Caller, value: str) -> None:
    for accept in ("application/json", LINES):
        answer = api.get("/audit-events", since=value, headers={"Accept": accept})
        assert (answer.status, answer.json["errors"][0]["parameter"]) == (422, "since")


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-12-01t12:00:00.123456789z"])
def test_an_instant_at_the_end_of_time_is_one(api: Caller, value: str) -> None:
    assert api.get("/audit-events", since=value, until=value).json["items"] == []
