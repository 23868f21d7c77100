"""Resource indicators (RFC 8707): which API a token is for."""

from authserver.oauth.authorization.draft import Draft
from authserver.oauth.errors import InvalidTargetError, refuse
from authserver.oauth.request import Payload
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.store.client import Client


def requested(server: Server, client: Client, payload: Payload) -> tuple[str, ...]:
    """Return the APIs that `resource` names, or the client's default one. Raises InvalidTargetError."""
    named = tuple(dict.fromkeys(payload.datalist.get("resource", ())))
    for identifier in named:
        if identifier not in client.apis or server.query_resource_server(identifier) is None:
            refuse(InvalidTargetError(), because=f"client {client.client_id} may not ask for {identifier[:128]!r}")
    return named or client.apis[:1]


def narrowed(client: Client, payload: Payload, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the granted APIs that `resource` names, or all that the client may still ask for (section 2.2). Raises InvalidTargetError."""
    named = tuple(dict.fromkeys(payload.datalist.get("resource", ())))
    kept = tuple(identifier for identifier in granted if identifier in client.apis)
    if not set(named) <= set(kept) or (granted and not kept):
        refuse(InvalidTargetError(), because="resource was not granted, or is none of the client's any more")
    return named or kept


def check(server: Server, draft: Draft) -> dict[str, object]:
    """Read `resource` of an authorization request."""
    return {"resources": requested(server, draft.client, draft.payload)}


SPEC = Spec(
    name="RFC 8707",
    title="Resource Indicators for OAuth 2.0",
    url="https://www.rfc-editor.org/rfc/rfc8707",
    request_checks=(check,),
    required=True,
)
