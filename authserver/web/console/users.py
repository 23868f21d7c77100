"""Users: the list, and invitations."""

from typing import Any

from flask import Response, url_for

from authserver.admin.authority import ROLES
from authserver.admin.errors import Conflict, Invalid
from authserver.admin.roles import roles_of
from authserver.admin.users import invite_user, page_of_users
from authserver.store.user import User
from authserver.web.console import notes, user_access, user_end, user_profile
from authserver.web.console.commands import call, command
from authserver.web.console.entries import DocumentForm, Text
from authserver.web.console.frame import done, show
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.console.user_tabs import routes
from authserver.web.forms import read_form
from authserver.web.operators import may, operation, permit

__all__ = ["routes", "user_access", "user_end", "user_profile"]

STATUS_OPTIONS = [("", "Any"), ("enabled", "Enabled"), ("disabled", "Disabled")]
ROLE_OPTIONS = [("", "Any"), *((role, role.capitalize()) for role in reversed(ROLES))]
UNPROCESSABLE = 422


class InvitationForm(DocumentForm):
    """Who is invited."""

    email = Text("Email address")
    name = Text("Name", "As others should see it.", optional=True)


@routes.get("/admin/users")
@permit("users:read")
def index() -> Response:
    """List users; the filters are in the address."""
    sought: dict[str, Any] = filters("q", "status", "role")
    page = page_of_users(operation(), **sought, page_token=page_token())
    roles = roles_of(operation(), page.rows)
    values = {
        "rows": [_row(user, roles.get(user.id, "")) for user in page.rows],
        "filters": sought,
        "is_filtered": any(sought.values()),
        "status_options": STATUS_OPTIONS,
        "role_options": ROLE_OPTIONS,
        "pager": pager("users.index", page, sought),
        "invite_url": url_for("users.invite_page") if may("users:write") else "",
    }
    words = command("users", "list", options=[(f"--{name}", value) for name, value in sought.items() if value])
    return show("console/users/list.html", values, title="Users", command=words, call=call("users", query=sought))


@routes.get("/admin/users/invite")
@permit("users:write")
def invite_page() -> Response:
    """Ask who is to be invited."""
    return _ask(InvitationForm())


@routes.post("/admin/users/invite")
@permit("users:write")
def invite() -> Response:
    """Add the user, and send them the link by which they set their password, or show it once."""
    form = read_form(InvitationForm, again=url_for("users.invite_page"))
    values = form.values()
    try:
        invitation = invite_user(operation(), values.pop("email") or "", values)
    except Invalid as fault:
        form.refuse(fault)
    except Conflict as fault:
        form.refuse(Invalid("email", f"is taken: {fault}"))
    else:
        return _invited(invitation.user, invitation.link)
    return _ask(form, UNPROCESSABLE)


@routes.get("/admin/users/invited/<uuid:user_id>")
@permit("users:write")
def invited(user_id: object) -> Response:
    """Show the link of an invitation, once."""
    secret = notes.take("secret")
    if "link" not in secret:
        return done(url_for("users.profile", user_id=str(user_id)))
    values = {"email": secret["email"], "link": secret["link"], "user_url": url_for("users.profile", user_id=str(user_id))}
    return show("console/users/invited.html", values, title=f"{secret['email']} is invited")


def _invited(user: User, link: str | None) -> Response:
    if link is None:
        return done(url_for("users.profile", user_id=user.subject), f"An invitation was sent to {user.email}.")
    return done(url_for("users.invited", user_id=user.subject), secret={"email": user.email, "link": link})


def _ask(form: InvitationForm, status: int = 200) -> Response:
    values = {"form": form, "has_mail": bool(operation().runtime.settings.smtp_url)}
    email = form.email.data or "alice@example.com"
    words, same = command("users", "invite", options=[("--email", email)]), call("users", method="POST", body={"email": email})
    return show("console/users/invite.html", values, title="Invite a user", status=status, command=words, call=same)


def _row(user: User, role: str) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": str(user.claims.get("name") or ""),
        "role": role,
        "is_enabled": user.is_enabled,
        "created_at": user.created_at,
        "url": url_for("users.profile", user_id=user.subject),
    }
