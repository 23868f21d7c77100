"""The audit log in the console: filters, differences, page by page, and as a file that no spreadsheet runs."""

import csv
import io
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from authserver.admin.audit_export import FORMULA, as_csv, as_ndjson, defused
from authserver.admin.clients import create_client, update_client_metadata
from authserver.runtime import Runtime
from authserver.store.audit import Happening, record
from authserver.web.console.differences import changes
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import ISSUER, make_client, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.web.console.people import MARKUP, next_page, operating, use

URI = "https://app.example.org/callback"


def happen(runtime: Runtime, action: str = "test.action", **happening) -> None:
    with operating(runtime) as operation:
        record(operation.db, runtime, Happening(action=action, **happening))


def happen_often(runtime: Runtime, count: int, action: str, **happening) -> None:
    with operating(runtime) as operation:
        for number in range(count):
            record(operation.db, runtime, Happening(action=action.format(number), details={"number": number}, **happening))


def actions(page) -> list[str]:
    return [part.partition("</code>")[0] for part in page.answer.text.split('<code class="nowrap">')[1:]]


def test_what_changed_is_shown_as_it_was_and_as_it_is(console, runtime):
    http = console()
    with operating(runtime) as operation:
        create_client(operation, "spa", "Before", {"redirect_uris": [URI, f"{URI}/old"]}, client_id="shop")
        update_client_metadata(operation, "shop", {"client_name": "After", "redirect_uris": [URI, f"{URI}/new"]})
    text = http.get("/admin/audit?action=client.update").text
    for part in (
        '<del class="was">Before</del>',
        '<ins class="now">After</ins>',
        f'<del class="was">{URI}/old</del>',
        f'<ins class="now">{URI}/new</ins>',
    ):
        assert part in text
    assert f">{URI}</del>" not in text


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "1", "2")]),
        ({}, {"a": "x"}, [("a", None, "x")]),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 1, "d": 3}}}, [("a.b.d", "2", "3")]),
        ({"a": ["x", "y"]}, {"a": ["y", "z", "w"]}, [("a", "x", "z\nw")]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", "x\ny", "y\nx")]),
        ({"a": ["x"]}, {"a": []}, [("a", "x", None)]),
        ({"a": None}, {"a": False}, [("a", None, "false")]),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", "1", None), ("a", None, "{}")]),
    ],
)
def test_differences_are_told_by_member(before, after, found):
    assert [(each.name, each.was, each.now) for each in changes(before, after)] == found


def test_an_event_names_who_did_what_to_whom_from_where(console, runtime):
    http, ida = console(), make_user(runtime, "ida@example.net")
    use(http, make_client(runtime, "spa", client_name="Acme Photos"), ida)
    page = read(http.get(f"/admin/audit?action=sign_in&subject={ida.subject}"))
    assert "sign_in ida@example.net ida@example.net Acme Photos 192.0.2.0/24" in page.text
    assert any(link.endswith(f"/admin/users/{ida.subject}") for link in page.links)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"action": "a.one"}, ["a.one"]),
        ({"outcome": "refused"}, ["a.two"]),
        ({"actor": "somebody"}, ["a.one"]),
        ({"client_id": "shop"}, ["a.three"]),
        ({"subject": "ida@example.net"}, ["a.three"]),
        ({"actor": "somebody", "action": "a.two"}, []),
    ],
)
def test_filters_narrow_the_log(console, runtime, query, found):
    http, ida = console(), make_user(runtime, "ida@example.net")
    happen(runtime, "a.one", actor="somebody")
    happen(runtime, "a.two", outcome="refused", because="of this")
    happen(runtime, "a.three", client_id="shop", subject=ida.subject)
    page = read(http.get(f"/admin/audit?{urlencode(query)}"))
    assert [action for action in actions(page) if action.startswith("a.")] == found
    assert found or "Nothing like that happened" in page.text
    file = next(link for link in page.links if "/export.csv?" in link)
    assert dict(parse_qsl(urlsplit(file).query)) == query


def test_the_log_narrows_to_a_span_of_time_in_utc(console, runtime, clock: Clock):
    http = console()
    for number in range(3):
        happen(runtime, f"at.{number}")
        clock.advance(hours=1)
    for query, found in (
        ("since=2026-12-01T13:00", ["at.2", "at.1"]),
        ("until=2026-12-01T13:00", ["at.0"]),
        ("since=2026-12-01T14:00%2B01:00&until=2026-12-01T14:00", ["at.1"]),
        ("since=2026-12-02", []),
    ):
        assert [action for action in actions(read(http.get(f"/admin/audit?{query}"))) if action.startswith("at.")] == found, query


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2026-13-01", "page=x", "subject=nobody@example.net", "subject=@", "since=0001-01-01T00:00%2B14:00"]
)
def test_a_filter_that_cannot_be_is_a_clear_error(console, query):
    page = read(console().get(f"/admin/audit?{query}"))
    assert page.answer.status == 422
    assert 'role="alert"' in page.answer.text
    assert console().get(f"/admin/audit/export.csv?{query}").status in (200 if "page" in query else 404, 422)


