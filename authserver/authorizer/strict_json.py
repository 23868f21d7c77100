"""JSON objects that mean one thing only: no repeated member, no NaN (RFC 8259 section 4, RFC 7515 section 5.2)."""

import json
from typing import Any


def read_object(text: str) -> dict[str, Any]:
    """Return the members of a JSON object. Raises ValueError, whose text holds nothing of the input."""
    try:
        value = _decoder.decode(text)
    except (ValueError, RecursionError):
        raise ValueError("not JSON, or a member is repeated") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _no_constant(name: str) -> float:
    raise ValueError("not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unrepeated, parse_constant=_no_constant)
