"""What is to be done so that the database is as a file wants it: one step for each thing that is not."""

from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["create", "change", "take_over", "delete", "release", "leave"]
What = Literal["api", "client", "role"]
Leftovers = Literal["leave", "delete", "release"]
"""What becomes of what the file owns and no longer names."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs; of a secret, `after` says where it comes from."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that is not as the file wants it. `is_taken_over`: nobody owned it until now."""

    action: Action
    what: What
    identifier: str
    changes: tuple[Change, ...] = ()
    is_taken_over: bool = False

    def changed(self, field: str) -> bool:
        """Tell whether a field differs."""
        return any(change.field == field for change in self.changes)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, APIs first, then clients, then roles."""

    steps: tuple[Step, ...]

    @property
    def has_difference(self) -> bool:
        """Tell whether the file and the database differ in more than in who owns what."""
        return any(step.action not in ("take_over", "leave") for step in self.steps)

    @property
    def is_done(self) -> bool:
        """Tell whether there is nothing at all to do."""
        return all(step.action == "leave" for step in self.steps)

    def of(self, what: str, *actions: Action) -> list[Step]:
        """Return the steps of a kind."""
        return [step for step in self.steps if step.what == what and step.action in actions]
