"""Sessions: browsers in which people are signed in, and signing them out."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from authserver.admin.sessions import end_session, end_user_sessions, page_of_sessions
from authserver.store.base import read_id
from authserver.web.console.commands import call, command
from authserver.web.console.frame import done, show
from authserver.web.console.looking import look
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.console.rows import session_rows
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import may, operation, permit

routes = Blueprint("sessions", __name__)


@routes.get("/admin/sessions")
@permit("sessions:read")
def index() -> Response:
    """List live sessions, newest first; whose is in the address."""
    sought: dict[str, Any] = filters("user")
    page, fault, status = look(lambda: page_of_sessions(operation(), **sought, page_token=page_token()))
    values = {
        "form": PageForm(),
        "rows": session_rows(operation(), page.rows),
        "user": sought["user"],
        "fault": fault,
        "pager": pager("sessions.index", page, sought),
        "may_end": may("sessions:write"),
        "end_all_url": url_for("sessions.end_all"),
    }
    options = [("--user", sought["user"])] if sought["user"] else []
    words = command("sessions", "list", options=options)
    return show("console/sessions.html", values, title="Sessions", status=status, command=words, call=call("sessions", query=sought))


@routes.post("/admin/sessions/<session_id>/end")
@permit("sessions:write")
def end(session_id: str) -> Response:
    """Sign a browser out."""
    read_form(PageForm, again=url_for("sessions.index"))
    ended = end_session(operation(), session_id)
    return done(_back(), "That browser is signed out." if ended else "That browser had been signed out before.")


@routes.post("/admin/sessions/end-all")
@permit("sessions:write")
def end_all() -> Response:
    """Sign a user out everywhere."""
    read_form(PageForm, again=url_for("sessions.index"))
    ended = end_user_sessions(operation(), request.form.get("user", ""))
    return done(_back(), f"{ended} sessions have ended." if ended != 1 else "1 session has ended.")


def _back() -> str:
    """Return to the user's page where it was asked from there, else to the list."""
    user = request.form.get("user", "")
    if request.form.get("back") == "user" and read_id(user) is not None:
        return url_for("users.sessions", user_id=user)
    return url_for("sessions.index", user=user or None)
