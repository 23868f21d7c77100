"""A new application in one page per kind: at most four questions, the rest chosen and explained; then the secret, once."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, url_for

from authserver.admin.authority import OWNER_OF_OUR_OWN
from authserver.admin.clients import create_client
from authserver.admin.errors import Invalid
from authserver.admin.resource_servers import page_of_resource_servers
from authserver.admin.snippets import snippets
from authserver.oauth.client_registration import PROFILES
from authserver.oauth.scope import OPENID_SCOPES
from authserver.store.resource_server import ResourceServer
from authserver.web.console.client_access import shown
from authserver.web.console.client_editing import apis_of
from authserver.web.console.client_entries import CONSENT
from authserver.web.console.client_kinds import KINDS, Kind
from authserver.web.console.client_tabs import describe, find
from authserver.web.console.commands import Same, call, command
from authserver.web.console.credentials import shown_secret
from authserver.web.console.entries import Choice, DocumentForm, Lines, Several, Text
from authserver.web.console.frame import done, show
from authserver.web.errors import PageError
from authserver.web.forms import read_form
from authserver.web.operators import operation, permit

routes = Blueprint("wizard", __name__)

MOST_APIS = 50
NEEDED = {"name": "must be a text of 1 to 200 characters", "redirect_uris": "must name at least one URI"}
LABELS = {"name": "Name", "redirect_uris": "Redirect URIs", "apis": "APIs", "scopes": "Scopes", "consent": "Consent"}


class WizardForm(DocumentForm):
    """The four questions."""

    name = Text("Name", "What people read when they are asked to allow it.")
    redirect_uris = Lines("Redirect URIs", rows=2)
    apis = Several("APIs")
    scopes = Several("Scopes")
    consent = Choice("Who uses it?", options=CONSENT)


@routes.get("/admin/applications/new")
@permit("clients:write")
def kinds() -> Response:
    """Ask what kind of application it is."""
    values = {"kinds": [{**_describe(kind), "url": url_for("wizard.ask", kind=kind.name)} for kind in KINDS.values()]}
    return show("console/applications/kinds.html", values, title="New application", command=command("clients", "create", "--help"))


@routes.get("/admin/applications/new/<kind>")
@permit("clients:write")
def ask(kind: str) -> Response:
    """Ask the questions of a kind."""
    form = _form(kind, WizardForm(data={"consent": "remembered"}))
    return _ask(KINDS[kind], form)


@routes.post("/admin/applications/new/<kind>")
@permit("clients:write")
def create(kind: str) -> Response:
    """Register the application, and show what it needs."""
    here = url_for("wizard.ask", kind=kind)
    form = _form(kind, read_form(WizardForm, again=here))
    if _refuse_what_is_missing(form):
        return _ask(KINDS[kind], form, 422)
    try:
        values = form.values()
        issued = create_client(operation(), kind, values.pop("name") or "", _metadata(kind, values, _offered(kind)))
    except Invalid as fault:
        form.refuse(Invalid({"scope": "scopes"}.get(fault.field, fault.field), fault.why))
        return _ask(KINDS[kind], form, 422)
    client_id = issued.client.client_id
    secret = {"client_id": client_id, "client_secret": issued.secret} if issued.secret else None
    return done(url_for("wizard.created", client_id=client_id), f"{issued.client.client_name} is registered.", secret=secret)


@routes.get("/admin/applications/created/<path:client_id>")
@permit("clients:write")
def created(client_id: str) -> Response:
    """Show the new application's id, its secret this once, code to paste, and what was chosen for it."""
    client, secret = find(client_id), shown_secret(client_id)
    settings, apis = operation().runtime.settings, apis_of(client)
    values = {
        "client": describe(client),
        "kind": _describe(KINDS[client.kind]),
        "issuer": settings.issuer,
        "secret": secret,
        "has_secret": bool(client.secrets),
        "snippets": shown(snippets(settings, client, secret or None, apis)),
        "drive": url_for("test_drive.index", client_id=client_id) if client.kind != "device" else "",
        "credentials": url_for("credentials.index", client_id=client_id),
    }
    metadata = {name: value for name, value in client.metadata.items() if name in ("redirect_uris", "post_logout_redirect_uris", "apis")}
    metadata |= {"scope": client.metadata["scope"], "consent": client.metadata["consent"]}
    about = _commands(client.kind, client.client_name, {name: value for name, value in metadata.items() if value})
    return show("console/applications/created.html", values, title=f"{client.client_name} is registered", **about)


