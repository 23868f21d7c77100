"""`authserver config`: every setting, its value, and where it came from, secrets masked; and the schema of `apply`'s file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import click

from authserver.cli.options import as_json
from authserver.cli.output import show_all
from authserver.cli.place import find_sources
from authserver.runtime.settings import PREFIX, Settings, Source, convert, format_value

MASK = "***"


@click.group()
def config() -> None:
    """Settings and where they come from."""


@config.command()
@as_json
def show(as_json: bool) -> None:
    """Show every setting, its value and where it came from. Secrets are masked.

    \b
    Example:  authserver config show
    """
    sources = find_sources()
    documents = list(describe(convert(sources), sources))
    columns = ("setting", "value", "from")
    show_all(documents if as_json else [{name: one[name] for name in columns} for one in documents], columns, as_json)


@config.command()
def schema() -> None:
    """Write the JSON Schema of the file that `apply` takes, for editors; the first line of `export` names it.

    \b
    Example:  authserver config schema > clients.schema.json
    """
    from authserver.admin.configuration.fields import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def describe(settings: Settings, sources: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    """Yield each setting with its value as it is written, its origin and what it is for."""
    for item in fields(Settings):
        value = format_value(getattr(settings, item.name))
        yield {
            "setting": f"{PREFIX}{item.name.upper()}",
            "value": masked(value) if item.metadata["secret"] else value,
            "from": sources[item.name].origin if item.name in sources else "default",
            "meaning": item.metadata["doc"],
        }


def masked(value: str) -> str:
    """Write a secret setting: of a URL, all but what opens anything."""
    url = re.fullmatch(r"([a-z0-9+]+://)([^/?]*@)?([^?]*)(\?.*)?", value)
    if url is None:
        return MASK if value else ""
    return url[1] + (f"{MASK}@" if url[2] else "") + url[3] + (f"?{MASK}" if url[4] else "")
