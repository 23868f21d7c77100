"""`authserver apis`: APIs (resource servers, RFC 6749 section 1.1) that accept this server's tokens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from authserver.admin import resource_servers as admin
from authserver.admin.documents import resource_server_document
from authserver.cli import options
from authserver.cli.options import Duration, as_json
from authserver.cli.output import show, show_all
from authserver.cli.place import operation
from authserver.crypto.jose import ALGORITHMS


@click.group()
def apis() -> None:
    """APIs that accept this server's tokens."""


def token_options(command: options.Command) -> options.Command:
    """Add the options that describe an API's tokens."""
    for option in reversed(TOKEN_OPTIONS):
        command = option(command)
    return command


TOKEN_OPTIONS = (
    options.many("--scope", "scopes", "NAME=TEXT", "A scope, and what users read about it."),
    click.option("--alg", "signing_alg", type=click.Choice(ALGORITHMS), help="What signs its tokens [default: RS256, which AWS needs]."),
    click.option("--format", "token_format", type=click.Choice(["jwt", "opaque"]), help="Opaque ones are introspected [default: jwt]."),
    click.option("--lifetime", type=Duration(), help="Life of its tokens, like 10m; 0 takes the server's."),
    options.many("--claim", "claims", "NAME=ATTRIBUTE", "A claim in its tokens, from the user's or client's attribute."),
    options.many("--introspected-by", "introspected_by", "CLIENT", "A client that may introspect its tokens (RFC 7662)."),
)


@apis.command()
@click.option("--identifier", required=True, metavar="URL", help="The audience of its tokens: an absolute URI, not necessarily an address.")
@click.option("--name", required=True, help="What users read when they are asked to consent.")
@token_options
@as_json
def create(identifier: str, name: str, as_json: bool, **given: Any) -> None:
    """Register an API. Give clients the right to ask for it with `clients update ID --api URL`.

    \b
    Example:
      authserver apis create --identifier https://api.example.com --name Orders \\
          --scope "orders:read=See your orders" --claim roles=roles --lifetime 5m
    """
    with operation() as work:
        show(resource_server_document(admin.create_resource_server(work, identifier, name, read_values(given))), as_json)


@apis.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List all APIs.

    \b
    Example:  authserver apis list
    """
    with operation() as work:
        documents = [resource_server_document(api) | {"scopes": list(api.scopes)} for api in admin.every_resource_server(work)]
    show_all(documents, ("identifier", "name", "scopes", "format", "alg"), as_json)


@apis.command()
@click.argument("identifier")
@as_json
def get(identifier: str, as_json: bool) -> None:
    """Show an API.

    \b
    Example:  authserver apis get https://notes.example.com
    """
    with operation() as work:
        show(resource_server_document(admin.get_resource_server(work, identifier)), as_json)


@apis.command()
@click.argument("identifier")
@click.option("--name", help="What users read when they are asked to consent.")
@token_options
@as_json
def update(identifier: str, name: str | None, as_json: bool, **given: Any) -> None:
    """Change an API. The scopes, claims or introspecting clients that are given replace all those before.

    \b
    Example:  authserver apis update https://notes.example.com --lifetime 5m --alg ES256
    """
    values = read_values(given) | ({} if name is None else {"name": name})
    if not values:
        raise click.UsageError("say what to change; see authserver apis update --help")
    with operation() as work:
        show(resource_server_document(admin.change_resource_server(work, identifier, values)), as_json)


@apis.command()
@click.argument("identifier")
@as_json
def delete(identifier: str, as_json: bool) -> None:
    """Delete an API that no client may ask for any more.

    \b
    Example:  authserver apis delete https://notes.example.com
    """
    with operation() as work:
        admin.delete_resource_server(work, identifier)
    show({"deleted": identifier}, as_json)


def read_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the columns from the options that were given."""
    values = {name: given[name] for name in ("signing_alg", "token_format") if given[name]}
    for name, option in (("scopes", "--scope"), ("claims", "--claim")):
        if given[name]:
            values[name] = options.read_pairs(given[name], option)
    if given["introspected_by"]:
        values["introspected_by"] = list(given["introspected_by"])
    lifetime: timedelta | None = given["lifetime"]
    if lifetime is not None:
        values["token_lifetime_seconds"] = int(lifetime.total_seconds()) or None
    return values
