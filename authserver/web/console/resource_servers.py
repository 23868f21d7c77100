"""APIs: the list of resource servers, a new one, and the pages of one of them: settings, who may ask, snippets, its end."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from flask import Blueprint, Response, url_for

from authserver.admin.clients import clients_of_api
from authserver.admin.errors import Changed, Conflict, Invalid
from authserver.admin.resource_servers import (
    change_resource_server,
    create_resource_server,
    delete_resource_server,
    get_resource_server,
    page_of_resource_servers,
)
from authserver.admin.snippets import verify_snippets
from authserver.store.resource_server import ResourceServer
from authserver.web.console.api_entries import ApiForm, DeletionForm, NewApiForm, to_columns, to_document
from authserver.web.console.client_access import shown
from authserver.web.console.client_tabs import are_all_our_own
from authserver.web.console.client_tabs import describe as describe_client
from authserver.web.console.commands import Same, call, command, last
from authserver.web.console.conflicts import Difference
from authserver.web.console.frame import done, show
from authserver.web.console.pager import filters, page_token, pager
from authserver.web.forms import read_form
from authserver.web.operators import may, operation, permit

routes = Blueprint("resource_servers", __name__)

MOST_CLIENTS = 200
TABS = (
    ("settings", "Settings", "apis:read"),
    ("clients", "Applications", "clients:read"),
    ("snippets", "Snippets", "apis:read"),
    ("danger", "Danger zone", "apis:write"),
)


@routes.get("/admin/apis")
@permit("apis:read")
def index() -> Response:
    """List APIs; what is sought is in the address."""
    sought = filters("q")
    page = page_of_resource_servers(operation(), q=sought["q"], page_token=page_token())
    values = {
        "rows": [_describe(api) for api in page.rows],
        "filters": sought,
        "is_new": are_all_our_own(page.rows) and not sought["q"] and not page_token(),
        "pager": pager("resource_servers.index", page, sought),
        "may_create": may("apis:write"),
    }
    return show("console/apis/list.html", values, title="APIs", command=command("apis", "list"), call=call("apis", query=sought))


@routes.get("/admin/apis/new")
@permit("apis:write")
def ask() -> Response:
    """Ask what a new API is called and what can be done with it."""
    form = NewApiForm()
    form.fill({"token_format": "jwt", "signing_alg": "RS256"})
    return _ask(form)


@routes.post("/admin/apis/new")
@permit("apis:write")
def create() -> Response:
    """Register the API."""
    form = read_form(NewApiForm, again=url_for("resource_servers.ask"))
    try:
        values = form.values()
        api = create_resource_server(operation(), values.pop("identifier") or "", values.pop("name") or "", values)
    except Invalid as fault:
        form.refuse(fault)
        return _ask(form, 422)
    except Conflict as fault:
        form.refuse(Invalid("identifier", f"cannot be taken: {fault}"))
        return _ask(form, 409)
    return done(_here(api), f"{api.name} is registered. Now let applications ask for it.")


@routes.get("/admin/apis/of/<path:identifier>")
@permit("apis:read")
def settings(identifier: str) -> Response:
    """Show an API."""
    api, form = get_resource_server(operation(), identifier), ApiForm()
    form.fill(to_document(api), api.version)
    return _settings(api, form)


@routes.post("/admin/apis/of/<path:identifier>")
@permit("apis:write")
def save(identifier: str) -> Response:
    """Change an API."""
    api = get_resource_server(operation(), identifier)
    form = read_form(ApiForm, again=_here(api))
    try:
        change_resource_server(operation(), identifier, to_columns(form.values()), version=form.version_seen)
    except Invalid as fault:
        form.refuse(fault)
        return _settings(api, form, status=422)
    except Changed as fault:
        current: ResourceServer = fault.current or api
        return _settings(current, form, form.merge(to_document(current), current.version), 409)
    except Conflict as fault:
        form.refuse(Invalid("scopes", f"cannot be changed like this: {fault}"))
        return _settings(api, form, status=409)
    return done(_here(api), "Saved.")


@routes.get("/admin/apis/clients/<path:identifier>")
@permit("clients:read")
def clients(identifier: str) -> Response:
    """List the applications that may ask for an API."""
    api = get_resource_server(operation(), identifier)
    found = list(islice(clients_of_api(operation(), identifier), MOST_CLIENTS))
    values = {"rows": [{**describe_client(client), "scope": " ".join(client.scope)} for client in found], "most": MOST_CLIENTS}
    about = command("clients", "update", "CLIENT_ID", options=[("--api", identifier)])
    return _show(api, "clients", values, Same(command=about, call=call("clients/CLIENT_ID", method="PATCH", body={"apis": [identifier]})))


@routes.get("/admin/apis/snippets/<path:identifier>")
@permit("apis:read")
def snippets(identifier: str) -> Response:
    """Show code that checks an API's tokens."""
    api = get_resource_server(operation(), identifier)
    found = shown(verify_snippets(operation().runtime.settings, api))
    return _show(api, "snippets", {"snippets": found}, Same(command=command("token", "inspect") + " < token.txt"))


