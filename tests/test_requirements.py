"""Every security statement in scope has its tests, and every test that is named exists."""

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
REQUIREMENTS = tomllib.loads((TESTS / "requirements.toml").read_text())


def ids(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{number}" for number in range(first, last + 1)]


IN_SCOPE = [
    *ids("A", 1, 11),
    *ids("T", 1, 14),
    *ids("R", 1, 9),
    *ids("C", 1, 7),
    *ids("U", 1, 5),
    *ids("K", 1, 7),
    *ids("L", 3, 6),
    *ids("S", 1, 8),
    *ids("N", 1, 5),
    *ids("O", 1, 3),
    *ids("P", 1, 6),
    *ids("H", 1, 3),
    *ids("D", 1, 7),
]


@cache
def names_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_statement_in_scope_is_listed_and_no_other():
    assert sorted(REQUIREMENTS) == sorted(IN_SCOPE)


@pytest.mark.parametrize("statement", IN_SCOPE)
def test_a_statement_has_tests_or_a_reason(statement):
    entry = REQUIREMENTS[statement]
    assert entry["statement"]
    assert bool(entry.get("tests")) != bool(entry.get("reason")), f"{statement} needs tests, or a reason why it does not apply"


@pytest.mark.parametrize("statement", IN_SCOPE)
def test_the_tests_of_a_statement_exist(statement):
    for test in REQUIREMENTS[statement].get("tests", ()):
        path, _, name = test.partition("::")
        assert name.split("::")[-1] in names_in(TESTS / path), test
