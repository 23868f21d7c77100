"""100,000 clients and 1,000,000 audit events: no list asks much, and none reads a whole table."""

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from authserver.runtime import Runtime
from tests import databases
from tests.clock import Clock
from tests.crowd import fill
from tests.factories import insert_keys, make_settings, make_test_runtime

pytestmark = [pytest.mark.slow]

LARGE = {"clients", "search_terms", "users", "browser_sessions", "grants", "audit_events", "refusals", "figures"}
MOST_QUERIES, MOST_QUERIES_OF_THE_OVERVIEW = 9, 14
LISTS = (
    "/admin/applications",
    "/admin/applications?q=shop",
    "/admin/applications?q=app77",
    "/admin/applications?kind=spa",
    "/admin/applications?status=disabled",
    "/admin/apis",
    "/admin/users",
    "/admin/users?q=somebody77",
    "/admin/users?status=disabled",
    "/admin/sessions",
    "/admin/grants",
    "/admin/keys",
    "/admin/audit",
    "/admin/audit?action=sign_in",
    "/admin/audit?actor=person7",
    "/admin/audit?client_id=client-7",
    "/admin/audit?outcome=refused",
    "/admin/failures",
    "/admin/failures?client_id=client-7",
    "/admin/applications/people/client-7",
    "/admin/applications/activity/client-7",
)

PAGED = ("/admin/applications", "/admin/audit", "/admin/users", "/admin/sessions", "/admin/grants", "/admin/failures")


@pytest.fixture(scope="module")
def crowd() -> Iterator[Runtime]:
    try:
        server = databases.start("postgresql")
    except databases.NotInstalled as error:
        pytest.skip(str(error))
    runtime = make_test_runtime(make_settings(database_url=server.new()), Clock())
    insert_keys(runtime)
    fill(runtime)
    yield runtime
    runtime.engine.dispose()
    server.stop()


@pytest.fixture
def runtime(crowd: Runtime) -> Runtime:
    return crowd


@pytest.fixture
def settings(crowd: Runtime) -> Any:
    return crowd.settings


@contextmanager
def explained(runtime: Runtime) -> Iterator[list[tuple[str, Any]]]:
    """Collect every SELECT with its parameters, and its plan at the end."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(runtime.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(runtime.engine, "before_cursor_execute", note)


def scanned(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads from one end to the other."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scanned(part)


def plan_of(runtime: Runtime, statement: str, parameters: Any) -> dict[str, Any]:
    with runtime.engine.connect() as connection:
        found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        return plan


@pytest.mark.databases("postgresql")
def test_with_100_000_clients_and_1_000_000_events_a_list_asks_little_and_reads_no_whole_table(
    console: Callable[..., Any], crowd: Runtime
) -> None:
    with crowd.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one() >= 1_000_000
        assert connection.execute(text("SELECT count(*) FROM clients")).scalar_one() >= 100_000
    http = console()
    for path in LISTS:
        scans, asked, _ = look(http, crowd, path)
        assert scans == set(), path
        assert asked <= MOST_QUERIES, path
    for path in PAGED:
        _, _, page = look(http, crowd, path)
        for _ in range(3):
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            assert following is not None, path
            scans, _, page = look(http, crowd, html.unescape(following[1]))
            assert scans == set(), f"a page behind the first of {path}"
    for period in ("24h", "30d"):
        scans, asked, _ = look(http, crowd, f"/admin?period={period}")
        assert scans <= {"figures"}
        assert asked <= MOST_QUERIES_OF_THE_OVERVIEW


def look(http: Any, crowd: Runtime, path: str) -> tuple[set[str], int, Any]:
    """Open a page; return the large tables that it reads from one end to the other, how much it asks, and the page."""
    with explained(crowd) as seen:
        page = http.get(path)
    assert page.status == 200, path
    scans = {table for statement, given in seen for table in scanned(plan_of(crowd, statement, given)) if table in LARGE}
    return scans, len(seen), page
