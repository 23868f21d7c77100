"""`authserver janitor`: what a schedule calls."""

import click

from authserver.admin.janitor import sweep
from authserver.cli.options import as_json
from authserver.cli.output import show
from authserver.cli.place import open_runtime


@click.command()
@as_json
def janitor(as_json: bool) -> None:
    """Delete what has expired and make the keys that are due. Run it hourly; the server does a little of it by itself.

    \b
    Example (crontab):  17 * * * *  authserver janitor
    """
    with open_runtime() as runtime:
        show(sweep(runtime), as_json)
