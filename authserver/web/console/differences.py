"""Before and after as differences that people can read: members by their path, lists by what came and what went."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A member that differs; None where it was, or is, not there."""

    name: str
    was: str | None
    now: str | None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two documents."""
    was, now = dict(_members("", before)), dict(_members("", after))
    return [_change(name, was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)]


def written(value: Any) -> str | None:
    """Write a value of a document: text as it is, a list of texts a line each, anything else as JSON; None for nothing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False)


def _members(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        return [member for name, each in value.items() for member in _members(f"{path}.{name}" if path else str(name), each)]
    return [(path, value)] if path else []


def _change(name: str, was: Any, now: Any) -> Change:
    if isinstance(was, list) and isinstance(now, list):
        gone, come = [item for item in was if item not in now], [item for item in now if item not in was]
        if gone or come:
            return Change(name, written(gone) if gone else None, written(come) if come else None)
    return Change(name, written(was), written(now))
