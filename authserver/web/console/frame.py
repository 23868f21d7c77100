"""The frame of every page of the console: where one can go, who operates, what just happened, the same as a command and a call."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import Response, current_app, request, url_for

from authserver.web.console import notes
from authserver.web.operators import may, operator
from authserver.web.pages import page

FLASH = "flash"
HOME = "overview.index"


class Place(NamedTuple):
    """An entry of the navigation: where it leads, its permission, its icon."""

    label: str
    endpoint: str
    permission: str
    icon: str


PLACES: Mapping[str, tuple[Place, ...]] = {
    "": (Place("Overview", HOME, "audit:read", "overview"),),
    "Registrations": (
        Place("Applications", "clients.index", "clients:read", "box"),
        Place("APIs", "resource_servers.index", "apis:read", "api"),
    ),
    "People": (
        Place("Users", "users.index", "users:read", "people"),
        Place("Sessions", "sessions.index", "sessions:read", "window"),
        Place("Grants", "grants.index", "sessions:read", "grant"),
    ),
    "Server": (
        Place("Keys", "keys.index", "keys:read", "key"),
        Place("Audit log", "audit.index", "audit:read", "log"),
        Place("Recent failures", "failures.index", "audit:read", "alert"),
    ),
    "Help": (Place("Admin API", "api_page.index", "", "book"),),
}


def show(template: str, values: Mapping[str, Any], *, title: str, status: int = 200, command: str = "", call: str = "") -> Response:
    """Render a page for who operates. `command` and `call` do the same on the command line and by the API."""
    from authserver.web.forms import PageForm

    who = operator()
    shared = {
        "title": title,
        "home": url_for(HOME),
        "places": places() if who else [],
        "operator": {"email": who.email, "role": who.role} if who else None,
        "sign_out": url_for("sign_in.end"),
        "mark": PageForm().mark,
        "flash": notes.take(FLASH) or None,
        "command": command,
        "call": call,
    }
    return page(template, {**shared, **values}, status, script=True, connect=True)


def show_anonymous(template: str, values: Mapping[str, Any], *, title: str, status: int = 200) -> Response:
    """Render a page for nobody in particular: without navigation."""
    return show(template, {"places": [], "operator": None, **values}, title=title, status=status)


def done(location: str, message: str = "", *, tone: str = "good", secret: Mapping[str, Any] | None = None) -> Response:
    """Send the browser on after a change; the next page says `message`, and shows `secret` this once (as `notes.take("secret")`)."""
    response = Response(status=303, headers={"Location": location})
    if message:
        notes.leave(response, FLASH, {"message": message, "tone": tone})
    if secret:
        notes.leave(response, "secret", secret)
    return response


def places() -> list[dict[str, Any]]:
    """Return the navigation of who operates: groups of what they may see."""
    groups = [{"title": title, "places": [_place(place) for place in group if _is_open(place)]} for title, group in PLACES.items()]
    return [group for group in groups if group["places"]]


def _is_open(place: Place) -> bool:
    return place.endpoint in current_app.view_functions and (not place.permission or may(place.permission))


def _place(place: Place) -> dict[str, str]:
    url = url_for(place.endpoint)
    here = request.root_path.rstrip("/") + request.path
    is_below = here.startswith(url + "/") and place.endpoint != HOME
    return {"label": place.label, "url": url, "icon": place.icon, "current": "page" if here == url else "true" if is_below else ""}
