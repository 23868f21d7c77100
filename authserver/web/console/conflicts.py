"""What somebody else changed in a form's document while it was open, for a person to compare and to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Option = tuple[str, str, str]
"""A value, its label, and a hint."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that somebody else changed, or that was typed anew: as it was seen, as it is now, as it was typed."""

    label: str
    seen: str
    now: str
    typed: str


def same(one: Any, other: Any) -> bool:
    """Tell whether two values of a form are the same; what is ticked has no order."""
    return sorted(one) == sorted(other) if isinstance(one, list) and isinstance(other, list) else bool(one == other)


def in_words(value: Any, options: Sequence[Option]) -> str:
    """Write a value of a form as people read it: by the labels of its options, a list a line each."""
    labels = {option[0]: option[1] for option in options}
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(labels.get(str(item), str(item)) for item in value)
    return labels.get(str(value), str(value))
