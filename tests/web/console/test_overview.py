"""The overview: figures and charts of a period, keys, tables, and the first steps on a new server."""

import re
from xml.etree import ElementTree

import pytest

from authserver.runtime import Runtime
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import make_client, make_resource_server, make_user
from tests.pages import read
from tests.web.console.people import count_figures


def test_a_new_server_says_what_to_do_first(console):
    page = read(console().get("/admin"))
    assert "First steps" in page.text
    for path in ("/admin/applications/new", "/admin/apis/new", "/admin/users/invite"):
        assert any(link.endswith(path) for link in page.links), path
    for text in ("fetched no tokens in this period", "Nothing was refused in this period"):
        assert text in page.text


def test_a_step_that_is_done_says_so_and_leads_nowhere(console, runtime):
    http = console()
    make_client(runtime)
    make_resource_server(runtime)
    make_user(runtime)
    page = read(http.get("/admin"))
    assert page.answer.text.count('<span class="badge good">done</span>') == 3
    assert not any(link.endswith("/admin/applications/new") for link in page.links)


def test_the_first_steps_go_when_tokens_flow(console, runtime):
    http = console()
    count_figures(runtime, tokens={"client_credentials": 1})
    assert "First steps" not in read(http.get("/admin")).text


def test_who_may_not_register_is_not_sent_to(console):
    page = read(console("auditor").get("/admin"))
    assert "First steps" in page.text
    assert not any(link.endswith(("/new", "/invite")) for link in page.links)


def test_the_figures_of_the_period_are_summed(console, runtime: Runtime, clock: Clock):
    count_figures(runtime, tokens={"refresh_token": 1000, "client_credentials": 234}, sign_ins={"ok": 90, "refused": 9, "limited": 1})
    count_figures(runtime, refusals={"invalid_client": 5, "bad_redirect_uri": 2})
    clock.advance(days=2)
    http = console()
    assert "Tokens 0 in 24 hours" in read(http.get("/admin")).text
    for period in ("7d", "30d"):
        text = read(http.get(f"/admin?period={period}")).text
        assert "Tokens 1,234 in" in text
        assert "Failed sign-ins 10 10.0 % of all attempts" in text
        assert "Refused requests 7 most: invalid_client" in text
        assert "refresh_token 1,000 client_credentials 234 Together 1,234" in text


def test_each_chart_has_its_table(console, runtime: Runtime):
    http = console()
    count_figures(runtime, tokens={"refresh_token": 77}, sign_ins={"ok": 5}, refusals={"invalid_scope": 3})
    text = http.get("/admin").text
    assert len(re.findall(r"<img [^>]*alt=\"Bar chart of [^\"]+\"", text)) == 3
    tables = [part.partition("</table>")[0] for part in text.split("<caption")[1:]]
    rows = next(table for table in tables if "Tokens by grant, each hour" in table)
    assert rows.count("<tr>") == 1 + 24
    assert sum(int(number) for number in re.findall(r'<td class="number">(\d+)</td>', rows)) == 77


@pytest.mark.parametrize("name", ["tokens", "sign_ins", "refusals"])
def test_a_chart_is_an_image_with_a_policy_of_its_own(console, runtime: Runtime, name: str):
    count_figures(runtime, **{name: {"refused": 3, "<b>": 1}})
    for size in ("wide", "narrow"):
        answer = console().get(f"/admin/charts/{name}.svg?period=7d&size={size}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert ElementTree.fromstring(answer.body).tag.endswith("svg")
        assert b"<script" not in answer.body


@pytest.mark.parametrize("path", ["/admin/charts/users.svg", "/admin/charts/tokens.svg?size=huge", "/admin/charts/..svg"])
def test_there_is_no_other_chart(console, path: str):
    assert console().get(path).status == 404


def test_a_period_that_is_none_is_the_usual_one(console):
    assert "in 24 hours" in read(console().get("/admin?period=<script>")).text


def test_keys_are_shown_with_their_age_and_their_next_one(console, clock: Clock):
    clock.advance(days=10)
    text = read(console().get("/admin")).text
    assert "RS256 10 days 2027-03-01" in text


def test_tables_version_and_migration_are_shown(console):
    text = read(console().get("/admin")).text
    for part in ("audit_events", "users", "Version 0.1.0", "Migration 0002", "sqlite"):
        assert part in text


@pytest.mark.parametrize(("role", "sees_keys"), [("owner", True), ("admin", True), ("auditor", True), ("support", False)])
def test_each_role_sees_what_it_may(console, role: str, sees_keys: bool):
    page = read(console(role).get("/admin"))
    assert page.answer.status == 200
    assert ("How long each has been signing" in page.text) == sees_keys


def test_nobody_sees_figures_without_signing_in(http):
    for path in ("/admin", "/admin/charts/tokens.svg"):
        assert http.get(path).status == 303


def test_the_overview_asks_the_database_little(console, runtime: Runtime, counts: Counts):
    http = console()
    count_figures(runtime, tokens={"refresh_token": 1})
    with counts.measure() as tally:
        http.get("/admin")
    assert len(tally.reads) < 20
    assert tally.writes == []


NOTES = ("Each process counts for itself", "CloudWatch makes metrics of")


def test_the_charts_say_where_their_figures_come_from(console):
    text = read(console().get("/admin")).text
    assert [note in text for note in NOTES] == [True, False]


@pytest.mark.databases("postgresql")
@pytest.mark.settings(on_lambda=True)
def test_on_lambda_the_charts_say_that_the_figures_are_elsewhere(console):
    text = read(console().get("/admin")).text
    assert [note in text for note in NOTES] == [False, True]
