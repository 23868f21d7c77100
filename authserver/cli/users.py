"""`authserver users`: people who sign in (claims as in OpenID Connect Core section 5.1)."""

from itertools import islice
from typing import Any

import click

from authserver.admin import users as admin
from authserver.admin.authority import ROLES
from authserver.admin.documents import user_document
from authserver.admin.links import show_reset
from authserver.admin.paging import MOST
from authserver.admin.user_claims import TEXT_CLAIMS
from authserver.cli import options
from authserver.cli.options import LIMIT, SEARCH, STATUS, as_json, every_page
from authserver.cli.output import say, show, show_many
from authserver.cli.place import operation
from authserver.cli.users_import import import_users, migration

TEXTS = TEXT_CLAIMS | {"email"}
USER = click.argument("user", metavar="EMAIL|ID")
PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else a random one is made.")


@click.group()
def users() -> None:
    """People who sign in."""


users.add_command(import_users)
users.add_command(migration)


@users.command()
@click.option("--email", required=True, help="What they sign in with.")
@click.option("--name", help="Their whole name.")
@PASSWORD
@options.sets
@as_json
def create(email: str, name: str | None, password_stdin: bool, assignments: tuple[str, ...], as_json: bool) -> None:
    """Add a user. Without --password-stdin a random password is made and shown this once.

    --set takes the standard claims, roles, groups, and any other name for an attribute of your own.

    \b
    Examples:
      authserver users create --email alice@example.com --name "Alice Example" --set email_verified=true
      authserver users create --email bob@example.com --password-stdin --set 'roles=["admin"]' --set team=sales < file
    """
    values = ({} if name is None else {"name": name}) | options.read_assignments(assignments, TEXTS)
    password = options.read_secret() if password_stdin else None
    with operation() as work:
        added = admin.create_user(work, values.pop("email", email), values, password=password)
    show_added(added, as_json)


@users.command()
@click.option("--email", required=True, help="Where the invitation goes, and what they sign in with.")
@click.option("--name", help="Their whole name.")
@options.sets
@as_json
def invite(email: str, name: str | None, assignments: tuple[str, ...], as_json: bool) -> None:
    """Add a user who chooses their own password by a link: mailed with AUTHSERVER_SMTP_URL, else shown this once.

    \b
    Example:  authserver users invite --email carol@example.com --name "Carol Example"
    """
    values = ({} if name is None else {"name": name}) | options.read_assignments(assignments, TEXTS)
    with operation() as work:
        invited = admin.invite_user(work, values.pop("email", email), values)
    show({"email": invited.user.email, "link": invited.link, **user_document(invited.user)}, as_json)
    if not as_json:
        say("The invitation is on its way by mail." if invited.link is None else "Hand the link over: it works once, for seven days.")


@users.command("reset-link")
@USER
@as_json
def reset_link(user: str, as_json: bool) -> None:
    """Make a link by which a user sets a new password: once, within half an hour. What they have stays until then.

    \b
    Example:  authserver users reset-link alice@example.com
    """
    with operation() as work:
        found = admin.get_user(work, user)
        show({"email": found.email, "link": show_reset(work, found)}, as_json)


@users.command("list")
@SEARCH
@STATUS
@click.option("--role", type=click.Choice(ROLES), help="Only administrators of this role.")
@LIMIT
@as_json
def list_(q: str, status: str | None, role: str | None, limit: int | None, as_json: bool) -> None:
    """List users: all by email, or those who are found.

    \b
    Examples:
      authserver users list --json
      authserver users list --q ali --status enabled
    """
    with operation() as work:
        sought = {"q": q, "status": status or "", "role": role or ""}
        found = every_page(lambda token: admin.page_of_users(work, **sought, page_token=token, page_size=MOST))
        listed = found if any(sought.values()) else admin.every_user(work)
        documents = (user_document(user) | {"name": user.claims.get("name")} for user in islice(listed, limit))
        show_many(documents, ("email", "name", "id", "enabled", "roles", "groups"), as_json)


@users.command()
@USER
@as_json
def get(user: str, as_json: bool) -> None:
    """Show a user.

    \b
    Example:  authserver users get alice@example.com
    """
    with operation() as work:
        show(user_document(admin.get_user(work, user)), as_json)


@users.command()
@USER
@click.option("--email", help="A new address; it counts as unverified.")
@click.option("--name", help="Their whole name.")
@options.sets
@as_json
def update(user: str, email: str | None, name: str | None, assignments: tuple[str, ...], as_json: bool) -> None:
    """Change a user's claims, roles, groups and attributes; key=null removes one.

    \b
    Examples:
      authserver users update alice@example.com --set 'groups=["staff"]' --set phone_number="+49 30 1234567"
      authserver users update alice@example.com --set 'address={"locality": "Berlin"}' --set nickname=null
    """
    given: dict[str, Any] = {"email": email, "name": name}
    values = {key: value for key, value in given.items() if value is not None} | options.read_assignments(assignments, TEXTS)
    if not values:
        raise click.UsageError("say what to change; see authserver users update --help")
    with operation() as work:
        show(user_document(admin.change_user(work, user, values)), as_json)


@users.command()
@USER
@as_json
def disable(user: str, as_json: bool) -> None:
    """Refuse a user from now on; all their sessions and grants end.

    \b
    Example:  authserver users disable alice@example.com
    """
    with operation() as work:
        show(user_document(admin.disable_user(work, user)), as_json)


@users.command()
@USER
@as_json
def enable(user: str, as_json: bool) -> None:
    """Let a user sign in again.

    \b
    Example:  authserver users enable alice@example.com
    """
    with operation() as work:
        show(user_document(admin.enable_user(work, user)), as_json)


@users.command("set-password")
@USER
@PASSWORD
@as_json
def set_password(user: str, password_stdin: bool, as_json: bool) -> None:
    """Set a new password; all the user's sessions and grants end.

    \b
    Example:  authserver users set-password alice@example.com
    """
    password = options.read_secret() if password_stdin else None
    with operation() as work:
        added = admin.set_password(work, user, password)
    show_added(added, as_json)


@users.command()
@USER
@as_json
def delete(user: str, as_json: bool) -> None:
    """Delete a user with all that belongs to them. There is no way back; `disable` has one.

    \b
    Example:  authserver users delete alice@example.com
    """
    with operation() as work:
        admin.delete_user(work, user)
    show({"deleted": user}, as_json)


def show_added(added: admin.Added, as_json: bool) -> None:
    """Show a user and the password that was made for them."""
    document = user_document(added.user)
    if added.password is None:
        show(document, as_json)
        return
    show({"email": added.user.email, "password": added.password, **document}, as_json)
    if not as_json:
        say("Keep the password now: it is not shown again.")