def _form(kind: str, form: WizardForm) -> WizardForm:
    """Leave out the questions that make no sense for a kind."""
    if kind not in KINDS:
        raise PageError("not_found", status=404, because="no such kind of client")
    if not PROFILES[kind].redirects:
        del form.redirect_uris
    if kind == "service":
        del form.consent
    return form


def _refuse_what_is_missing(form: WizardForm) -> bool:
    """Say all at once which questions were not answered; tell whether there are any."""
    missing = [entry for entry in form.entries if entry.name in NEEDED and not entry.read()]
    for entry in missing:
        form.refuse(Invalid(entry.name, NEEDED[entry.name]))
    return bool(missing)


def _ask(kind: Kind, form: WizardForm, status: int = 200) -> Response:
    values = {
        "kind": _describe(kind),
        "form": form,
        "labels": LABELS,
        "apis": [_describe_api(api, form) for api in _offered(kind.name)],
        "asks_redirect": "redirect_uris" in form,
        "asks_consent": "consent" in form,
        "here": url_for("wizard.ask", kind=kind.name),
    }
    example = {"redirect_uris": [kind.example]} if kind.example else {}
    about = _commands(kind.name, "…", example)
    return show("console/applications/wizard.html", values, title=f"New {kind.title.lower()}", status=status, **about)


def _describe(kind: Kind) -> dict[str, Any]:
    names = ("name", "title", "short", "icon", "text", "example", "choices")
    return {name: getattr(kind, name) for name in names}


def _describe_api(api: ResourceServer, form: WizardForm) -> dict[str, Any]:
    is_open = not set(form.scopes.data or ()).isdisjoint(api.scopes)
    return {"identifier": api.identifier, "name": api.name, "scopes": list(api.scopes.items()), "is_open": is_open}


def _offered(kind: str) -> list[ResourceServer]:
    """Return the APIs to choose from. Our own comes last, and for services alone: people are not asked for it."""
    found = page_of_resource_servers(operation(), page_size=MOST_APIS).rows
    ours = [api for api in found if api.managed_by == OWNER_OF_OUR_OWN]
    return [*(api for api in found if api not in ours), *(ours if kind == "service" else ())]


def _metadata(kind: str, values: dict[str, Any], offered: Sequence[ResourceServer]) -> dict[str, Any]:
    """Turn the answers into metadata. A ticked scope ticks its API; an API without ticked scopes has all of its own."""
    scopes, ticked = set(values.pop("scopes")), set(values.pop("apis"))
    chosen = {api.identifier: [scope for scope in api.scopes if scope in scopes] for api in offered}
    apis = [api for api in offered if api.identifier in ticked or chosen[api.identifier]]
    unknown = [identifier for identifier in ticked if identifier not in chosen]
    metadata = {**values, "apis": [*(api.identifier for api in apis), *unknown]}
    if any(chosen[api.identifier] for api in apis):
        people = () if kind == "service" else OPENID_SCOPES
        own = [scope for api in apis for scope in chosen[api.identifier] or api.scopes]
        metadata["scope"] = " ".join([*people, *own])
    if "redirect_uris" in values:
        metadata["post_logout_redirect_uris"] = _after_sign_out(kind, values["redirect_uris"])
    return metadata


def _after_sign_out(kind: str, redirect_uris: Sequence[str]) -> list[str]:
    """Choose where people may go after signing out: a page of the same place, which for a web application is its root."""
    if kind != "web":
        return list(redirect_uris)
    try:
        parts = [urlsplit(uri) for uri in redirect_uris]
    except ValueError:  # such a URI is refused in a moment
        return []
    return list(dict.fromkeys(f"{part.scheme}://{part.netloc}/" for part in parts))


def _commands(kind: str, name: str, metadata: dict[str, Any]) -> Same:
    names = {"redirect_uris": "--redirect-uri", "post_logout_redirect_uris": "--post-logout-redirect-uri", "apis": "--api"}
    lists = [(names[field], value) for field, found in metadata.items() if field in names for value in found]
    scope = [("--scope", metadata["scope"])] if metadata.get("scope") else []
    consent = [("--set", f"consent={metadata['consent']}")] if metadata.get("consent", "remembered") != "remembered" else []
    options = [("--kind", kind), ("--name", name), *lists, *scope, *consent]
    body = {"kind": kind, "client_name": name, **metadata}
    return Same(command=command("clients", "create", options=options), call=call("clients", method="POST", body=body))
