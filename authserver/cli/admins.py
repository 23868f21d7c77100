"""`authserver admins`: who may use the console and the admin API, and the link by which the first of them begins."""

import click

from authserver.admin import users as people
from authserver.admin.authority import ROLES
from authserver.admin.documents import instant
from authserver.admin.links import SETUP_LIFETIME, setup_link
from authserver.admin.roles import give_role
from authserver.cli.options import as_json
from authserver.cli.output import say, show, show_all
from authserver.cli.place import operation
from authserver.store.admin_role import list_roles
from authserver.store.user import find_users

USER = click.argument("user", metavar="EMAIL|ID")


@click.group()
def admins() -> None:
    """People who may use the console: owner, admin, support, auditor."""


@admins.command()
@as_json
def link(as_json: bool) -> None:
    """Make a link at which somebody sets up an account as owner: once, within 15 minutes. One made before opens no more.

    \b
    Example:  authserver admins link
    """
    with operation() as work:
        address = setup_link(work)
    show({"link": address, "valid_seconds": int(SETUP_LIFETIME.total_seconds())}, as_json)
    if not as_json:
        say("Whoever opens it becomes owner. It works once.")


@admins.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List everybody who has a role, and who gave it.

    \b
    Example:  authserver admins list
    """
    with operation() as work:
        rows = list_roles(work.db)
        users = {user.id: user for user in find_users(work.db, [row.user_id for row in rows])}
    documents = [
        {
            "email": users[row.user_id].email,
            "id": users[row.user_id].subject,
            "role": row.role,
            "enabled": users[row.user_id].is_enabled,
            "granted_at": instant(row.granted_at),
            "granted_by": row.granted_by,
            "managed_by": row.managed_by,
        }
        for row in rows
        if row.user_id in users
    ]
    show_all(documents, ("email", "role", "enabled", "granted_at", "granted_by", "managed_by"), as_json)


@admins.command()
@USER
@click.argument("role", type=click.Choice(ROLES))
@as_json
def grant(user: str, role: str, as_json: bool) -> None:
    """Give a user a role, in the place of the one before.

    \b
    owner    everything
    admin    applications and APIs; sees users, sessions, keys and the audit log
    support  users and their sessions; sees applications, APIs and the audit log
    auditor  sees everything, changes nothing

    \b
    Example:  authserver admins grant ada@example.com admin
    """
    with operation() as work:
        found = people.get_user(work, user)
        give_role(work, found, role)
    show({"email": found.email, "role": role}, as_json)


@admins.command()
@USER
@as_json
def revoke(user: str, as_json: bool) -> None:
    """Take a user's role away; their account stays.

    \b
    Example:  authserver admins revoke ada@example.com
    """
    with operation() as work:
        found = people.get_user(work, user)
        give_role(work, found, None)
    show({"email": found.email, "role": None}, as_json)
