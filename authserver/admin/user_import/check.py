"""What a person must be like to be taken over: the rules of `users create`, and a `sub` that is a UUID (RFC 9562 section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authserver.admin.errors import Invalid
from authserver.admin.user_claims import check_email, sort_values
from authserver.admin.user_import.entry import Entry, Refusal
from authserver.store.base import read_id
from authserver.store.credential import NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A person who can be stored; `id` is None where the file has none."""

    line: int
    id: bytes | None
    email: str
    columns: Mapping[str, Mapping[str, Any]]
    is_enabled: bool
    password_hash: str | None = field(repr=False)


def check_entry(entry: Entry) -> Checked | Refusal:
    """Return the person, or why they cannot be stored."""
    try:
        return Checked(
            line=entry.line,
            id=None if entry.subject is None else check_subject(entry.subject),
            email=check_email(entry.email),
            columns=sort_values(entry.values),
            is_enabled=entry.is_enabled,
            password_hash=entry.password_hash,
        )
    except Invalid as fault:
        return Refusal(entry.line, f"{fault.field} {fault.why}")


def check_subject(subject: Any) -> bytes:
    """Return the id whose text is exactly this `sub`. Raises Invalid."""
    identifier = read_id(subject) if isinstance(subject, str) else None
    if identifier is None or identifier == NOBODY:
        raise Invalid("sub", "must be a UUID in lower case, as Cognito's are: leave it out, and the person gets a new one")
    return identifier
