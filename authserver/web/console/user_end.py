"""What is done to a user's account: a password reset begun, a role given, disabled for a while, or deleted for good."""

from flask import Response, request, url_for
from wtforms import StringField

from authserver.admin.errors import Changed, Conflict, Invalid
from authserver.admin.user_claims import check_email
from authserver.admin.users import delete_user, disable_user, enable_user, start_password_reset
from authserver.admin.users import set_role as give_role
from authserver.store.user import User
from authserver.web.console.commands import call, command
from authserver.web.console.entries import DocumentForm
from authserver.web.console.frame import done
from authserver.web.console.user_tabs import find, may_act, routes, show_user
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import operation, permit


class EndForm(DocumentForm):
    """What ends an account, or brings it back; `email` is typed to delete it."""

    email = StringField("Email address", filters=[lambda value: (value or "").strip()])


@routes.post("/admin/users/<user_id>/reset-password")
@permit("users:write")
def reset_password(user_id: str) -> Response:
    """Mail the user a link by which they choose a new password."""
    here, user = url_for("users.profile", user_id=user_id), find(user_id)
    read_form(PageForm, again=here)
    try:
        start_password_reset(operation(), user.subject)
    except Conflict as fault:
        return done(here, f"No link was sent: {fault}.", tone="bad")
    return done(here, f"A link to choose a new password was sent to {user.email}.")


@routes.post("/admin/users/<user_id>/role")
@permit("roles:write", fresh=True)
def set_role(user_id: str) -> Response:
    """Give the user a role in this console, or take it away."""
    here, user = url_for("users.profile", user_id=user_id), find(user_id)
    read_form(PageForm, again=here)
    role = request.form.get("role", "")
    try:
        give_role(operation(), user.subject, role or None)
    except Conflict as fault:
        return done(here, f"The role stays: {fault}.", tone="bad")
    return done(here, f"{user.email} is {role} now." if role else f"{user.email} has no role any more.")


@routes.get("/admin/users/<user_id>/danger")
@permit("users:write")
def danger(user_id: str) -> Response:
    """Show what ends an account."""
    user, form = find(user_id), EndForm()
    form.fill({}, user.version)
    return _danger(user, form)


@routes.post("/admin/users/<user_id>/disable")
@permit("users:write")
def disable(user_id: str) -> Response:
    """Refuse the user from now on."""
    here = url_for("users.danger", user_id=user_id)
    read_form(EndForm, again=here)
    user = disable_user(operation(), find(user_id).subject)
    return done(here, f"{user.email} is disabled, and signed out everywhere.")


@routes.post("/admin/users/<user_id>/enable")
@permit("users:write")
def enable(user_id: str) -> Response:
    """Let the user sign in again."""
    here = url_for("users.danger", user_id=user_id)
    read_form(EndForm, again=here)
    user = enable_user(operation(), find(user_id).subject)
    return done(here, f"{user.email} is enabled, and can sign in again.")


@routes.post("/admin/users/<user_id>/delete")
@permit("users:write")
def delete(user_id: str) -> Response:
    """Delete the user, if their address was typed."""
    form, user = read_form(EndForm, again=url_for("users.danger", user_id=user_id)), find(user_id)
    if not _is_address(form.email.data, user):
        form.refuse(Invalid("email", f"must be {user.email}"))
        return _danger(user, form, 422)
    try:
        delete_user(operation(), user.subject, version=form.version_seen)
    except Changed:
        form.fill({}, user.version)
        form.refuse(Invalid("email", "was typed for an account that somebody changed meanwhile: look at it again, then type it again"))
        return _danger(user, form, 409)
    return done(url_for("users.index"), f"{user.email} was deleted.")


def _is_address(typed: str, user: User) -> bool:
    try:
        return check_email(typed) == user.email
    except Invalid:
        return False


def _danger(user: User, form: EndForm, status: int = 200) -> Response:
    words, subject = ("disable" if user.is_enabled else "enable"), user.subject
    values = {
        "form": form,
        "version": user.version,
        "may_change": may_act(user, "users:write"),
        **{f"{name}_url": url_for(f"users.{name}", user_id=subject) for name in ("disable", "enable", "delete")},
    }
    commands = [command("users", words, user.email), command("users", "delete", user.email)]
    calls = [
        call(f"users/{subject}", method="PATCH", body={"enabled": not user.is_enabled}, version=user.version),
        call(f"users/{subject}", method="DELETE", version=user.version),
    ]
    return show_user(user, "users.danger", "danger", values, status=status, command="\n".join(commands), call="\n\n".join(calls))
