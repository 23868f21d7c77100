"""What all pages of one application have around them: who it is, the tabs, and whether who operates may change it."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, url_for

from authserver.admin.authority import OWNER_OF_OUR_OWN
from authserver.admin.clients import get_client
from authserver.admin.reach import reach
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer
from authserver.web.console.client_kinds import KINDS
from authserver.web.console.frame import show
from authserver.web.operators import may, operation

routes = Blueprint("clients", __name__)
"""The routes of the modules that clients.py names."""

TABS = (
    ("clients.settings", "Settings", "clients:read"),
    ("credentials.index", "Credentials", "clients:read"),
    ("clients.apis", "APIs and scopes", "clients:read"),
    ("clients.tokens", "Tokens", "clients:read"),
    ("clients.people", "People", "sessions:read"),
    ("clients.activity", "Activity", "audit:read"),
    ("clients.snippets_page", "Snippets", "clients:read"),
    ("test_drive.index", "Test drive", "clients:write"),
    ("clients.danger", "Danger zone", "clients:write"),
)
"""The tabs: their views, their names, and who sees them."""


def find(client_id: str) -> Client:
    """Return the application that a page is about. Raises NotFound."""
    return get_client(operation(), client_id)


def show_client(
    client: Client, view: str, template: str, values: Mapping[str, Any], *, status: int = 200, command: str = "", call: str = ""
) -> Response:
    """Show a tab of an application's page."""
    label = next(label for name, label, _ in TABS if name == view)
    around = {"client": describe(client), "tabs": _tabs(client.client_id, view), "beyond": beyond(client)}
    title = f"{client.client_name}: {label}"
    return show(f"console/applications/{template}.html", {**around, **values}, title=title, status=status, command=command, call=call)


def describe(client: Client) -> dict[str, Any]:
    """Describe an application for the head of its pages, or a row of a list."""
    return {
        "name": client.client_name,
        "client_id": client.client_id,
        "kind": KINDS[client.kind].short,
        "kind_name": client.kind,
        "is_disabled": client.disabled_at is not None,
        "managed_by": client.managed_by,
        "last_used_at": client.last_used_at,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
        "version": client.version,
        "url": url_for("clients.settings", client_id=client.client_id),
        "may_change": may_change(client) and not client.managed_by,
        "may_operate": may_change(client),
    }


def are_all_our_own(rows: Iterable[Client | ResourceServer]) -> bool:
    """Tell whether a list has nothing but what the server registers for itself."""
    return all(row.managed_by == OWNER_OF_OUR_OWN for row in rows)


def may_change(client: Client) -> bool:
    """Tell whether who operates may change an application, a file that manages it aside."""
    return may("clients:write") and not beyond(client)


def beyond(client: Client) -> str:
    """Name the scopes of the admin API that the application may use and who operates may not."""
    return ", ".join(sorted(reach(operation(), client.metadata) - operation().authority.permissions))


def _tabs(client_id: str, current: str) -> list[tuple[str, str, bool]]:
    return [(url_for(view, client_id=client_id), label, view == current) for view, label, permission in TABS if may(permission)]
