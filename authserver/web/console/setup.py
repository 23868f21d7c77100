"""Setting the server up: the first owner, made by a one-time link that the command line prints."""

from flask import Blueprint, Response, request, url_for

from authserver.admin.errors import Invalid, NotFound
from authserver.admin.links import open_link
from authserver.admin.passwords import LEAST_CHARACTERS
from authserver.admin.welcome import finish_setup
from authserver.crypto.password_hash import HashingBusy
from authserver.web.console.commands import command
from authserver.web.console.entries import DocumentForm, Entry, Text
from authserver.web.console.frame import done, show_anonymous
from authserver.web.errors import RETRY_SECONDS, PageError
from authserver.web.forms import read_form
from authserver.web.operators import operation, permit

routes = Blueprint("setup", __name__)

NOT_FOUND, UNPROCESSABLE = 404, 422


class Password(Entry):
    """A password as it was typed; it is never shown again."""

    kind = "password"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take every character."""
        self.data = valuelist[0] if valuelist else ""


class SetupForm(DocumentForm):
    """Who becomes the owner."""

    email = Text("Email address")
    password = Password("Password")
    repeated = Password("The same password again")


@routes.get("/admin/setup")
@permit(None)
def begin() -> Response:
    """Ask who becomes the owner; opening the link spends nothing."""
    return _ask(SetupForm(), request.args.get("token", ""))


@routes.post("/admin/setup")
@permit(None)
def finish() -> Response:
    """Make the owner, and send them to sign in."""
    token = request.form.get("token", "")
    form = read_form(SetupForm, again=url_for("setup.begin", token=token))
    try:
        if form.password.data != form.repeated.data:
            raise Invalid("repeated", "must be the same as the one above")
        user = finish_setup(operation(), token, form.email.data, form.password.data)
    except Invalid as fault:
        form.refuse(fault)
        return _ask(form, token, UNPROCESSABLE)
    except NotFound:
        return _over()
    except HashingBusy as busy:
        again = url_for("setup.begin", token=token)
        raise PageError("unavailable", status=503, because="hashing is busy", retry_after=RETRY_SECONDS, again=again) from busy
    return done(url_for("sign_in.begin"), f"Welcome. You are the owner of this server, signed in as {user.email}.")


def _ask(form: SetupForm, token: str, status: int = 200) -> Response:
    try:
        open_link(operation(), token, "setup")
    except NotFound:
        return _over()
    return show_anonymous(
        "console/setup.html", {"form": form, "token": token, "least": LEAST_CHARACTERS}, title="Set up this server", status=status
    )


def _over() -> Response:
    """Answer alike for a link that is spent, that is too old, and that never was."""
    values = {"sign_in_url": url_for("sign_in.begin"), "command_text": command("admins", "link")}
    return show_anonymous("console/setup_over.html", values, title="This link does not open any more", status=NOT_FOUND)
