"""What all pages of one user have around them: who it is, the tabs, and whether who operates may act on them."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, url_for

from authserver.admin.authority import rank_of
from authserver.admin.errors import NotFound
from authserver.admin.users import get_user
from authserver.store.admin_role import AdminRole, find_role
from authserver.store.base import read_id
from authserver.store.user import User
from authserver.web.console.frame import show
from authserver.web.operators import may, operation

routes = Blueprint("users", __name__)
"""The routes of the modules that users.py names."""

TABS = (
    ("users.profile", "Profile", "users:read"),
    ("users.sessions", "Sessions", "sessions:read"),
    ("users.access", "Access", "sessions:read"),
    ("users.log", "Security log", "audit:read"),
    ("users.danger", "Danger zone", "users:write"),
)
"""The tabs: their views, their names, and who sees them."""


def find(user_id: str) -> User:
    """Return the user that a page is about, by id alone: addresses do not belong into paths. Raises NotFound."""
    if read_id(user_id) is None:
        raise NotFound("there is no user of that id")
    return get_user(operation(), user_id)


def show_user(
    user: User, view: str, template: str, values: Mapping[str, Any], *, status: int = 200, command: str = "", call: str = ""
) -> Response:
    """Show a tab of a user's page."""
    role = find_role(operation().db, user.id)
    label = next(label for name, label, _ in TABS if name == view)
    around = {"user": describe(user, role), "tabs": _tabs(user, view), "beyond": beyond(role), "here": url_for(view, user_id=user.subject)}
    title = f"{user.email}: {label}"
    return show(f"console/users/{template}.html", {**around, **values}, title=title, status=status, command=command, call=call)


def describe(user: User, role: AdminRole | None) -> dict[str, Any]:
    """Describe a user for the head of their pages."""
    return {
        "id": user.subject,
        "email": user.email,
        "name": str(user.claims.get("name") or ""),
        "is_enabled": user.is_enabled,
        "role": role.role if role else "",
        "role_managed_by": role.managed_by if role else "",
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "disabled_at": user.disabled_at,
        "url": url_for("users.profile", user_id=user.subject),
    }


def beyond(role: AdminRole | None) -> str:
    """Say why who operates may not act on a user of that role; empty where they may."""
    if role is None or rank_of(role.role) < operation().authority.rank:
        return ""
    return f"This user is {role.role}: only somebody of a higher role, or the command line, acts on them."


def may_act(user: User, permission: str) -> bool:
    """Tell whether who operates may do something to a user."""
    return may(permission) and not beyond(find_role(operation().db, user.id))


def _tabs(user: User, current: str) -> list[tuple[str, str, bool]]:
    return [(url_for(view, user_id=user.subject), label, view == current) for view, label, permission in TABS if may(permission)]