def test_the_log_goes_on_page_by_page_and_asks_the_database_little(console, runtime, counts: Counts):
    http = console()
    happen_often(runtime, 120, "many.{:03}")
    seen, address = [], "/admin/audit?outcome=ok"
    while address:
        with counts.measure() as tally:
            page = read(http.get(address))
        assert len(tally.reads) < 10
        seen += [action for action in actions(page) if action.startswith("many.")]
        address = next_page(page)
    assert sorted(seen) == [f"many.{number:03}" for number in range(120)]


def test_stored_markup_is_text(console, runtime):
    happen(
        runtime, "odd", actor=MARKUP, client_id=MARKUP, subject=MARKUP, because=MARKUP, details={MARKUP: MARKUP, "before": {MARKUP: MARKUP}}
    )
    text = console().get("/admin/audit?action=odd").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 7


def exported(http: InProcess, kind: str, query: str = "") -> list[dict[str, str]]:
    answer = http.get(f"/admin/audit/export.{kind}?{query}")
    assert answer.status == 200
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_an_export_has_everything_that_the_filters_let_through(console, runtime, kind):
    http = console()
    happen_often(runtime, 450, "export.me", because='with "quotes", commas\nand lines')
    happen(runtime, "not.me")
    found = exported(http, kind, "action=export.me")
    assert len(found) == 450
    assert {each["action"] for each in found} == {"export.me"}
    details = [json.loads(each["details"]) if kind == "csv" else each["details"] for each in found]
    assert {each["number"] for each in details} == set(range(450))
    assert len(exported(http, kind)) > 450


@pytest.mark.parametrize(("kind", "content_type"), [("csv", "text/csv; charset=utf-8"), ("ndjson", "application/x-ndjson")])
def test_an_export_is_a_file_to_be_kept(console, kind, content_type):
    headers = console().get(f"/admin/audit/export.{kind}").headers
    assert headers["Content-Type"] == content_type
    assert headers["Content-Disposition"] == f'attachment; filename="audit-2026-12-01.{kind}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_an_export_holds_no_connection_while_it_is_sent(console, runtime):
    http = console()
    happen_often(runtime, 450, "many")
    taken: list[int] = []
    event.listen(runtime.engine, "checkout", lambda *_: taken.append(1))
    event.listen(runtime.engine, "checkin", lambda *_: taken.append(-1))
    response = http.client.get("/admin/audit/export.csv", base_url=ISSUER, environ_overrides={"REMOTE_ADDR": http.address})
    body = response.iter_encoded()
    next(body)
    next(body)
    assert sum(taken) == 0
    assert sum(piece.count(b"\r\n") for piece in body) > 0
    response.close()
    assert sum(taken) == 0


def test_there_is_no_other_format(console):
    for kind in ("xlsx", "html", "csv/..", "CSV"):
        assert console().get(f"/admin/audit/export.{kind}").status == 404


@pytest.mark.spec("ASVS 5.0", "1.2.10")
@pytest.mark.parametrize("sign", [*FORMULA, " =", "\n="])
def test_no_cell_is_a_formula(console, runtime, sign):
    happen(runtime, "odd", actor=f"{sign}cmd|'/C calc'!A0", because=f'{sign}HYPERLINK("https://evil.example")')
    (row,) = exported(console(), "csv", "action=odd")
    assert row["actor"] == f"'{sign}cmd|'/C calc'!A0"
    assert row["because"].startswith("'")


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["actor", "because", "details"]), st.text() | st.none() | st.dictionaries(st.text(), st.text())),
        max_size=5,
    )
)
def test_any_text_comes_through_a_file_and_starts_no_formula(documents):
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(documents)), newline="")))
    assert len(rows) == len(documents)
    for row, document in zip(rows, documents, strict=True):
        for name, value in document.items():
            assert not row[name].startswith(FORMULA)
            shown = row[name].removeprefix("'") if isinstance(value, str) and defused(value) != value else row[name]
            assert shown == (value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False))
    assert [json.loads(line) for line in "".join(as_ndjson(documents)).split("\n")[:-1]] == documents


@pytest.mark.parametrize("role", ["owner", "admin", "support", "auditor"])
def test_every_administrator_reads_the_log(console, role):
    http = console(role)
    assert http.get("/admin/audit").status == 200
    assert http.get("/admin/audit/export.ndjson").status == 200


def test_nobody_else_does(http, console, runtime):
    console()
    for path in ("/admin/audit", "/admin/audit/export.csv"):
        assert http.get(path).status == 303


def test_the_page_says_the_same_as_a_call_and_how_long_it_is_kept(console):
    text = read(console().get("/admin/audit?action=sign_in&since=2026-12-01T00:00")).text
    assert "/admin/api/v1/audit-events?action=sign_in&since=2026-12-01T00%3A00" in text
    assert "kept for 90 days" in text
