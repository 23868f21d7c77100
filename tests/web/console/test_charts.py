"""Charts: whole numbers, colours that stay, images in which nothing runs."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.web.console.charts import CHARTS, DARK, LIGHT, SIZES, Chart, content_policy_of, draw, short, y_lines
from authserver.web.console.periods import MOST_COLUMNS, OTHER, PERIODS, tabulate

NOW = datetime(2026, 12, 1, 12, 34, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Counted:
    label: str
    points: list[tuple[datetime, int]]


def at(hours_ago: int) -> datetime:
    return NOW.replace(minute=0, second=0) - hours_ago * HOUR


def drawn(counted: list[Counted], chart: Chart = CHARTS["tokens"], period: str = "24h", size: str = "wide") -> bytes:
    return draw(chart, PERIODS[period], tabulate(PERIODS[period], NOW, counted, chart.order), size)


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_ends_with_the_step_that_goes_on_now(name: str) -> None:
    steps = PERIODS[name].steps(NOW)
    assert len(steps) == PERIODS[name].count
    assert steps[-1] <= NOW < steps[-1] + PERIODS[name].step
    assert len(set(map(PERIODS[name].label, steps)) - {""}) >= 5


def test_counts_are_laid_out_by_step_and_label() -> None:
    counted = [Counted("refresh_token", [(at(0), 3), (at(23), 4)]), Counted("authorization_code", [(at(1), 5), (at(24), 100)])]
    figures = tabulate(PERIODS["24h"], NOW, counted, ("authorization_code", "refresh_token"))
    assert [(column.label, column.total) for column in figures.columns] == [("authorization_code", 5), ("refresh_token", 7)]
    assert figures.columns[1].values[0] == 4
    assert figures.columns[1].values[-1] == 3
    assert (figures.total, figures.highest) == (12, 5)


def test_a_label_keeps_its_colour_whatever_else_was_counted() -> None:
    order = CHARTS["tokens"].order
    alone = tabulate(PERIODS["24h"], NOW, [Counted("client_credentials", [(at(0), 1)])], order)
    assert [column.colour for column in alone.columns] == [order.index("client_credentials")]


def test_the_smallest_of_many_labels_are_counted_together() -> None:
    counted = [Counted(f"error_{number}", [(at(0), number)]) for number in range(1, 11)]
    figures = tabulate(PERIODS["24h"], NOW, counted)
    assert [column.label for column in figures.columns][:2] == ["error_10", "error_9"]
    assert (figures.columns[-1].label, figures.columns[-1].total) == (OTHER, 1 + 2 + 3)
    assert max(column.colour for column in figures.columns) == MOST_COLUMNS == len(LIGHT) - 1 == len(DARK) - 1


@given(st.integers(0, 10**9))
def test_lines_are_round_whole_and_few(highest: int) -> None:
    lines = y_lines(highest)
    assert lines[0] == 0
    assert lines[-1] >= max(highest, 1)
    assert 2 <= len(lines) <= 5
    assert len({after - before for before, after in pairwise(lines)}) == 1
    assert len(set(map(short, lines))) == len(lines)


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (250, "250"), (1_500, "1.5k"), (20_000, "20k"), (2_500_000, "2.5M")])
def test_round_numbers_are_written_shortly(count: int, text: str) -> None:
    assert short(count) == text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_an_image_in_which_nothing_runs(name: str, period: str, size: str) -> None:
    document = drawn([Counted(label, [(at(2), 7)]) for label in CHARTS[name].order or ("invalid_client",)], CHARTS[name], period, size)
    root = ElementTree.fromstring(document)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "defs", "style", "title", "g", "rect", "path", "text"}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or name in ("style", "href")]
    assert (root.get("width"), root.get("height")) == tuple(map(str, SIZES[size]))
    assert b"http" not in document.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")


def test_a_label_never_becomes_markup() -> None:
    assert b"<b>" not in drawn([Counted("<b>&", [(at(0), 1)])])


def test_there_is_a_bar_for_each_count_and_none_for_nothing() -> None:
    document = drawn([Counted("refresh_token", [(at(0), 3), (at(5), 4)]), Counted("client_credentials", [(at(1), 1)])])
    assert len(re.findall(rb'class="rect', document)) == 3
    assert b'class="rect' not in drawn([])


def test_bars_have_the_colours_of_their_labels_in_light_and_in_dark() -> None:
    document = drawn([Counted("client_credentials", [(at(0), 1)])]).decode()
    place = CHARTS["tokens"].order.index("client_credentials")
    assert f".color-0{{fill:{LIGHT[place]}}}" in document
    assert f".color-0{{fill:{DARK[place]}}}" in document.partition("prefers-color-scheme:dark")[2]


def test_the_policy_of_an_image_lets_in_its_own_style_alone() -> None:
    first, second = drawn([]), drawn([Counted("refresh_token", [(at(0), 3)])])
    policy = content_policy_of(first)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "sandbox" in policy
    assert "unsafe" not in policy
    assert policy != content_policy_of(second)


def test_drawing_leaves_imports_as_they_were() -> None:
    before = list(sys.meta_path)
    drawn([])
    assert sys.meta_path == before
