"""`authserver grants`: what users gave to clients."""

import click

from authserver.admin import grants as admin
from authserver.admin.documents import grant_document
from authserver.cli.options import as_json
from authserver.cli.output import show, show_all
from authserver.cli.place import operation


@click.group()
def grants() -> None:
    """What users gave to clients, with the refresh tokens that hang on it."""


@grants.command("list")
@click.option("--user", metavar="EMAIL|ID", help="Only this user's.")
@click.option("--client", metavar="ID", help="Only to this client.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="Look through at most so many, the newest.")
@as_json
def list_(user: str | None, client: str | None, limit: int, as_json: bool) -> None:
    """List live grants, the newest first.

    \b
    Example:  authserver grants list --client demo-spa
    """
    with operation() as work:
        documents = [grant_document(grant) for grant in admin.live_grants(work, user, client, limit)]
    show_all(documents, ("id", "client_id", "user_id", "scope", "offline", "created_at", "ends_at"), as_json)


@grants.command()
@click.argument("grant", required=False, metavar="[ID]")
@click.option("--user", metavar="EMAIL|ID", help="All grants of this user; their consents are forgotten.")
@click.option("--client", metavar="ID", help="All grants to this client; with --user, that user's.")
@as_json
def revoke(grant: str | None, user: str | None, client: str | None, as_json: bool) -> None:
    """Revoke a grant, or all of a user, of a client, or of a user to a client. All tokens of it end.

    \b
    Example:  authserver grants revoke --user alice@example.com --client demo-spa
    """
    if (grant is None) == (user is None and client is None):
        raise click.UsageError("name a grant by its id, or a user with --user, a client with --client, or both")
    with operation() as work:
        ended = admin.end_grants(work, user, client) if grant is None else admin.end_grant(work, grant)
    show({"ended": ended}, as_json)
