"""Options and arguments that several commands share, and how their texts become values."""

import json
import sys
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from authserver.admin.paging import Page
from authserver.runtime.settings import parse_duration

Row = TypeVar("Row")
Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Show JSON instead of text.")
SEARCH = click.option("--q", default="", metavar="TEXT", help="Found by the beginning of a word of the name, or of the id, host or email.")
STATUS = click.option("--status", type=click.Choice(["enabled", "disabled"]), help="Only those that are.")
LIMIT = click.option("--limit", type=click.IntRange(1), help="At most so many.")
sets = click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Set a value; null removes it. Can be repeated.")


def every_page(page: Callable[[str], Page[Row]]) -> Iterator[Row]:
    """Yield the rows of `page("")`, then of the page behind it, and so on."""
    token: str | None = ""
    while token is not None:
        found = page(token)
        yield from found.rows
        token = found.next


def many(option: str, name: str, metavar: str, text: str) -> Callable[[Command], Command]:
    """Make an option that can be repeated."""
    return click.option(option, name, multiple=True, metavar=metavar, help=f"{text} Can be repeated.")


class Duration(click.ParamType[timedelta]):
    """A span like 90 (seconds), 10m, 24h or 14d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the text."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read_assignments(assignments: Collection[str], texts: Collection[str], option: str = "--set") -> dict[str, Any]:
    """Read `key=value` texts; a value is JSON where it parses as JSON and its key is not one of `texts`."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"must be written key=value, not {assignment!r}", param_hint=option)
        if key in values:
            raise click.BadParameter(f"{key} is given twice", param_hint=option)
        values[key] = None if value == "null" else value if key in texts else _json_or_text(value)
    return values


def read_pairs(assignments: Collection[str], option: str) -> dict[str, str]:
    """Read `name=text` texts."""
    pairs = read_assignments(assignments, [assignment.partition("=")[0] for assignment in assignments], option)
    return {name: "" if value is None else value for name, value in pairs.items()}


def read_secret() -> str:
    """Read a secret from standard input: one line, its end not included."""
    try:
        secret = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError("what came on standard input is not UTF-8") from None
    if not secret:
        raise click.UsageError("expected it on standard input, on one line")
    return secret


def read_json_file(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} is no JSON file: {error}") from None


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
