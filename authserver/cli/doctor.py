"""`authserver doctor`: what is wrong with the settings and the database, or with a server at a URL, and what to change (RFC 9700)."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from authserver.admin.doctor.catalogue import examine_configuration, examine_deployment, examine_settings
from authserver.admin.doctor.deployment import Deployment, Visitor
from authserver.admin.doctor.finding import Outcome, Report
from authserver.admin.doctor.template import Template, read_template
from authserver.cli.options import as_json, many, read_secret
from authserver.cli.output import plain, show
from authserver.cli.place import find_settings, open_runtime
from authserver.runtime.settings import SettingsError, environ

FAILED = 1
COLORS: dict[Outcome, str] = {"error": "red", "warning": "yellow"}
CLIENT_ID, CLIENT_SECRET = "DOCTOR_CLIENT_ID", "DOCTOR_CLIENT_SECRET"
NEEDS_URL = ("client_id", "secret_stdin", "redirect_uri", "connect_to", "ca")


@click.command()
@click.option("--url", metavar="ISSUER", help="Look at the server of this issuer from outside, in place of the settings and database.")
@click.option("--aws", is_flag=True, help="Also look at what API Gateway, IAM, Cognito, AppSync and load balancers demand.")
@many("--template", "templates", "FILE", "A serverless.yml or CloudFormation template that names the server.")
@click.option("--client-id", default="", metavar="ID", help="With --url: a client to fetch a token, or a refusal, with.")
@click.option("--secret-stdin", is_flag=True, help="Read that client's secret from standard input.")
@click.option("--redirect-uri", default="", metavar="URI", help="A redirect URI of the client, to look at an authorization response.")
@click.option("--connect-to", default="", metavar="HOST[:PORT]", help="With --url: connect there, as before a change of DNS.")
@click.option("--ca", default="", metavar="FILE", help="With --url: trust these authorities (PEM) instead of the system's.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings as well.")
@as_json
def doctor(url: str | None, aws: bool, templates: tuple[str, ...], strict: bool, as_json: bool, **lent: Any) -> None:
    """Look for what is wrong with the settings and the database, or with a server, and say what to change.

    Changes nothing. Exit code 0 where there is no error, 1 where there is one. A client can also come by the
    environment, as DOCTOR_CLIENT_ID and DOCTOR_CLIENT_SECRET.

    \b
    Examples:
      authserver doctor
      authserver doctor --aws --template serverless.yml
      authserver doctor --url https://login.example.com --aws --strict
      authserver doctor --url https://login.example.com --client-id ci --secret-stdin --json < secret.txt
    """
    files = [read_template(Path(name)) for name in templates]
    if url is None:
        _refuse_without_url(lent)
        report = _look_inside(aws, files)
    else:
        report = examine_deployment(_deployment(url, lent), aws=aws, templates=files)
    if as_json:
        show(report.document(), as_json)
    else:
        for line in lines(report):
            click.echo(line)
    if report.has_failed(strict=strict):
        raise click.exceptions.Exit(FAILED)


def lines(report: Report) -> Iterator[str]:
    """Write a report for people: problems first, then what was left out and why, then a summary."""
    for (outcome, name, fix, section), found in groupby(report.findings, key=lambda one: (one.outcome, one.id, one.fix, one.section)):
        if outcome in COLORS:
            yield click.style(f"{outcome.ljust(8)} {name}", fg=COLORS[outcome])
            yield from (f"         {plain(one.about) + ': ' if one.about else ''}{plain(one.reason)}" for one in found)
            yield f"         Change: {fix}\n         See:    {section}\n"
    left_out = [finding for finding in report.findings if finding.outcome == "skipped"]
    for reason in dict.fromkeys(finding.reason for finding in left_out):
        yield f"skipped  {', '.join(dict.fromkeys(one.id for one in left_out if one.reason == reason))}: {plain(reason)}"
    looked = len({finding.id for finding in report.findings if finding.outcome != "skipped"})
    counts = ", ".join(_counted(report.count(outcome), outcome) for outcome in COLORS)
    yield f"{_counted(looked, 'check')} of {report.target or 'the settings'}: {counts}; {report.count('skipped')} skipped."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _look_inside(aws: bool, templates: list[Template]) -> Report:
    try:
        with open_runtime(find_settings()) as runtime:
            return examine_configuration(runtime, aws=aws, templates=templates)
    except SettingsError as refused:
        return examine_settings(str(refused))


def _refuse_without_url(lent: dict[str, Any]) -> None:
    for name in NEEDS_URL:
        if lent[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} is of use beside --url alone")


def _deployment(url: str, lent: dict[str, Any]) -> Deployment:
    variables = environ()
    secret = read_secret() if lent["secret_stdin"] else variables.get(CLIENT_SECRET, "")
    visitor = Visitor(client_id=lent["client_id"] or variables.get(CLIENT_ID, ""), client_secret=secret, redirect_uri=lent["redirect_uri"])
    return Deployment(url, visitor=visitor, connect_to=lent["connect_to"], ca=lent["ca"])
