"""Client authentication (RFC 6749 section 2.3): detect the one method presented, find the client, match, verify.

One file per method: secret.py (Basic and body) · assertion.py (private_key_jwt) · none.py (public clients).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from authserver.oauth.access_token import ready_keys
from authserver.oauth.errors import InvalidClientError, InvalidRequestError, refuse
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server
from authserver.store.client import Client

DESCRIPTION = "Client authentication failed: unknown client, wrong or missing credentials, or not the registered method."


@dataclass(frozen=True, slots=True)
class Presented:
    """Who a request says it is from, and its unverified proof."""

    client_id: str
    proof: str


@dataclass(frozen=True, slots=True)
class ClientAuthMethod:
    """A method: `detect` returns what the request presents of it, `verify` tells why the proof is bad, or None."""

    name: str
    detect: Callable[[AsRequest], Presented | None]
    verify: Callable[[Server, Client | None, str], str | None]
    proves: bool = True


def authenticate(server: Server, request: AsRequest) -> Client:
    """Return the client that the request is from. Raises InvalidClientError or InvalidRequestError."""
    method, presented = _detect(server, request)
    named, request.claimed_client = request.payload.client_id, presented.client_id
    if named is not None and named != presented.client_id:
        refuse(InvalidRequestError("The parameter client_id is not the authenticated client."), because="client_id differs")
    client = server.query_client(presented.client_id)
    if client is not None:
        ready_keys(server, client)
    fault = method.verify(server, client, presented.proof)
    if fault is not None and client is not None and (changed := server.reload_client(client)) is not None:
        client, fault = changed, method.verify(server, changed, presented.proof)
    if client is None:
        fail(f"unknown or disabled client {presented.client_id[:64]!r}")
    if client.auth_method != method.name:
        fail(f"client {client.client_id} presented {method.name}, is registered for {client.auth_method}")
    if fault is not None:
        fail(f"client {client.client_id}: {fault}")
    request.auth_method, request.client = method.name, client
    _note_use(server, client)
    return client


def _note_use(server: Server, client: Client) -> None:
    """Remember the day of the client's last use, to be written once a day."""
    used: dict[str, datetime] = server.runtime.caches.memo.setdefault("clients used", {})
    used[client.client_id] = server.now


def fail(because: str) -> NoReturn:
    """Refuse in the same words whatever is wrong."""
    refuse(InvalidClientError(DESCRIPTION, status_code=401), because=because)


def _detect(server: Server, request: AsRequest) -> tuple[ClientAuthMethod, Presented]:
    found = [(method, presented) for method in server.registry.client_auth if (presented := method.detect(request)) is not None]
    proofs = [item for item in found if item[0].proves]
    if len(proofs) > 1:
        refuse(InvalidRequestError("More than one client authentication method is used."), because="several methods")
    if not found:
        fail("no client named")
    return (proofs or found)[0]
