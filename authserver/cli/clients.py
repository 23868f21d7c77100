"""`authserver clients`: applications and services that use this server (metadata as in RFC 7591 section 2)."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click

from authserver.admin import clients as admin
from authserver.admin.client_secrets import rotate_secret as rotate
from authserver.admin.documents import client_document
from authserver.admin.paging import MOST
from authserver.cli import options
from authserver.cli.options import LIMIT, SEARCH, STATUS, Duration, as_json, every_page
from authserver.cli.output import say, show, show_many
from authserver.cli.place import operation
from authserver.oauth.client_metadata import CONFIDENTIAL_METHODS, TEXT_FIELDS
from authserver.oauth.client_registration import PROFILES

METHODS = [*CONFIDENTIAL_METHODS, "none"]
TEXTS = TEXT_FIELDS | {"client_name"}


@click.group()
def clients() -> None:
    """Applications and services that use this server."""


def metadata_options(command: options.Command) -> options.Command:
    """Add the options that set metadata."""
    for option in reversed(METADATA_OPTIONS):
        command = option(command)
    return command


METADATA_OPTIONS = (
    options.many("--redirect-uri", "redirect_uris", "URI", "Where users come back to."),
    options.many("--post-logout-redirect-uri", "post_logout_redirect_uris", "URI", "Where they go after signing out."),
    options.many("--allowed-origin", "allowed_origins", "ORIGIN", "Another origin whose pages may call (app shells)."),
    options.many("--api", "apis", "IDENTIFIER", "An API to ask tokens for; the first is the default."),
    click.option("--scope", metavar='"A B"', help="Scopes that may be asked for; else OpenID Connect's and all of its APIs."),
    click.option("--auth-method", "token_endpoint_auth_method", type=click.Choice(METHODS), help="How it authenticates."),
    click.option("--jwks", type=click.Path(path_type=Path), metavar="FILE", help="Public keys for private_key_jwt, a JSON Web Key Set."),
    options.sets,
)


@clients.command()
@click.option("--kind", required=True, type=click.Choice(list(PROFILES)), help="Decides grants, authentication and redirect URIs.")
@click.option("--name", required=True, help="What users read when they are asked to consent.")
@click.option("--client-id", metavar="ID", help="Keep the id that the client has elsewhere.")
@click.option("--secret-stdin", is_flag=True, help="Keep its secret too: read it from standard input.")
@metadata_options
@as_json
def create(kind: str, name: str, client_id: str | None, secret_stdin: bool, as_json: bool, **given: Any) -> None:
    """Register a client. Its secret, if it has one, is shown this once.

    \b
    Examples:
      authserver clients create --kind spa --name Notes --redirect-uri https://notes.example.com/callback
      authserver clients create --kind service --name Billing --api https://notes.example.com
      authserver clients create --kind web --name Wiki --redirect-uri https://wiki.example.com/cb --set require_pkce=false
      authserver clients create --kind web --name Shop --redirect-uri https://shop.example.com/cb \\
          --client-id shop --secret-stdin < shop.secret
    """
    values = read_metadata(given)
    secret = options.read_secret() if secret_stdin else None
    with operation() as work:
        issued = admin.create_client(work, kind, name, values, client_id=client_id, secret=secret)
    show_issued(issued, as_json, show_secret=not secret_stdin)


@clients.command("list")
@SEARCH
@click.option("--kind", type=click.Choice(list(PROFILES)), help="Only of this kind.")
@STATUS
@LIMIT
@as_json
def list_(q: str, kind: str | None, status: str | None, limit: int | None, as_json: bool) -> None:
    """List clients: all by id, or those that are found. However many they are, they are shown as they come.

    \b
    Examples:
      authserver clients list --json
      authserver clients list --q notes --kind spa --status enabled --limit 20
    """
    with operation() as work:
        sought = {"q": q, "kind": kind or "", "status": status or ""}
        found = every_page(lambda token: admin.page_of_clients(work, **sought, page_token=token, page_size=MOST))
        listed = found if any(sought.values()) else admin.every_client(work)
        documents = (_without_secrets(client_document(client)) for client in islice(listed, limit))
        show_many(documents, ("client_id", "kind", "client_name", "enabled", "token_endpoint_auth_method", "apis"), as_json)


@clients.command()
@click.argument("client_id")
@as_json
def get(client_id: str, as_json: bool) -> None:
    """Show a client.

    \b
    Example:  authserver clients get demo-spa
    """
    with operation() as work:
        show(client_document(admin.get_client(work, client_id)), as_json)


@clients.command()
@click.argument("client_id")
@click.option("--name", help="What users read when they are asked to consent.")
@metadata_options
@as_json
def update(client_id: str, name: str | None, as_json: bool, **given: Any) -> None:
    """Change a client. A list that is given replaces the one before; key=null takes a value back to its default.

    \b
    Examples:
      authserver clients update demo-web --redirect-uri https://a.example.com/cb --redirect-uri https://b.example.com/cb
      authserver clients update demo-web --set refresh_token_lifetime=2592000 --set policy_uri=https://example.com/privacy
    """
    values = read_metadata(given)
    if name is not None:
        values["client_name"] = name
    if not values:
        raise click.UsageError("say what to change; see authserver clients update --help")
    with operation() as work:
        issued = admin.update_client_metadata(work, client_id, values)
    show_issued(issued, as_json)


@clients.command()
@click.argument("client_id")
@as_json
def disable(client_id: str, as_json: bool) -> None:
    """Refuse a client from now on; its users' grants to it end.

    \b
    Example:  authserver clients disable demo-web
    """
    with operation() as work:
        show(client_document(admin.disable_client(work, client_id)), as_json)


@clients.command()
@click.argument("client_id")
@as_json
def enable(client_id: str, as_json: bool) -> None:
    """Serve a client again; its users sign in anew.

    \b
    Example:  authserver clients enable demo-web
    """
    with operation() as work:
        show(client_document(admin.enable_client(work, client_id)), as_json)


@clients.command()
@click.argument("client_id")
@as_json
def delete(client_id: str, as_json: bool) -> None:
    """Delete a client with all that belongs to it. There is no way back; `disable` has one.

    \b
    Example:  authserver clients delete demo-web
    """
    with operation() as work:
        admin.delete_client(work, client_id)
    show({"deleted": client_id}, as_json)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap", type=Duration(), default="7d", show_default=True, help="How long the secret before still works; 0 for no longer."
)
@click.option("--secret-stdin", is_flag=True, help="Read the new secret from standard input.")
@as_json
def rotate_secret(client_id: str, overlap: timedelta, secret_stdin: bool, as_json: bool) -> None:
    """Make a new secret, shown this once; the one before works for a while, so that nothing breaks meanwhile.

    \b
    Example:  authserver clients rotate-secret demo-service --overlap 24h
    """
    secret = options.read_secret() if secret_stdin else None
    with operation() as work:
        made = rotate(work, admin.get_client(work, client_id), overlap, secret)
        issued = admin.Issued(admin.get_client(work, client_id), made)
    show_issued(issued, as_json, show_secret=not secret_stdin)


def read_metadata(given: Mapping[str, Any]) -> dict[str, Any]:
    """Gather metadata from the options that were given and from --set, which wins."""
    values: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if name != "assignments" and value
    }
    if "jwks" in values:
        values["jwks"] = options.read_json_file(values["jwks"])
    return {**values, **options.read_assignments(given["assignments"], TEXTS)}


def show_issued(issued: admin.Issued, as_json: bool, *, show_secret: bool = True) -> None:
    """Show a client and the secret that was made for it."""
    document = client_document(issued.client)
    if issued.secret is None or not show_secret:
        show(document, as_json)
        return
    show({"client_id": issued.client.client_id, "client_secret": issued.secret, **document}, as_json)
    if not as_json:
        say("Keep the client_secret now: it is not shown again.")


def _without_secrets(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "secrets"}
