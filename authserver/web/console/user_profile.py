"""A user's profile: the claims that applications read, roles and groups in them, and attributes of one's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, url_for

from authserver.admin.authority import GRANTED, ROLES, rank_of
from authserver.admin.errors import Changed, Conflict, Invalid
from authserver.admin.user_claims import CLAIMS
from authserver.admin.users import change_user
from authserver.store.admin_role import find_role
from authserver.store.user import User
from authserver.web.console.commands import call, command
from authserver.web.console.conflicts import Difference
from authserver.web.console.entries import Document, DocumentForm, Flag, Lines, Text
from authserver.web.console.frame import done
from authserver.web.console.user_tabs import find, may_act, routes, show_user
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import operation, permit

CHANGED, REFUSED = 409, 422
NOT_ATTRIBUTES = {*CLAIMS, "email", "roles", "groups"}
ABOUT_ROLES = {
    "auditor": "Sees everything, changes nothing.",
    "support": "Looks after users and their sessions.",
    "admin": "Looks after applications and APIs.",
    "owner": "May do everything, also make others administrators.",
}
assert set(ABOUT_ROLES) == set(GRANTED)


class ProfileForm(DocumentForm):
    """What can be edited of a user; their other claims stay as they are."""

    email = Text("Email address")
    email_verified = Flag("The address is verified", "Somebody has shown that they read what is sent there.")
    name = Text("Name")
    given_name = Text("Given name")
    family_name = Text("Family name")
    preferred_username = Text("User name")
    phone_number = Text("Phone number")
    locale = Text("Language", "Like de-AT.")
    zoneinfo = Text("Time zone", "Like Europe/Berlin.")
    roles = Lines(
        "Roles in applications", "One per line. APIs can have them in their tokens; in this console they mean nothing.", mono=False
    )
    groups = Lines("Groups", "One per line.", mono=False)
    attributes = Document("Attributes of your own", 'A JSON object, like {"department": "sales"}.')


@routes.get("/admin/users/<user_id>")
@permit("users:read")
def profile(user_id: str) -> Response:
    """Show a user."""
    user, form = find(user_id), ProfileForm()
    form.fill(_document(user), user.version)
    return _show(user, form)


@routes.post("/admin/users/<user_id>")
@permit("users:write")
def save_profile(user_id: str) -> Response:
    """Store what was typed; or show the form again, with what is wrong, or with what somebody else changed."""
    here = url_for("users.profile", user_id=user_id)
    user, form = find(user_id), read_form(ProfileForm, again=here)
    try:
        change_user(operation(), user.subject, _changes(user, form.values()), version=form.version_seen)
    except Invalid as fault:
        form.refuse(fault if fault.field in form else Invalid("attributes", f"{fault.field} {fault.why}"))
        return _show(user, form, status=REFUSED)
    except Changed as fault:
        current: User = fault.current or user
        return _show(current, form, form.merge(_document(current), current.version), CHANGED)
    except Conflict as fault:
        form.refuse(Invalid("email", f"is taken: {fault}"))
        return _show(user, form, status=CHANGED)
    return done(here, "Saved.")


def _document(user: User) -> dict[str, Any]:
    own = {"email": user.email, "roles": list(user.roles), "groups": list(user.groups), "attributes": dict(user.attributes)}
    return {**user.claims, **own}


def _changes(user: User, values: dict[str, Any]) -> dict[str, Any]:
    """Write the form's values as change_user takes them. Raises Invalid."""
    attributes = values.pop("attributes") or {}
    if not isinstance(attributes, Mapping) or NOT_ATTRIBUTES & set(attributes):
        raise Invalid("attributes", "must be a JSON object, without what has a field of its own above")
    values["email"] = values["email"] or ""
    if values["email"] != user.email and user.claims.get("email_verified"):
        del values["email_verified"]  # it was said of the address before
    return {**values, **{name: attributes.get(name) for name in {**user.attributes, **attributes}}}


def _show(user: User, form: ProfileForm, differences: Sequence[Difference] = (), status: int = 200) -> Response:
    may_change, role = may_act(user, "users:write"), find_role(operation().db, user.id)
    values = {
        "form": form,
        "differences": differences,
        "may_change": may_change,
        "has_mail": bool(operation().runtime.settings.smtp_url),
        "reset_url": url_for("users.reset_password", user_id=user.subject) if may_change else "",
        "role_url": url_for("users.set_role", user_id=user.subject) if may_act(user, "roles:write") else "",
        "role_form": RoleChoice(role.role if role else ""),
        "role_options": [("", "None", "Uses applications, and not this console."), *_role_options()],
    }
    name = str(form["name"].data or "")
    words = command("users", "update", user.email, options=[("--name", name)])
    same = call(f"users/{user.subject}", method="PATCH", body={"claims": {"name": name or None}}, version=user.version)
    return show_user(user, "users.profile", "profile", values, status=status, command=words, call=same)


class RoleChoice:
    """What the macro of radio buttons asks of a form, for the role that somebody has."""

    messages: Mapping[str, str] = {}

    def __init__(self, role: str) -> None:
        """Choose a role."""
        self.data = {"role": role}
        self.mark = PageForm().mark


def _role_options() -> list[tuple[str, str, str]]:
    return [(role, role.capitalize(), ABOUT_ROLES[role]) for role in ROLES if rank_of(role) <= operation().authority.rank]
