"""`authserver audit`: who did what to whom, from where, and with what outcome."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click

from authserver.admin.audit import FILTERS, every_event
from authserver.admin.audit_export import as_csv, as_ndjson
from authserver.admin.documents import event_document
from authserver.admin.operation import Operation
from authserver.cli import options
from authserver.cli.options import as_json
from authserver.cli.output import show_all
from authserver.cli.place import operation
from authserver.runtime.settings import parse_duration

WRITERS: dict[str, Callable[[Iterator[dict[str, Any]]], Iterator[str]]] = {"ndjson": as_ndjson, "csv": as_csv}


class When(click.ParamType[Any]):
    """An instant (2026-12-01, 2026-12-01T08:30, of UTC), or how long ago (90m, 24h, 14d)."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        """Read the text."""
        try:
            return parse_duration(value)
        except ValueError:
            pass
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self.fail("must be an instant like 2026-12-01T08:30, or how long ago like 24h", param, ctx)
        return read if read.tzinfo else read.replace(tzinfo=UTC)


def filter_options(command: options.Command) -> options.Command:
    """Add the options that filter events."""
    for option in reversed(FILTER_OPTIONS):
        command = option(command)
    return command


FILTER_OPTIONS = (
    click.option("--action", default="", help="What was done: client.update, sign_in, …"),
    click.option("--actor", default="", help="Who did it: cli, file:NAME, an administrator's email, a client's id."),
    click.option("--client", "client_id", default="", metavar="ID", help="To which client, or by which."),
    click.option("--subject", default="", metavar="ID", help="The user whom it concerned."),
    click.option("--outcome", default="", help="ok, refused, …"),
    click.option("--request-id", default="", help="The request, as pages and logs name it."),
    click.option("--since", type=When(), metavar="WHEN", help="Not before: 2026-12-01, 2026-12-01T08:30 (UTC), or 24h for a day ago."),
    click.option("--until", type=When(), metavar="WHEN", help="Before."),
)


@click.group()
def audit() -> None:
    """Who did what to whom."""


@audit.command("list")
@filter_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="At most so many, the newest.")
@as_json
def list_(limit: int, as_json: bool, **given: Any) -> None:
    """List events, the newest first; with --json each has all its details, such as what a change was before and after.

    \b
    Examples:
      authserver audit list --action client.update --since 24h
      authserver audit list --subject 3f2c9a4e-6b1d-4c58-9a53-0d6b7f3c1e22 --json
    """
    with operation() as work:
        documents = list(islice(find_events(work, given), limit))
    show_all(documents, ("at", "action", "outcome", "actor", "client_id", "subject", "because"), as_json)


@audit.command()
@filter_options
@click.option(
    "--format", "kind", default="ndjson", show_default=True, type=click.Choice(list(WRITERS)), help="One JSON document a line, or CSV."
)
def export(kind: str, **given: Any) -> None:
    """Write all events that match to standard output, the newest first.

    \b
    Example:  authserver audit export --since 30d --format csv > audit.csv
    """
    with operation() as work:
        for piece in WRITERS[kind](find_events(work, given)):
            click.echo(piece, nl=False)


def find_events(work: Operation, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events that the options let through."""
    filters = {name: given[name] for name in FILTERS}
    for event in every_event(work, since=read_when(work, given["since"]), until=read_when(work, given["until"]), **filters):
        yield event_document(event)


def read_when(work: Operation, given: datetime | timedelta | None) -> datetime | None:
    """Return the instant that an option names."""
    return work.now() - given if isinstance(given, timedelta) else given
