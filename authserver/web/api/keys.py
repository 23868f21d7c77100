"""Keys that sign tokens: listed and rotated (NIST SP 800-57 part 1 section 8)."""

from typing import Literal

from pydantic import Field

from authserver.admin import keys as admin
from authserver.web.api.answers import Answer, created, found
from authserver.web.api.faults import placing
from authserver.web.api.models import Body, Document, Instant
from authserver.web.api.resource import Resource
from authserver.web.operators import operation

keys = Resource("keys", "The keys that sign tokens: announced, signing, retired, removed.")


class KeyDocument(Document):
    """A key; its secret part is never shown."""

    kid: str
    alg: str
    state: Literal["announced", "signing", "retired", "removed"]
    created_at: Instant
    signs_from: Instant
    retired_at: Instant | None
    removed_at: Instant | None


class KeyList(Document):
    """All keys."""

    items: list[KeyDocument]


class NewRotation(Body):
    """Which keys to rotate, and how."""

    algs: list[str] = Field([], max_length=10, description="The algorithms; empty for all that have a key.")
    announce: bool = Field(False, description="Announce the new key, so that verifiers know it before it signs.")
    revoke: bool = Field(False, description="Drop all keys before it: nothing that they signed verifies any more.")


class RotationDocument(Document):
    """A rotation that was made, and all keys as they are now."""

    algs: list[str]
    items: list[KeyDocument]


@keys.get("/keys", "keys:read", answer=KeyList)
def list_keys() -> Answer:
    """List all keys with their state."""
    return found({"items": admin.key_documents(operation())})


@keys.post("/keys/rotations", "keys:write", body=NewRotation, answer=RotationDocument, status=201, fresh=True)
def rotate_keys(body: NewRotation) -> Answer:
    """Let new keys sign at once, or announce them. Verifiers may keep the old key set for hours: announce where you can."""
    with placing({"alg": ("algs",)}):
        algs = admin.rotate(operation(), tuple(body.algs), announce=body.announce, revoke=body.revoke)
    return created({"algs": algs, "items": admin.key_documents(operation())}, ("keys",))
