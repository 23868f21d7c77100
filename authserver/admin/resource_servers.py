"""APIs (resource servers, RFC 6749 section 1.1): what they are called, their scopes, and what their tokens look like."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from authserver.admin.clients import clients_of_api
from authserver.admin.documents import resource_server_document
from authserver.admin.errors import Changed, Conflict, Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.admin.paging import USUAL, Page, every, page_of
from authserver.admin.searching import is_an_id
from authserver.crypto.jose import ALGORITHMS
from authserver.oauth.access_token import RESERVED
from authserver.oauth.client_metadata import check_resource
from authserver.oauth.client_registration import check_name
from authserver.oauth.redirect_uri import has_dot_segment
from authserver.oauth.scope import OPENID_SCOPES
from authserver.store.client import find_client
from authserver.store.resource_server import (
    ResourceServer,
    find_resource_server,
    insert_resource_server,
    list_resource_servers,
    update_resource_server,
)
from authserver.store.resource_server import delete_resource_server as delete_row

SHORTEST, LONGEST = 60, 86400
MOST_NAMED = 10
DEFAULTS: Mapping[str, Any] = {
    "scopes": {},
    "token_format": "jwt",
    "signing_alg": "RS256",
    "token_lifetime_seconds": None,
    "claims": {},
    "introspected_by": [],
}


def create_resource_server(operation: Operation, identifier: str, name: str, values: Mapping[str, Any]) -> ResourceServer:
    """Register an API; `values` are columns of its table. Raises Invalid, Conflict."""
    checked = {**DEFAULTS, **_check(operation, values)}
    row = {"identifier": _check_identifier(operation, identifier), "name": check_name("name", name), **checked}
    now = operation.now()
    fixed = {"version": 1, "created_at": now, "updated_at": now, "managed_by": operation.owner}
    insert_resource_server(operation.db, row | fixed)
    api = get_resource_server(operation, identifier)
    operation.note("api.create", details={"identifier": identifier}, after=resource_server_document(api))
    return api


def get_resource_server(operation: Operation, identifier: str) -> ResourceServer:
    """Return an API. Raises NotFound."""
    api = find_resource_server(operation.db, identifier) if is_an_id(identifier) else None
    if api is None:
        raise NotFound(f"there is no API {identifier!r}")
    return api


def every_resource_server(operation: Operation) -> Iterable[ResourceServer]:
    """Return all APIs by identifier."""
    return every(lambda after: list_resource_servers(operation.db, after=after, limit=100), lambda api: api.identifier)


def page_of_resource_servers(operation: Operation, *, q: str = "", page_token: str = "", page_size: int = USUAL) -> Page[ResourceServer]:
    """List APIs by identifier; `q` is the beginning of the identifier, with or without https://. Raises Invalid."""
    if not is_an_id(q):
        return Page([])
    prefix = q.strip() if "://" in q or not q.strip() else f"https://{q.strip()}"
    return page_of(
        operation,
        f"apis {prefix}",
        page_token,
        page_size,
        lambda after, limit: list_resource_servers(operation.db, after=after or "", prefix=prefix, limit=limit),
        lambda api: api.identifier,
    )


def change_resource_server(
    operation: Operation, identifier: str, values: Mapping[str, Any], *, version: int | None = None
) -> ResourceServer:
    """Change an API's columns; `version` is the one that was seen.

    Raises NotFound, Invalid, Changed, Conflict (a scope that a client still has cannot go).
    """
    api = _open(operation, identifier, version)
    checked = _check(operation, values)
    gone = set(api.scopes) - set(checked.get("scopes", api.scopes))
    _refuse_if_used(operation, identifier, gone)
    changes = {**checked, "managed_by": operation.owner, "updated_at": operation.now()}
    if not update_resource_server(operation.db, identifier, api.version, changes):
        raise Changed(f"API {identifier} was changed by somebody else meanwhile: try again", find_resource_server(operation.db, identifier))
    after = get_resource_server(operation, identifier)
    before = resource_server_document(api)
    operation.note("api.update", details={"identifier": identifier}, before=before, after=resource_server_document(after))
    return after


def delete_resource_server(operation: Operation, identifier: str, *, version: int | None = None) -> None:
    """Delete an API. Raises NotFound, Changed, and Conflict while a client may ask for it."""
    api = _open(operation, identifier, version)
    users = [client.client_id for client in islice(clients_of_api(operation, identifier), MOST_NAMED)]
    if users:
        raise Conflict(f"clients may still ask for {identifier}: {', '.join(users)}; take it away from them first (clients update)")
    delete_row(operation.db, identifier)
    operation.note("api.delete", details={"identifier": identifier}, before=resource_server_document(api))


