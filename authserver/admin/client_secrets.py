"""Client secrets: at most two live at a time, so that a rotation needs no outage; only digests are stored."""

import re
from datetime import timedelta

from authserver.admin.errors import Conflict, Invalid
from authserver.admin.operation import Operation
from authserver.crypto.digest import digest, new_token
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.store.client import Client, drop_secrets, expire_secrets, find_secret_by_digest, insert_secret

LEAST_CHARACTERS = 20


def new_secret(operation: Operation, client_id: str, given: str | None = None) -> str:
    """Add a secret of 256 random bits, or the given one, and return it. Raises Invalid, Conflict."""
    secret = new_token(operation.runtime.new_secret) if given is None else _check(given)
    if find_secret_by_digest(operation.db, digest(secret)) is not None:
        raise Conflict("this secret is in use already")
    insert_secret(operation.db, digest(secret), client_id, operation.now())
    return secret


def rotate_secret(operation: Operation, client: Client, overlap: timedelta, given: str | None = None) -> str:
    """Add a secret and return it; the newest one before works for `overlap` more, older ones end now."""
    if client.auth_method not in SECRET_METHODS:
        raise Conflict(f"client {client.client_id} has no secret: it authenticates by {client.auth_method}")
    now = operation.now()
    drop_secrets(operation.db, client.client_id, keep=1 if overlap else 0)
    expire_secrets(operation.db, client.client_id, now + overlap)
    secret = new_secret(operation, client.client_id, given)
    operation.note("client.rotate_secret", client_id=client.client_id, details={"overlap_seconds": int(overlap.total_seconds())})
    return secret


def drop_all_secrets(operation: Operation, client_id: str) -> None:
    """Delete the secrets of a client that authenticates in another way."""
    drop_secrets(operation.db, client_id, keep=0)


def _check(secret: str) -> str:
    if len(secret) < LEAST_CHARACTERS:
        raise Invalid(
            "secret", f"must have at least {LEAST_CHARACTERS} characters: a digest of it is stored, which would give a short one away"
        )
    if not re.fullmatch(r"[\x20-\x7e]{20,1024}", secret):
        raise Invalid("secret", "must be at most 1024 printable ASCII characters (RFC 6749 appendix A.2)")
    return secret
