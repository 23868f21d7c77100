"""The tabs of an application that edit its metadata: settings, APIs and scopes, tokens. Each is one form over one document.

Somebody else's change in between is shown beside what was typed, and saving again decides.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, url_for

from authserver.admin.clients import Issued, update_client_metadata
from authserver.admin.errors import Changed, Invalid
from authserver.admin.resource_servers import page_of_resource_servers
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer, find_resource_server
from authserver.web.console.client_entries import USUAL, offer, section_form, to_changes, to_document
from authserver.web.console.client_tabs import describe, find, routes, show_client
from authserver.web.console.commands import Same, call, command, last
from authserver.web.console.conflicts import Difference
from authserver.web.console.entries import DocumentForm
from authserver.web.console.frame import done
from authserver.web.forms import read_form
from authserver.web.operators import operation, permit

MOST_OFFERED = 200
CHANGED, REFUSED = 409, 422

Render = Callable[[Client, DocumentForm, Sequence[Difference], int], Response]


@routes.get("/admin/applications/of/<path:client_id>")
@permit("clients:read")
def settings(client_id: str) -> Response:
    """Show how an application is called and where its users come back to."""
    return show_section("settings", client_id, _settings)


@routes.post("/admin/applications/of/<path:client_id>")
@permit("clients:write")
def save_settings(client_id: str) -> Response:
    """Change that."""
    return save_section("settings", client_id, url_for("clients.settings", client_id=client_id), _settings)


@routes.get("/admin/applications/apis/<path:client_id>")
@permit("clients:read")
def apis(client_id: str) -> Response:
    """Show what an application may ask for."""
    return show_section("apis", client_id, _apis)


@routes.post("/admin/applications/apis/<path:client_id>")
@permit("clients:write")
def save_apis(client_id: str) -> Response:
    """Change that."""
    return save_section("apis", client_id, url_for("clients.apis", client_id=client_id), _apis)


@routes.get("/admin/applications/tokens/<path:client_id>")
@permit("clients:read")
def tokens(client_id: str) -> Response:
    """Show what an application's tokens look like."""
    return show_section("tokens", client_id, _tokens)


@routes.post("/admin/applications/tokens/<path:client_id>")
@permit("clients:write")
def save_tokens(client_id: str) -> Response:
    """Change that."""
    return save_section("tokens", client_id, url_for("clients.tokens", client_id=client_id), _tokens)


def show_section(section: str, client_id: str, render: Render) -> Response:
    """Show a section as it is stored."""
    client = find(client_id)
    form = section_form(section, client.kind)()
    form.fill(to_document(client), client.version)
    return _render(render, client, form)


def save_section(section: str, client_id: str, here: str, render: Render) -> Response:
    """Store what was typed in a section, and go back `here`; or show the form again, with what is wrong or what differs."""
    client = find(client_id)
    form = read_form(section_form(section, client.kind), again=here)
    try:
        changes = to_changes(form.values())
        issued = update_client_metadata(operation(), client_id, changes, version=form.version_seen)
    except Invalid as fault:
        form.refuse(fault)
        return _render(render, client, form, status=REFUSED)
    except Changed as fault:
        current: Client = fault.current or client
        offer(form, current, offered_apis(current))
        return _render(render, current, form, form.merge(to_document(current), current.version), CHANGED)
    return done(here, "Saved.", secret=_secret(issued))


def apis_of(client: Client) -> list[ResourceServer]:
    """Return the APIs that a client may ask for, its default one first."""
    found = (find_resource_server(operation().db, identifier) for identifier in client.apis)
    return [api for api in found if api is not None]


def offered_apis(client: Client) -> list[ResourceServer]:
    """Return the APIs to choose from: the client's own, then the first ones of the list."""
    own = apis_of(client)
    return [*own, *(api for api in page_of_resource_servers(operation(), page_size=MOST_OFFERED).rows if api not in own)]


def change_commands(client: Client, changes: dict[str, Any]) -> Same:
    """Write how a client's metadata is changed otherwise."""
    options = [("--set", f"{name}={_as_argument(value)}") for name, value in changes.items()]
    body = call(f"clients/{last(client.client_id)}", method="PATCH", body=changes, version=client.version)
    return Same(command=command("clients", "update", client.client_id, options=options), call=body)


def _settings(client: Client, form: DocumentForm, differences: Sequence[Difference], status: int) -> Response:
    values = {
        **_shared(form, differences, "clients.settings", client),
        "usual": [entry for entry in form.entries if entry.name in USUAL],
        "advanced": [entry for entry in form.entries if entry.name not in USUAL],
        "is_open": any(name not in USUAL for name in form.messages),
    }
    names = [name for name in ("redirect_uris", "consent") if name in form]
    return _show(client, "clients.settings", "settings", values, status, names or ["client_uri"])


def _apis(client: Client, form: DocumentForm, differences: Sequence[Difference], status: int) -> Response:
    own = [{"name": api.name, "identifier": api.identifier, "url": _api_url(api)} for api in apis_of(client)]
    values = {**_shared(form, differences, "clients.apis", client), "own": own, "has_apis": bool(form["apis"].options)}
    return _show(client, "clients.apis", "apis", values, status, ["apis", "scope"])


def _tokens(client: Client, form: DocumentForm, differences: Sequence[Difference], status: int) -> Response:
    usual = operation().runtime.settings.access_token_lifetime
    lives = [
        {"name": api.name, "url": _api_url(api), "format": api.token_format, "alg": api.signing_alg, "lifetime": api.lifetime(usual)}
        for api in apis_of(client)
    ]
    values = {**_shared(form, differences, "clients.tokens", client), "lives": lives}
    names = [name for name in ("refresh_token_lifetime", "grant_types") if name in form]
    return _show(client, "clients.tokens", "tokens", values, status, names)


def _shared(form: DocumentForm, differences: Sequence[Difference], view: str, client: Client) -> dict[str, Any]:
    return {
        "form": form,
        "entries": form.entries,
        "differences": differences,
        "here": url_for(view, client_id=client.client_id),
        "is_fixed": not describe(client)["may_change"],
    }


def _show(client: Client, view: str, template: str, values: dict[str, Any], status: int, names: list[str]) -> Response:
    document = {**client.metadata, "scope": client.metadata["scope"]}
    changes = {name: document.get(name) for name in names}
    return show_client(client, view, template, values, status=status, **change_commands(client, changes))


def _render(render: Render, client: Client, form: DocumentForm, differences: Sequence[Difference] = (), status: int = 200) -> Response:
    offer(form, client, offered_apis(client))
    return render(client, form, differences, status)


def _secret(issued: Issued) -> dict[str, str] | None:
    return {"client_id": issued.client.client_id, "client_secret": issued.secret} if issued.secret else None


def _api_url(api: ResourceServer) -> str:
    return url_for("resource_servers.settings", identifier=api.identifier)


def _as_argument(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)