def _open(operation: Operation, identifier: str, version: int | None) -> ResourceServer:
    """Return an API that is to be changed. Raises NotFound, Conflict, Changed where it is not at that version."""
    api = get_resource_server(operation, identifier)
    operation.refuse_if_managed(f"API {identifier}", api.managed_by)
    if version is not None and version != api.version:
        raise Changed(f"API {identifier} was changed by somebody else meanwhile", api)
    return api


def _check_identifier(operation: Operation, identifier: str) -> str:
    try:
        check_resource(identifier)
    except ValueError as error:
        raise Invalid("identifier", str(error)) from None
    if has_dot_segment(identifier):  # the console's own forms would be sent elsewhere
        raise Invalid("identifier", "must not contain the path segments . and ..")
    if identifier == operation.runtime.settings.issuer:
        raise Invalid("identifier", "must not be the issuer, which is the audience of tokens for userinfo")
    if find_resource_server(operation.db, identifier) is not None:
        raise Conflict(f"there is an API {identifier!r} already")
    if find_client(operation.db, identifier) is not None:
        raise Conflict("there is a client of that name, whose ID tokens the API would take for its own")
    return identifier


def _check(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for field, value in values.items():
        if field not in CHECKS:
            raise Invalid(field, f"is not one of {', '.join(CHECKS)}")
        checked[field] = CHECKS[field](operation, field, value)
    return checked


def _check_scopes(_operation: Operation, field: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > 200:
        raise Invalid(field, "must be texts by scope")
    return {_check_scope(field, scope): check_name(field, shown, 300) for scope, shown in value.items()}


def _check_scope(field: str, scope: Any) -> str:
    if not isinstance(scope, str) or not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}", scope):
        raise Invalid(field, "must be named by 1 to 100 ASCII characters without spaces, quotes and backslashes (RFC 6749 section 3.3)")
    if scope in OPENID_SCOPES:
        raise Invalid(field, f"must not contain {scope}, which is a scope of OpenID Connect")
    return scope


def _check_claims(_operation: Operation, field: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > 50:
        raise Invalid(field, "must be attributes by claim")
    for claim, attribute in value.items():
        if not isinstance(claim, str) or not re.fullmatch(r"[\x21-\x7e]{1,200}", claim):
            raise Invalid(field, "must be named by 1 to 200 ASCII characters without spaces")
        if claim in RESERVED:
            raise Invalid(field, f"must not contain {claim}, which has a meaning of its own in every token")
        check_name(field, attribute)
    return dict(value)


def _check_introspected_by(operation: Operation, field: str, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(client_id, str) for client_id in value):
        raise Invalid(field, "must be a list of client ids")
    for client_id in value:
        client = find_client(operation.db, client_id)
        if client is None:
            raise Invalid(field, f"must name clients that exist; there is no {client_id}")
        if client.is_public:
            raise Invalid(field, f"must name clients that authenticate; {client_id} does not")
    return list(dict.fromkeys(value))


def _check_lifetime(_operation: Operation, field: str, value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not SHORTEST <= value <= LONGEST:
        raise Invalid(field, f"must be between {SHORTEST} seconds and {LONGEST // 3600} hours")
    return value


def _one_of(*options: str) -> Callable[[Operation, str, Any], str]:
    def check(_operation: Operation, field: str, value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise Invalid(field, f"must be one of {', '.join(options)}")
        return value

    return check


def _refuse_if_used(operation: Operation, identifier: str, scopes: set[str]) -> None:
    for client in clients_of_api(operation, identifier) if scopes else ():
        kept = scopes & set(client.scope)
        if kept:
            raise Conflict(f"client {client.client_id} still has the scope {', '.join(sorted(kept))}: take it away first (clients update)")


CHECKS: Mapping[str, Callable[[Operation, str, Any], Any]] = {
    "name": lambda _operation, field, value: check_name(field, value),
    "scopes": _check_scopes,
    "token_format": _one_of("jwt", "opaque"),
    "signing_alg": _one_of(*ALGORITHMS),
    "token_lifetime_seconds": _check_lifetime,
    "claims": _check_claims,
    "introspected_by": _check_introspected_by,
}
