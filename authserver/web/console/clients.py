"""Applications: the list of clients, and the end of one: disabled for a while, or deleted for good."""

from typing import Any

from flask import Response, url_for
from wtforms import StringField

from authserver.admin.clients import delete_client, disable_client, enable_client, page_of_clients
from authserver.admin.errors import Changed, Invalid
from authserver.store.client import Client
from authserver.web.console import client_access, client_editing
from authserver.web.console.client_kinds import KINDS
from authserver.web.console.client_tabs import are_all_our_own, describe, find, routes, show_client
from authserver.web.console.commands import Same, call, command, last
from authserver.web.console.entries import DocumentForm
from authserver.web.console.frame import done, show
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.forms import read_form
from authserver.web.operators import may, operation, permit

KIND_OPTIONS = [("", "All kinds"), *((kind.name, kind.short) for kind in KINDS.values())]
STATUS_OPTIONS = [("", "Any"), ("enabled", "Enabled"), ("disabled", "Disabled")]


__all__ = ["client_access", "client_editing", "routes"]


class EndForm(DocumentForm):
    """What ends an application, or brings it back; `name` is typed to delete it."""

    name = StringField(filters=[lambda value: (value or "").strip()])


@routes.get("/admin/applications")
@permit("clients:read")
def index() -> Response:
    """List applications; the filters are in the address."""
    sought = filters("q", "kind", "status")
    page = page_of_clients(operation(), q=sought["q"], kind=sought["kind"], status=sought["status"], page_token=page_token())
    values = {
        "rows": [describe(client) for client in page.rows],
        "filters": sought,
        "is_filtered": any(sought.values()),
        "is_new": are_all_our_own(page.rows) and not any(sought.values()) and not page_token(),
        "kind_options": KIND_OPTIONS,
        "status_options": STATUS_OPTIONS,
        "pager": pager("clients.index", page, sought),
        "may_create": may("clients:write"),
    }
    about = Same(command=command("clients", "list"), call=call("clients", query=sought))
    return show("console/applications/list.html", values, title="Applications", **about)


@routes.get("/admin/applications/danger/<path:client_id>")
@permit("clients:write")
def danger(client_id: str) -> Response:
    """Show what ends an application."""
    client = find(client_id)
    form = EndForm()
    form.fill({}, client.version)
    return _danger(client, form)


@routes.post("/admin/applications/disable/<path:client_id>")
@permit("clients:write")
def disable(client_id: str) -> Response:
    """Refuse the application from now on."""
    read_form(EndForm, again=_here(client_id))
    client = disable_client(operation(), client_id)
    return done(_here(client_id), f"{client.client_name} is disabled, and all that people gave to it has ended.")


@routes.post("/admin/applications/enable/<path:client_id>")
@permit("clients:write")
def enable(client_id: str) -> Response:
    """Serve the application again."""
    read_form(EndForm, again=_here(client_id))
    client = enable_client(operation(), client_id)
    return done(_here(client_id), f"{client.client_name} is enabled. People sign in to it anew.")


@routes.post("/admin/applications/delete/<path:client_id>")
@permit("clients:write")
def delete(client_id: str) -> Response:
    """Delete the application, if its name was typed."""
    form, client = read_form(EndForm, again=_here(client_id)), find(client_id)
    if form.name.data != client.client_name:
        form.refuse(Invalid("name", f"must be {client.client_name}, letter by letter"))
        return _danger(client, form, 422)
    try:
        delete_client(operation(), client_id, version=form.version_seen)
    except Changed:
        form.fill({}, client.version)
        form.refuse(Invalid("name", "was typed for an application that somebody changed meanwhile: look at it again, then type it again"))
        return _danger(client, form, 409)
    return done(url_for("clients.index"), f"{client.client_name} was deleted.")


def _danger(client: Client, form: EndForm, status: int = 200) -> Response:
    client_id = client.client_id
    words = "enable" if client.disabled_at else "disable"
    body = {"enabled": bool(client.disabled_at)}
    return show_client(
        client,
        "clients.danger",
        "danger",
        {"form": form, "labels": {}, **{name: url_for(f"clients.{name}", client_id=client_id) for name in ("disable", "enable", "delete")}},
        status=status,
        command="\n".join([command("clients", words, client_id), command("clients", "delete", client_id)]),
        call="\n\n".join([_patch(client, body), call(f"clients/{last(client_id)}", method="DELETE", version=client.version)]),
    )


def _patch(client: Client, body: dict[str, Any]) -> str:
    return call(f"clients/{last(client.client_id)}", method="PATCH", body=body, version=client.version)


def _here(client_id: str) -> str:
    return url_for("clients.danger", client_id=client_id)
