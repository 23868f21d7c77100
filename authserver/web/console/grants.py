"""Grants: what users gave to applications, and ending it."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from authserver.admin.grants import end_grant, end_grants, page_of_grants
from authserver.store.base import read_id
from authserver.web.console.commands import call, command
from authserver.web.console.frame import done, show
from authserver.web.console.looking import look
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.console.rows import grant_rows
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import may, operation, permit

routes = Blueprint("grants", __name__)


@routes.get("/admin/grants")
@permit("sessions:read")
def index() -> Response:
    """List grants, newest first; whose, and to whom, is in the address."""
    sought: dict[str, Any] = filters("user", "client_id")
    page, fault, status = look(lambda: page_of_grants(operation(), **sought, page_token=page_token()))
    values = {
        **sought,
        "form": PageForm(),
        "rows": grant_rows(operation(), page.rows),
        "fault": fault,
        "pager": pager("grants.index", page, sought),
        "may_end": may("sessions:write"),
        "end_all_url": url_for("grants.end_all"),
    }
    options = [(f"--{name}", sought[key]) for name, key in (("user", "user"), ("client", "client_id")) if sought[key]]
    words = command("grants", "list", options=options)
    return show("console/grants.html", values, title="Grants", status=status, command=words, call=call("grants", query=sought))


@routes.post("/admin/grants/<grant_id>/end")
@permit("sessions:write")
def end(grant_id: str) -> Response:
    """End a grant: no new tokens, and those that are out are refused at introspection."""
    read_form(PageForm, again=url_for("grants.index"))
    ended = end_grant(operation(), grant_id)
    return done(_back(), "The grant has ended." if ended else "The grant had ended before.")


@routes.post("/admin/grants/end-all")
@permit("sessions:write")
def end_all() -> Response:
    """End all grants of a user, to an application, or of a user to an application; the consents go with them."""
    read_form(PageForm, again=url_for("grants.index"))
    user, client_id = request.form.get("user", ""), request.form.get("client_id", "")
    ended = end_grants(operation(), user or None, client_id or None)
    return done(_back(), "1 grant has ended." if ended == 1 else f"{ended} grants have ended, and what was consented to is forgotten.")


def _back() -> str:
    """Return to the user's page where it was asked from there, else to the list."""
    user = request.form.get("user", "")
    if request.form.get("back") == "user" and read_id(user) is not None:
        return url_for("users.access", user_id=user)
    return url_for("grants.index", user=user or None, client_id=request.form.get("client_id") or None)
