"""`authserver diff`, `apply`, `export`: a file that says which APIs, clients and admin roles there are."""

import json
import sys
from pathlib import Path

import click
import yaml

from authserver.admin.configuration.describe import describe, plan_document
from authserver.admin.configuration.document import Wanted, read_document
from authserver.admin.configuration.export import export as write_file
from authserver.admin.configuration.plan import Leftovers, Plan
from authserver.admin.configuration.run import apply_file, compare_file
from authserver.admin.configuration.source import read_source
from authserver.admin.configuration.start import read_wanted
from authserver.cli import options
from authserver.cli.failure import DIFFERENT, Failure
from authserver.cli.options import as_json
from authserver.cli.output import say, show_all
from authserver.cli.place import open_runtime, operation

STDIN = "stdin"


def file_options(command: options.Command) -> options.Command:
    """Add the options that name the file, and what becomes of what it no longer names."""
    for option in reversed(FILE_OPTIONS):
        command = option(command)
    return command


FILE_OPTIONS = (
    click.option(
        "-f", "--file", "file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The file; - for standard input."
    ),
    click.option("--prune", is_flag=True, help="Delete what the file owns and no longer names."),
    click.option("--release", is_flag=True, help="Give up what the file owns and no longer names, instead of deleting it."),
)


@click.command()
@file_options
@as_json
def diff(file: Path, prune: bool, release: bool, as_json: bool) -> None:
    """Show what `apply` would do, and change nothing. Exit code 0 where file and database agree, 6 where they differ.

    What nobody owns yet is shown as taken over; that alone is no difference. All that would go wrong with `apply` goes
    wrong here too. A secret is shown by where it comes from alone.

    \b
    Examples:
      authserver diff -f clients.yaml
      authserver diff -f clients.yaml --prune --json
    """
    leftovers, wanted = read_leftovers(prune, release), read(file)
    with open_runtime() as runtime:
        plan = compare_file(runtime, wanted, leftovers)
    show_plan(wanted, plan, as_json)
    if plan.has_difference:
        raise click.exceptions.Exit(DIFFERENT)


@click.command()
@file_options
@click.option("--yes", is_flag=True, help="Delete without asking. Nobody is asked where there is no terminal.")
@as_json
def apply(file: Path, prune: bool, release: bool, yes: bool, as_json: bool) -> None:
    """Make the database what the file says, in one transaction: all of it or, after an error, nothing.

    Nothing is deleted without --prune, and only what the file owns: what it named before. It owns from now on what it
    names; what another file owns is an error. Secrets that are made are shown this once. AUTHSERVER_APPLY=FILE applies
    a file at every start of the server.

    \b
    Examples:
      authserver apply -f clients.yaml
      authserver apply -f clients.yaml --prune --yes
      authserver export | authserver apply -f - --json
    """
    leftovers, wanted = read_leftovers(prune, release), read(file)
    asks = sys.stdin.isatty() and not yes
    with open_runtime() as runtime:
        applied = apply_file(runtime, wanted, leftovers, confirm if asks else lambda _plan: True)
    if applied is None:
        raise Failure("nothing was changed")
    if as_json:
        click.echo(json.dumps(plan_document(wanted.name, applied.plan) | {"secrets": applied.secrets}, indent=2, ensure_ascii=False))
        return
    show_plan(wanted, applied.plan, as_json)
    if applied.secrets:
        made = [{"client_id": client_id, "client_secret": secret} for client_id, secret in applied.secrets.items()]
        show_all(made, ("client_id", "client_secret"), as_json)
        say("Keep the secrets now: they are not shown again.")


@click.command()
@click.option("--name", default="", help="What this file owns, and what nobody owns; needed where several files own something.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, which must not be there yet.")
@as_json
def export(name: str, output: Path | None, as_json: bool) -> None:
    """Write APIs, clients and admin roles as a file for `apply`, without secrets. Applied here it changes nothing.

    The first line tells editors to look at clients.schema.json, which `authserver config schema` writes.

    \b
    Examples:
      authserver export > clients.yaml
      authserver export --name shop -o shop.yaml
    """
    with operation() as work:
        parts = write_file(work, name)
        if as_json:
            click.echo(json.dumps(yaml.safe_load("".join(parts)), indent=2, ensure_ascii=False))
        elif output is None:
            for part in parts:
                click.echo(part, nl=False)
        else:
            write_new(output, "".join(parts))


def read(file: Path) -> Wanted:
    """Read a file, or standard input. Raises BadFile, SettingsError."""
    if str(file) == "-":
        return read_document(read_source(sys.stdin.buffer.read(), STDIN), "")
    return read_wanted(file)


def read_leftovers(prune: bool, release: bool) -> Leftovers:
    """Say what becomes of what the file no longer names."""
    if prune and release:
        raise click.UsageError("--prune deletes what --release gives up: choose one")
    return "delete" if prune else "release" if release else "leave"


def show_plan(wanted: Wanted, plan: Plan, as_json: bool) -> None:
    """Show a plan."""
    if as_json:
        click.echo(json.dumps(plan_document(wanted.name, plan), indent=2, ensure_ascii=False))
        return
    for line in describe(plan):
        click.echo(line)


def confirm(plan: Plan) -> bool:
    """Show a plan that deletes something and ask."""
    if not any(step.action == "delete" for step in plan.steps):
        return True
    for line in describe(plan):
        say(line)
    return click.confirm("Go on?", err=True)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