@routes.get("/admin/apis/danger/<path:identifier>")
@permit("apis:write")
def danger(identifier: str) -> Response:
    """Show what ends an API."""
    api, form = get_resource_server(operation(), identifier), DeletionForm()
    form.fill({}, api.version)
    return _danger(api, form)


@routes.post("/admin/apis/danger/<path:identifier>")
@permit("apis:write")
def delete(identifier: str) -> Response:
    """Delete an API, if its name was typed."""
    api = get_resource_server(operation(), identifier)
    form = read_form(DeletionForm, again=url_for("resource_servers.danger", identifier=identifier))
    try:
        if form["name"].data != api.name:
            raise Invalid("name", f"must be {api.name}, letter by letter")
        delete_resource_server(operation(), identifier, version=form.version_seen)
    except Invalid as fault:
        form.refuse(fault)
        return _danger(api, form, 422)
    except Conflict as fault:
        form.fill({}, api.version)
        form.refuse(Invalid("name", f"was typed in vain: {fault}"))
        return _danger(api, form, 409)
    return done(url_for("resource_servers.index"), f"{api.name} was deleted.")


def _ask(form: NewApiForm, status: int = 200) -> Response:
    values = {"form": form, "entries": form.entries, "here": url_for("resource_servers.ask")}
    made = [("--identifier", "https://api.example.com"), ("--name", "Orders"), ("--scope", "orders:read=See your orders")]
    body = {"identifier": "https://api.example.com", "name": "Orders", "scopes": {"orders:read": "See your orders"}}
    about = Same(command=command("apis", "create", options=made), call=call("apis", method="POST", body=body))
    return show("console/apis/new.html", values, title="New API", status=status, **about)


def _settings(api: ResourceServer, form: ApiForm, differences: Sequence[Difference] = (), status: int = 200) -> Response:
    values = {"form": form, "entries": form.entries, "differences": differences, "here": _here(api)}
    scopes = [("--scope", f"{name}={text}") for name, text in api.scopes.items()]
    body = {"scopes": dict(api.scopes), "lifetime": api.token_lifetime_seconds}
    changed = call(f"apis/{last(api.identifier)}", method="PATCH", body=body, version=api.version)
    return _show(api, "settings", values, Same(command=command("apis", "update", api.identifier, options=scopes), call=changed), status)


def _danger(api: ResourceServer, form: DeletionForm, status: int = 200) -> Response:
    values = {"form": form, "here": url_for("resource_servers.danger", identifier=api.identifier)}
    deleted = call(f"apis/{last(api.identifier)}", method="DELETE", version=api.version)
    return _show(api, "danger", values, Same(command=command("apis", "delete", api.identifier), call=deleted), status)


def _show(api: ResourceServer, tab: str, values: Mapping[str, Any], about: Same, status: int = 200) -> Response:
    label = next(label for name, label, _ in TABS if name == tab)
    tabs = [
        (url_for(f"resource_servers.{name}", identifier=api.identifier), text, name == tab)
        for name, text, permission in TABS
        if may(permission)
    ]
    around = {"api": _describe(api), "tabs": tabs, **values}
    return show(f"console/apis/{tab}.html", around, title=f"{api.name}: {label}", status=status, **about)


def _describe(api: ResourceServer) -> dict[str, Any]:
    return {
        "name": api.name,
        "identifier": api.identifier,
        "format": api.token_format,
        "alg": api.signing_alg,
        "scopes": list(api.scopes),
        "lifetime": api.lifetime(operation().runtime.settings.access_token_lifetime),
        "managed_by": api.managed_by,
        "url": _here(api),
        "is_fixed": bool(api.managed_by) or not may("apis:write"),
    }


def _here(api: ResourceServer) -> str:
    return url_for("resource_servers.settings", identifier=api.identifier)
