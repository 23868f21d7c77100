"""The scopes that each route needs. A route is named as API Gateway names it: `GET /orders/{id}`, `$default`, `$connect`.

What counts is the route that API Gateway matched, never the path that was asked for: so that there is no second
opinion about encoded or doubled slashes. Where there are any routes, one that is not among them is closed.
"""

import re
from collections.abc import Iterable, Mapping

from authserver.authorizer.refusal import SettingsError

ROUTE = r"(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /\S*|\$(default|connect)"
DEFAULT = "$default"
CONNECT = "$connect"

Routes = Mapping[str, frozenset[str]]


def compile_routes(table: Mapping[str, str], scopes: Iterable[str]) -> Routes:
    """Read scopes by route, with `scopes` added to each. Raises SettingsError."""
    for key in table:
        if not re.fullmatch(ROUTE, key):
            raise SettingsError("AUTHORIZER_ROUTES: a route is written like `GET /orders/{id}`, `ANY /files/{path+}`, $default or $connect")
    return {key: frozenset(text.split()) | frozenset(scopes) for key, text in table.items()}


def needed_scopes(routes: Routes, route: str) -> frozenset[str] | None:
    """Return what a route needs; None where it is closed. A method of its own comes before ANY, `$default` is last."""
    method, _, path = route.partition(" ")
    names = (route,) if route == CONNECT else (route, f"ANY {path}", DEFAULT) if method else (DEFAULT,)
    return next((routes[name] for name in names if name in routes), None)
