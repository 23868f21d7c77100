"""Lists page by page: every item once, whatever the size of a page (RFC 8288)."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from authserver.runtime import Runtime
from tests.counts import Counts
from tests.factories import ISSUER
from tests.http_client import InProcess
from tests.web.api.conftest import ROOT, Caller, code_of
from tests.web.api.examples import World, endpoints

SEEDS = 5
LISTS = [endpoint.path for endpoint in endpoints() if endpoint.answer is not None and "next_page_token" in endpoint.answer.model_fields]


@pytest.fixture
def world(runtime: Runtime, api: Caller) -> World:
    """Some of everything."""
    made = World(runtime, api.http)
    for number in range(SEEDS):
        api.post("/clients", {"kind": "service", "client_name": f"Paged {number % 3}"})
        api.post("/apis", {"identifier": f"https://paged{number}.example.com", "name": "Paged"})
        api.post("/users", {"email": f"paged{number}@example.com", "claims": {"name": "Paged Person"}})
        made.signed_in()
        made.failure()
    return made


def pages(caller: Caller, path: str, size: int, **query: str) -> Iterator[list[Any]]:
    """Follow the links."""
    answer = caller.get(path, page_size=size, **query)
    while True:
        yield answer.json["items"]
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next_page_token"] is None)
        if link is None:
            return
        match = re.fullmatch(r'<([^>]+)>; rel="next"', link)
        assert match is not None
        assert match[1].startswith(f"{ISSUER}{ROOT}{path}?")
        assert parse_qs(urlsplit(match[1]).query)["page_token"] == [answer.json["next_page_token"]]
        answer = caller.get(path, **{name: values[0] for name, values in parse_qs(urlsplit(match[1]).query).items()})


def identify(path: str, item: dict[str, Any]) -> str:
    return str(item[{"/clients": "client_id", "/apis": "identifier", "/failures": "error_id"}.get(path, "id")])


def test_the_pages_of_every_list_have_every_item_once(api: Caller, world: World) -> None:
    for path in LISTS:
        whole = [identify(path, item) for item in api.get(path, page_size=200).json["items"]]
        assert len(whole) >= SEEDS, path
        assert len(set(whole)) == len(whole), path
        for size in (1, 3, len(whole), len(whole) + 1):
            found = list(pages(api, path, size))
            assert [identify(path, item) for page in found for item in page] == whole, path
            assert all(len(page) == size for page in found[:-1]), path


FILTERS = [
    ("/clients", {"q": "paged"}),
    ("/clients", {"kind": "service", "status": "enabled"}),
    ("/apis", {"q": "paged"}),
    ("/users", {"q": "paged"}),
    ("/users", {"status": "enabled"}),
    ("/audit-events", {"action": "client.create", "since": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00+01:00"}),
]


def test_a_filter_goes_on_from_page_to_page(api: Caller, world: World) -> None:
    for path, query in FILTERS:
        whole = [identify(path, item) for item in api.get(path, page_size=200, **query).json["items"]]
        assert len(whole) >= SEEDS, query
        assert [identify(path, item) for page in pages(api, path, 2, **query) for item in page] == whole, query


def test_a_page_token_belongs_to_its_list(api: Caller, world: World) -> None:
    tokens = {path: api.get(path, page_size=1).json["next_page_token"] for path in LISTS}
    for path in LISTS:
        for other, token in tokens.items():
            answer = api.get(path, page_token=token)
            if other == path:
                assert answer.status == 200
            else:
                assert (answer.status, code_of(answer)) == (422, "invalid"), (path, other)
                assert answer.json["errors"][0]["parameter"] == "page_token"


def test_a_page_token_belongs_to_its_filters(api: Caller, world: World) -> None:
    token = api.get("/clients", q="paged", page_size=1).json["next_page_token"]
    assert api.get("/clients", q="other", page_token=token).status == 422


def test_a_row_that_is_added_or_deleted_moves_no_other(api: Caller, world: World) -> None:
    first = api.get("/apis", page_size=3).json
    expected = [item["identifier"] for item in api.get("/apis").json["items"]][3:]
    api.post("/apis", {"identifier": "https://a.example.com", "name": "Early"})
    rest = api.get("/apis", page_token=first["next_page_token"]).json["items"]
    assert [item["identifier"] for item in rest] == [identifier for identifier in expected if identifier != "https://a.example.com"]


def test_a_page_takes_few_queries_however_long_it_is(api: Caller, world: World, counts: Counts) -> None:
    for path in LISTS:
        with counts.measure() as tally:
            api.get(path, page_size=200)
        assert len(tally.statements) < 10, path
        assert tally.writes == [], path


def test_lists_do_not_leak_across_callers(http: InProcess, world: World, caller: Callable[..., Caller], api: Caller) -> None:
    token = api.get("/clients", page_size=1).json["next_page_token"]
    assert caller("clients:read").get("/clients", page_token=token).status == 200
    assert caller("users:read").get("/clients", page_token=token).status == 403
