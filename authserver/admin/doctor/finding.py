"""A check and what it found: an id that never changes, an outcome, a reason, its section, and what to change (RFC 9700).

A check is a function of what it looks at that yields what is not as it should be; where it yields nothing, what it
`holds` is so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

Outcome = Literal["error", "warning", "skipped", "ok"]
OUTCOMES: tuple[Outcome, ...] = ("error", "warning", "skipped", "ok")
"""The worst first, which is the order in which they are shown."""

Subject = TypeVar("Subject")


class NotSeen(Exception):
    """What a check would look at cannot be had; the text says why. Whatever is at fault has a finding of its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a check saw: why it is so, of what (a client, a key, a file), and what to change where that differs."""

    outcome: Outcome
    reason: str
    about: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a run says of one check; `about` names the client, key or file that is meant, else it is empty."""

    id: str
    outcome: Outcome
    about: str
    reason: str
    section: str
    fix: str

    def document(self) -> dict[str, str]:
        """Return it as a JSON document."""
        return {name: getattr(self, name) for name in ("id", "outcome", "about", "reason", "section", "fix")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[Subject]):
    """A check: `holds` is the sentence that is true where all is well, `section` is where that is demanded."""

    id: str
    holds: str
    section: str
    fix: str
    look: Callable[[Subject], Iterable[Seen]]

    def examine(self, subject: Subject) -> list[Finding]:
        """Look, and return what was found: at least one finding."""
        try:
            seen = list(self.look(subject))
        except NotSeen as missing:
            seen = [Seen("skipped", str(missing))]
        return [self._finding(one) for one in seen or [Seen("ok", self.holds)]]

    def _finding(self, seen: Seen) -> Finding:
        fix = "" if seen.outcome == "ok" else seen.fix or ("" if seen.outcome == "skipped" else self.fix)
        return Finding(id=self.id, outcome=seen.outcome, about=seen.about, reason=seen.reason, section=self.section, fix=fix)


Checks = tuple[Check[Any], ...]


def check(identifier: str, *, holds: str, section: str, fix: str) -> Callable[[Callable[[Subject], Iterable[Seen]]], Check[Subject]]:
    """Make a function a check."""

    def made(look: Callable[[Subject], Iterable[Seen]]) -> Check[Subject]:
        return Check(id=identifier, holds=holds, section=section, fix=fix, look=look)

    return made


def error(reason: str, about: str = "", fix: str = "") -> Seen:
    """Say that something does not work, or is not safe."""
    return Seen("error", reason, about, fix)


def warning(reason: str, about: str = "", fix: str = "") -> Seen:
    """Say that something will not work for long, or is less safe than it could be."""
    return Seen("warning", reason, about, fix)


def skipped(reason: str, about: str = "", fix: str = "") -> Seen:
    """Say why something was not looked at."""
    return Seen("skipped", reason, about, fix)
