"""`authserver token`: look into a token that comes in by standard input, never by argument."""

import click

from authserver.admin.tokens import inspect as look_into
from authserver.cli import options
from authserver.cli.options import as_json
from authserver.cli.output import show
from authserver.cli.place import operation


@click.group()
def token() -> None:
    """Look into a token."""


@token.command()
@as_json
def inspect(as_json: bool) -> None:
    """Decode a token from standard input and, if it is ours, verify it: is it good, and if not, why?

    Takes access tokens, ID tokens, refresh tokens, and JWTs of others, which are decoded alone.

    \b
    Example:  authserver token inspect < token.txt
    """
    presented = options.read_secret().strip()
    with operation() as work:
        show(look_into(work, presented), as_json)
