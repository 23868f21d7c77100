"""Test drives: a short-lived copy of a client, its twin, runs the real flow and is deleted with all that it got.

The client itself stays as it is: its redirect URIs, its secrets, its grants. What differs in the twin is its id, its
one redirect URI, and, for a client with keys of its own, that it authenticates by a secret.
"""

from dataclasses import dataclass
from datetime import timedelta

from authserver.admin.clients import get_client
from authserver.admin.errors import Conflict, Invalid
from authserver.admin.operation import Operation
from authserver.admin.reach import refuse_beyond_reach
from authserver.crypto.digest import digest, new_token
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.store.access_token import delete_client_tokens
from authserver.store.authorization_code import delete_client_codes
from authserver.store.authorization_request import delete_client_requests
from authserver.store.client import TEST_DRIVE, Client, delete_client, find_client, insert_client, insert_secret, list_owned_clients
from authserver.store.consent import forget_consents
from authserver.store.grant import delete_grants

LIFETIME = timedelta(minutes=10)
DRIVABLE = ("spa", "native", "web", "service")


@dataclass(frozen=True, slots=True)
class Twin:
    """The copy of a client, and its secret where it has one."""

    client: Client
    secret: str | None


def begin_test_drive(operation: Operation, client_id: str, redirect_uri: str) -> Twin:
    """Make the twin of a client. Raises NotFound, Invalid, Conflict (it is disabled), Forbidden."""
    client = get_client(operation, client_id)
    if client.kind not in DRIVABLE:
        raise Invalid("kind", f"of a test drive must be one of {', '.join(DRIVABLE)}")
    if client.disabled_at is not None:
        raise Conflict(f"client {client_id} is disabled")
    refuse_beyond_reach(operation, client.metadata)
    end_old_test_drives(operation)
    twin = _insert_twin(operation, client, redirect_uri)
    secret = None if twin.is_public else new_token(operation.runtime.new_secret)
    if secret is not None:
        insert_secret(operation.db, digest(secret), twin.client_id, operation.now(), operation.now() + LIFETIME)
    operation.note("client.test_drive", client_id=client_id)
    return Twin(twin, secret)


def find_twin(operation: Operation, twin_id: str) -> Client | None:
    """Look a twin up; None where it is over."""
    client = find_client(operation.db, twin_id)
    is_live = client is not None and client.managed_by == TEST_DRIVE and operation.now() < client.created_at + LIFETIME
    return client if is_live else None


def end_test_drive(operation: Operation, twin_id: str) -> None:
    """Delete a twin with its tokens, grants and consents; what is no twin stays."""
    client = find_client(operation.db, twin_id)
    if client is None or client.managed_by != TEST_DRIVE:
        return
    for forget in (delete_client_tokens, delete_client_codes, delete_client_requests):
        forget(operation.db, twin_id)
    forget_consents(operation.db, client_id=twin_id)
    delete_grants(operation.db, client_id=twin_id)
    delete_client(operation.db, twin_id)


def end_old_test_drives(operation: Operation) -> int:
    """Delete the twins that nobody finished; return how many."""
    old = [twin_id for twin_id in list_owned_clients(operation.db, TEST_DRIVE) if find_twin(operation, twin_id) is None]
    for twin_id in old:
        end_test_drive(operation, twin_id)
    return len(old)


def _insert_twin(operation: Operation, client: Client, redirect_uri: str) -> Client:
    has_redirects = bool(client.metadata["redirect_uris"])
    metadata = {**client.metadata, "redirect_uris": [redirect_uri] * has_redirects, "response_modes": ["query"] * has_redirects}
    metadata |= {"post_logout_redirect_uris": [], "allowed_origins": [], "token_endpoint_auth_method": _auth_method(client)}
    for keys in ("jwks", "jwks_uri"):
        metadata.pop(keys, None)
    twin_id, now = f"{TEST_DRIVE}-{operation.runtime.new_secret(10).hex()}", operation.now()
    row = {"client_id": twin_id, "kind": client.kind, "client_name": client.client_name, "metadata": metadata}
    fixed = {"version": 1, "created_at": now, "updated_at": now, "disabled_at": None, "managed_by": TEST_DRIVE}
    insert_client(operation.db, row | fixed, ())
    return get_client(operation, twin_id)


def _auth_method(client: Client) -> str:
    return client.auth_method if client.is_public or client.auth_method in SECRET_METHODS else SECRET_METHODS[0]
