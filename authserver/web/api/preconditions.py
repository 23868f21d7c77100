"""If-Match (RFC 9110 section 13.1.1): a change is made only to what the caller has seen; an entity tag is a row's version."""

import re
from dataclasses import dataclass
from typing import Protocol

from flask import request

from authserver.admin.errors import Changed
from authserver.web.api.problems import Refused

ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')


class Versioned(Protocol):
    """A row that counts its changes."""

    @property
    def version(self) -> int:
        """Its number of changes and one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a change may be made to; None where the caller does not care."""

    tags: frozenset[str] | None

    def check(self, row: Versioned) -> int | None:
        """Return the version that the change is for, None for any. Raises Changed."""
        if self.tags is None:
            return None
        if str(row.version) not in self.tags:
            raise Changed("it is at another version than those that If-Match names", row)
        return row.version


def read_expected() -> Expected:
    """Read If-Match; weak tags never match (section 8.8.3.2). Raises Refused."""
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return Expected(None)
    tags, end = set(), 0
    while end < len(header):
        match = ENTITY_TAG.match(header, end)
        if match is None:
            raise Refused("malformed-request", 'If-Match must be * or entity tags, like "3".')
        tags |= set() if match[1] else {match[2]}
        end = match.end()
    return Expected(frozenset(tags))


def is_conditional() -> bool:
    """Tell whether the caller named what the change is for."""
    return read_expected().tags is not None
