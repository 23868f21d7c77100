"""Client secrets: at most two live at a time, so that a rotation needs no outage; only digests are stored."""

import re
from datetime import timedelta

from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.admin.reach import refuse_beyond_reach
from authserver.crypto.digest import Digest, digest, new_token
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.store.client import (
    Client,
    delete_secret,
    drop_secrets,
    expire_secrets,
    find_client,
    find_secret_by_digest,
    insert_secret,
    lock_client,
)

Given = str | bytes | None
"""A secret that somebody else has made, or its digest alone; None where one is to be made."""

LEAST_CHARACTERS = 20
MOST_OVERLAP = timedelta(days=90)


def new_secret(operation: Operation, client_id: str, given: Given = None) -> str:
    """Add a secret of 256 random bits, or the given one, and return it. Of one that is given as its digest alone, none is
    returned. Raises Invalid, Conflict."""
    secret = new_token(operation.runtime.new_secret) if given is None else "" if isinstance(given, bytes) else _check(given)
    stored = Digest(given) if isinstance(given, bytes) else digest(secret)
    if find_secret_by_digest(operation.db, stored) is not None:
        raise Conflict("this secret is in use already")
    client = find_client(operation.db, client_id)
    newest = max((known.created_at for known in client.secrets), default=None) if client else None
    now = operation.now()
    insert_secret(operation.db, stored, client_id, max(now, newest + timedelta(seconds=1)) if newest else now)
    return secret


def rotate_secret(operation: Operation, client: Client, overlap: timedelta, given: str | None = None) -> str:
    """Add a secret and return it; the newest one before works for `overlap` more, older ones end now.

    Raises Invalid, Conflict, Forbidden.
    """
    refuse_beyond_reach(operation, client.metadata)
    if client.auth_method not in SECRET_METHODS:
        raise Conflict(f"client {client.client_id} has no secret: it authenticates by {client.auth_method}")
    if not timedelta(0) <= overlap <= MOST_OVERLAP:
        raise Invalid("overlap", f"must be between 0 and {MOST_OVERLAP.days} days")
    now = operation.now()
    lock_client(operation.db, client.client_id)  # of two rotations at the same moment, the second one sees the first one's secret
    drop_secrets(operation.db, client.client_id, keep=1 if overlap else 0)
    expire_secrets(operation.db, client.client_id, now + overlap)
    secret = new_secret(operation, client.client_id, given)
    operation.note("client.rotate_secret", client_id=client.client_id, details={"overlap_seconds": int(overlap.total_seconds())})
    return secret


def drop_secret(operation: Operation, client: Client, secret_id: str) -> None:
    """End one of the secrets of a client now, but not its last one. Raises NotFound, Conflict, Forbidden."""
    refuse_beyond_reach(operation, client.metadata)
    found = next((secret for secret in client.secrets if secret.id == secret_id), None)
    if found is None:
        raise NotFound(f"client {client.client_id} has no secret {secret_id!r}")
    if not any(secret.is_live(operation.now()) for secret in client.secrets if secret is not found):
        raise Conflict("this is the only secret that works: rotate it instead, or disable the client")
    delete_secret(operation.db, found.digest)
    operation.note("client.drop_secret", client_id=client.client_id, details={"secret": secret_id})


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
