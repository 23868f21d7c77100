"""The tabs of an application that only show: the people with access, what happened, and code to paste."""

from collections.abc import Iterable
from typing import Any

from flask import Response, url_for

from authserver.admin.audit import page_of_events
from authserver.admin.grants import end_grants, page_of_grants
from authserver.admin.snippets import Snippet, snippets, verify_snippets
from authserver.web.console.client_editing import apis_of
from authserver.web.console.client_tabs import find, routes, show_client
from authserver.web.console.commands import Same, call, command
from authserver.web.console.frame import done
from authserver.web.console.pager import page_token, pager
from authserver.web.console.rows import event_rows, grant_rows
from authserver.web.forms import PageForm, read_form
from authserver.web.operators import may, operation, permit

MOST_APIS = 3


@routes.get("/admin/applications/people/<path:client_id>")
@permit("sessions:read")
def people(client_id: str) -> Response:
    """List what people gave to the application."""
    client = find(client_id)
    page = page_of_grants(operation(), client_id=client_id, page_token=page_token())
    values = {
        "rows": grant_rows(operation(), page.rows),
        "pager": pager("clients.people", page, client_id=client_id),
        "form": PageForm(),
        "may_end": may("sessions:write"),
        "end_all": url_for("clients.end_people", client_id=client_id),
    }
    about = Same(command=command("grants", "list", options=[("--client", client_id)]), call=call("grants", query={"client_id": client_id}))
    return show_client(client, "clients.people", "people", values, **about)


@routes.post("/admin/applications/people/<path:client_id>")
@permit("sessions:write")
def end_people(client_id: str) -> Response:
    """End all that people gave to the application."""
    here = url_for("clients.people", client_id=client_id)
    read_form(PageForm, again=here)
    ended = end_grants(operation(), client_id=client_id)
    return done(here, f"{ended} {'grant was' if ended == 1 else 'grants were'} ended. Whoever comes back is asked again.")


@routes.get("/admin/applications/activity/<path:client_id>")
@permit("audit:read")
def activity(client_id: str) -> Response:
    """List what happened to and with the application."""
    client = find(client_id)
    page = page_of_events(operation(), client_id=client_id, page_token=page_token())
    values = {"rows": event_rows(operation(), page.rows), "pager": pager("clients.activity", page, client_id=client_id)}
    about = Same(
        command=command("audit", "list", options=[("--client", client_id)]), call=call("audit-events", query={"client_id": client_id})
    )
    return show_client(client, "clients.activity", "activity", values, **about)


@routes.get("/admin/applications/snippets/<path:client_id>")
@permit("clients:read")
def snippets_page(client_id: str) -> Response:
    """Show code to paste: in the application, and in the APIs that take its tokens."""
    client, settings = find(client_id), operation().runtime.settings
    apis = apis_of(client)
    values = {
        "snippets": shown(snippets(settings, client, apis=apis)),
        "apis": [{"name": api.name, "snippets": shown(verify_snippets(settings, api))} for api in apis[:MOST_APIS]],
        "may_drive": may("clients:write"),
        "drive": url_for("test_drive.index", client_id=client_id),
    }
    return show_client(client, "clients.snippets_page", "snippets", values, command=command("clients", "get", client_id))


def shown(found: Iterable[Snippet]) -> list[dict[str, Any]]:
    """Describe snippets for a page."""
    return [{"title": each.title, "about": each.about, "language": each.language, "text": each.text} for each in found]
