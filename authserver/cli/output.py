"""Documents shown as JSON, or as a table or lines for people. Data goes to stdout, talk to stderr."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import click

SAMPLE = 200


def show(document: Mapping[str, Any], as_json: bool) -> None:
    """Show one document: its members below one another."""
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    width = max(map(len, document), default=0)
    for name, value in document.items():
        click.echo(f"{name.ljust(width)}  {plain(value)}".rstrip())


def show_all(documents: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Show many documents: as a JSON list, or those columns as a table."""
    if as_json:
        click.echo(json.dumps(list(documents), indent=2, ensure_ascii=False))
        return
    rows = [[plain(document.get(column)) for column in columns] for document in documents]
    if not rows:
        say("None.")
        return
    _table(columns, rows)


def show_many(documents: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Show documents as they come, without holding them: as a JSON list, or a table as wide as its first rows."""
    remaining = iter(documents)
    if as_json:
        _stream_json(remaining)
        return
    first = list(islice(remaining, SAMPLE))
    rest = next(remaining, None)
    show_all(first, columns, as_json=False)
    if rest is None:
        return
    widths = [max(len(plain(document.get(column))) for document in first) for column in columns]
    for document in chain([rest], remaining):
        cells = (plain(document.get(column)).ljust(width) for column, width in zip(columns, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _stream_json(documents: Iterator[Mapping[str, Any]]) -> None:
    begin = "[\n"
    for document in documents:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        click.echo(begin + "\n".join(f"  {line}" for line in text.splitlines()), nl=False)
        begin = ",\n"
    click.echo("[]" if begin == "[\n" else "\n]")


def say(text: str) -> None:
    """Tell the person something that is no data."""
    click.echo(text, err=True)


def plain(value: Any) -> str:
    """Write a value on one line, without anything that a terminal would act on."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str():
            text = value or "-"
        case list() if all(isinstance(item, str) for item in value):
            text = ", ".join(value) or "-"
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else "?" for character in text)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    import sys

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 1000, markup=False, highlight=False, emoji=False)
    table = Table(*(column.replace("_", " ") for column in columns), box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
