"""`authserver users import` and `users migration`: people who come from another server, and how far that is."""

from io import TextIOWrapper
from typing import Any, BinaryIO

import click

from authserver.cli.failure import Failure
from authserver.cli.options import as_json
from authserver.cli.output import plain, say, show
from authserver.cli.place import open_runtime, operation

MOST_SHOWN = 1000


@click.command("import")
@click.option("--from", "form", required=True, type=click.Choice(["cognito-csv", "json"]), help="What the file is.")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@as_json
def import_users(form: str, file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Add the people of FILE (- is standard input) who are not here yet, with the `sub` that they have.

    \b
    cognito-csv  the CSV of Cognito's user import; `sub`, `cognito:groups` and `enabled` may be columns too
    json         what `aws cognito-idp list-users` writes; or, as a list or one to a line, objects like
                 {"email": "…", "sub": "…", "name": "…", "groups": […], "password_hash": "$2b$…"}

    Hashes of bcrypt, argon2, PBKDF2 and Firebase's scrypt are verified when their person signs in, and replaced by ours.
    Who has none gets in by a link (users reset-link), or with Cognito's help: AUTHSERVER_COGNITO_USER_POOL.

    People who are here stay as they are, so that a file can be imported again. Who cannot be taken over is named with
    the line, the others are; then the exit code is 1.

    \b
    Examples:
      authserver users import --from cognito-csv users.csv --dry-run
      authserver users import --from json users.json
    """
    from authserver.admin.user_import.run import import_users

    told = _Told(as_json=as_json)
    with open_runtime() as runtime:
        report = import_users(runtime, _entries(form, file), told, dry_run=dry_run)
    figures = {name: getattr(report, name) for name in report.__slots__}
    show({**figures, "dry_run": dry_run, **({"refusals": told.shown} if as_json else {})}, as_json)
    if report.refused:
        raise Failure(f"{report.refused} could not be taken over: put them right and import the file again")


@click.command()
@as_json
def migration(as_json: bool) -> None:
    """Show how many people were taken over, have signed in since, and are still to come.

    \b
    Example:  authserver users migration
    """
    from authserver.admin.user_import.progress import describe_progress

    with operation() as work:
        show(describe_progress(work), as_json)


class _Told:
    """Tells of refusals as they come, or keeps the first thousand of them for the document."""

    def __init__(self, *, as_json: bool) -> None:
        self.shown: list[dict[str, Any]] = []
        self._as_json = as_json

    def __call__(self, refusal: Any) -> None:
        """Take a refusal, whose text may have names out of the file in it."""
        why = plain(refusal.why)
        if not self._as_json:
            say(f"line {refusal.line}: {why}")
        elif len(self.shown) < MOST_SHOWN:
            self.shown.append({"line": refusal.line, "why": why})


def _entries(form: str, file: BinaryIO) -> Any:
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    if form == "json":
        from authserver.admin.user_import.json_file import read_json

        return read_json(text)
    from authserver.admin.user_import.cognito_csv import read_csv

    return read_csv(text)
