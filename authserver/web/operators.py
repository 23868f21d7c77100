"""Who operates: an administrator in the console, or the bearer of a token of the admin API; and what each route needs.

A view says what it needs by `@permit`; one that does not is refused, so that nothing is open by mistake. People prove
anew who they are, within five minutes, for keys, secrets and roles (RFC 9470).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from flask import Flask, current_app, g, request

from authserver.admin.authority import Authority
from authserver.admin.operation import Operation
from authserver.web.context import db, runtime

View = TypeVar("View", bound=Callable[..., Any])
Skin = Literal["page", "api"]

FRESH = timedelta(minutes=5)
ADMIT = "authserver.admit"


class Admit(Protocol):
    """Lets an operator in who has a permission (anybody where it is None), or raises why not."""

    def __call__(self, permission: str | None, *, fresh: bool) -> None:
        """Decide."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a view needs: a permission (None: anybody may come), and whether a fresh sign-in."""

    permission: str | None
    fresh: bool
    skin: Skin


@dataclass(frozen=True, slots=True)
class Operator:
    """Who operates. A person has an email, a role and an instant at which they signed in; a client has none of these."""

    authority: Authority
    email: str = ""
    role: str = ""
    session_id: str = ""
    signed_in_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether they signed in just now; a client proves who it is at every token."""
        return self.signed_in_at is None or now - self.signed_in_at <= FRESH


def permit(permission: str | None, *, fresh: bool = False, skin: Skin = "page") -> Callable[[View], View]:
    """Declare what a view needs; goes under the decorator of its route."""

    def declare(view: View) -> View:
        view.need = Need(permission, fresh, skin)  # type: ignore[attr-defined]
        return view

    return declare


def need_of(endpoint: str | None) -> Need | None:
    """Return what the view of an endpoint has declared."""
    found: Need | None = getattr(current_app.view_functions.get(endpoint or ""), "need", None)
    return found


def register(app: Flask, admit: Mapping[Skin, Admit]) -> None:
    """Say who decides for each skin whether somebody may come in; static files need nobody's permission."""
    app.extensions[ADMIT] = admit
    permit(None)(app.view_functions["static"])


def guard() -> None:
    """Let this request's operator in, or raise what the skin raises. A view that declares no need lets nobody in."""
    need = need_of(request.endpoint)
    if need is None:
        raise LookupError(f"the view {request.endpoint} declares no permission")
    admit: Mapping[Skin, Admit] = current_app.extensions[ADMIT]
    admit[need.skin](need.permission, fresh=need.fresh)


def let_in(operator: Operator) -> None:
    """Let somebody operate for the rest of this request."""
    g.operator = operator


def operator() -> Operator | None:
    """Return who operates, if anybody does."""
    found: Operator | None = g.get("operator")
    return found


def operation() -> Operation:
    """Return this request's operation, with the authority of who operates."""
    who = operator()
    return Operation(db(), runtime(), who.authority if who else Authority("nobody", frozenset(), 0))


def may(permission: str) -> bool:
    """Tell whether who operates is permitted something."""
    who = operator()
    return who is not None and who.authority.may(permission)


def is_below(prefix: str) -> bool:
    """Tell whether this request is for something below a path."""
    return request.path == prefix or request.path.startswith(prefix + "/")
