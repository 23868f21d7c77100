"""`authserver sessions`: signed-in browsers."""

import click

from authserver.admin import sessions as admin
from authserver.admin.documents import session_document
from authserver.cli.options import as_json
from authserver.cli.output import show, show_all
from authserver.cli.place import operation


@click.group()
def sessions() -> None:
    """Signed-in browsers."""


@sessions.command("list")
@click.option("--user", metavar="EMAIL|ID", help="Only this user's.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="At most so many, the newest.")
@as_json
def list_(user: str | None, limit: int, as_json: bool) -> None:
    """List live sessions, the newest first.

    \b
    Example:  authserver sessions list --user alice@example.com
    """
    with operation() as work:
        documents = [session_document(session) for session in admin.live_sessions(work, user, limit)]
    show_all(documents, ("id", "user_id", "address_prefix", "user_agent", "last_seen_at", "ends_at"), as_json)


@sessions.command()
@click.argument("session", required=False, metavar="[ID]")
@click.option("--user", metavar="EMAIL|ID", help="All sessions of this user.")
@as_json
def revoke(session: str | None, user: str | None, as_json: bool) -> None:
    """End a session, or all of a user. The grants tied to it end as well; offline ones stay (grants revoke).

    \b
    Example:  authserver sessions revoke --user alice@example.com
    """
    if (session is None) == (user is None):
        raise click.UsageError("name a session by its id, or a user with --user")
    with operation() as work:
        ended = admin.end_user_sessions(work, user) if user is not None else admin.end_session(work, session or "")
    show({"ended": ended}, as_json)
