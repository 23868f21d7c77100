"""`authserver db`: migrations, a check of the tables, and what must happen after a restore."""

import click

from authserver.admin import schema
from authserver.admin.own import migrate
from authserver.admin.restore import void_what_may_be_spent
from authserver.cli.failure import Failure
from authserver.cli.options import as_json
from authserver.cli.output import say, show
from authserver.cli.place import open_runtime, operation
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.schema import HEAD, find_revision


@click.group()
def db() -> None:
    """Tables: upgrade, check, after a restore."""


@db.command()
@as_json
def upgrade(as_json: bool) -> None:
    """Bring the tables to this version's revision. Run it before the new version starts.

    \b
    Example:  authserver db upgrade
    """
    with open_runtime() as runtime:
        before = _revision(runtime)
        migrate(runtime)
        show({"before": before, "revision": _revision(runtime)}, as_json)


@db.command()
@as_json
def check(as_json: bool) -> None:
    """Tell whether the database answers and its tables are as this version needs them. Exit code 1 where not.

    \b
    Example:  authserver db check
    """
    with open_runtime() as runtime:
        revision = _revision(runtime)
        differences = schema.differences(runtime.engine) if revision == HEAD else []
        show({"revision": revision, "needed": HEAD, "differences": [str(one) for one in differences]}, as_json)
    if (revision or "") < HEAD:
        raise Failure("the tables are too old: run authserver db upgrade")
    if differences:
        raise Failure("the tables are not as the migrations made them")


@db.command()
@as_json
def restored(as_json: bool) -> None:
    """Run this once after a backup was restored, before the server starts.

    What was spent, rotated or revoked since the backup would be good again. So this ends every refresh token,
    code, opaque token and browser session: all users sign in again, and clients fetch new tokens.

    \b
    Example:  authserver db restored
    """
    with operation() as work:
        ended = void_what_may_be_spent(work)
    show(ended, as_json)
    if not as_json:
        say("Restart the server, or wait a minute, until all processes know.")


def _revision(runtime: Runtime) -> str | None:
    with transaction(runtime.engine) as database:
        return find_revision(database)
