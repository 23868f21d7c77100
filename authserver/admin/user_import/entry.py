"""One person as a file has them, not checked yet, and what is wrong with those who cannot be read (RFC 4180, RFC 8259)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A person at a line of the file. `values` are what `users create --set` takes; a `subject` of None gets a new id."""

    line: int
    email: Any
    subject: Any
    values: Mapping[str, Any]
    is_enabled: bool = True
    password_hash: Any = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the person at a line is not taken over; no hash is ever in it."""

    line: int
    why: str
