"""What admin/ refuses and no form has shown, as a page: nothing was changed. Below /admin/api, as a problem of the API."""

from flask import Flask, Response, request, url_for
from werkzeug.exceptions import HTTPException

from authserver.admin.errors import Conflict, Forbidden, Invalid, NotFound
from authserver.web import errors
from authserver.web.api import faults as api
from authserver.web.console.frame import show, show_anonymous
from authserver.web.console.sign_in import SignInNeeded
from authserver.web.context import Unavailable
from authserver.web.errors import PageError
from authserver.web.flow import see
from authserver.web.operators import operator

API = "/admin/api/"
TITLES = {
    NotFound: (404, "There is no such thing"),
    Forbidden: (403, "You may not do this"),
    Conflict: (409, "This cannot be done as things are"),
    Invalid: (422, "A value cannot be taken"),
}


def register(app: Flask) -> None:
    """Answer every refusal here."""
    app.register_error_handler(SignInNeeded, ask_to_sign_in)
    for kind in TITLES:
        app.register_error_handler(kind, show_refusal)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(Unavailable, on_unavailable)


def ask_to_sign_in(error: SignInNeeded) -> Response:
    """Send the browser to sign in and back. What a form of ours holds is kept: its page waits while another tab signs in.

    Another site's form is refused first: the page would send it on with a mark of ours.
    """
    from authserver.web.forms import PageForm, read_form

    if request.method in ("GET", "HEAD"):
        here = url_for("overview.index").removesuffix("/admin") + request.full_path.rstrip("?")
        return see(url_for("sign_in.begin", next=here, fresh="1" if error.fresh else None))
    try:
        read_form(PageForm, again=url_for("overview.index"))
    except PageError as forged:
        return errors.show(forged)
    values = {
        "fresh": error.fresh,
        "sign_in": url_for("sign_in.begin", fresh="1" if error.fresh else None),
        "action": url_for("overview.index").removesuffix("/admin") + request.full_path.rstrip("?"),
        "fields": [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"],
    }
    return show_anonymous("console/confirm_sign_in.html", values, title="Confirm that it is you", status=403)


def show_refusal(error: Exception) -> Response:
    """Say why, on a page."""
    status, title = next(found for kind, found in TITLES.items() if isinstance(error, kind))
    text = f"{error.field} {error.why}" if isinstance(error, Invalid) else str(error)
    render = show if operator() is not None else show_anonymous
    return render("console/refused.html", {"text": text}, title=title, status=status)


def on_http_exception(error: HTTPException) -> Response:
    """Answer what Werkzeug refuses."""
    return api.on_http_exception(error) if request.path.startswith(API) else errors.on_http_exception(error)


def on_unavailable(error: Unavailable) -> Response:
    """Answer while the database is away."""
    return api.on_unavailable(error) if request.path.startswith(API) else errors.on_unavailable(error)
