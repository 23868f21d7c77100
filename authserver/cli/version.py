"""`authserver version`."""

import platform
from importlib.metadata import version as version_of

import click

from authserver.cli.options import as_json
from authserver.cli.output import show
from authserver.store.schema import HEAD


@click.command()
@as_json
def version(as_json: bool) -> None:
    """Show the version of the program, of its tables, and of what it stands on.

    \b
    Example:  authserver version --json
    """
    libraries = {name: version_of(name) for name in ("authlib", "joserfc", "cryptography", "sqlalchemy", "flask", "granian")}
    show({"authserver": version_of("authserver"), "tables": HEAD, "python": platform.python_version(), **libraries}, as_json)
