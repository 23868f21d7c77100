"""Checks, what they found, and the report of a run: an id that never changes, a reason, its section, what to change (RFC 9700).

A check is a function of what it looks at that yields what is not as it should be. Its docstring is the sentence that is true
where it yields nothing, with the section that demands it in parentheses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

Outcome = Literal["error", "warning", "skipped", "ok"]
OUTCOMES: tuple[Outcome, ...] = ("error", "warning", "skipped", "ok")
"""The worst first, which is the order in which they are shown."""

VERSION = 1


class NotSeen(Exception):
    """What a check would look at cannot be had; the text says why. Whatever is at fault has a finding of its own."""


class Seen(NamedTuple):
    """One thing that a check saw: why it is so, of what (a client, a key, a file), and what to change where that differs."""

    outcome: Outcome
    reason: str
    about: str = ""
    fix: str = ""


error = partial(Seen, "error")
"""Something does not work, or is not safe."""
warning = partial(Seen, "warning")
"""Something will not work for long, or is less safe than it could be."""
skipped = partial(Seen, "skipped")
"""Something was not looked at."""

Look = TypeVar("Look", bound=Callable[[Any], Iterable[Seen]])


class Finding(NamedTuple):
    """What a run says of one check; `about` names the client, key or file that is meant, else it is empty."""

    id: str
    outcome: Outcome
    about: str
    reason: str
    section: str
    fix: str


class Check(NamedTuple):
    """A check: what `holds` where all is well, `section` is where that is demanded, `fix` what to change."""

    id: str
    holds: str
    section: str
    fix: str
    look: Callable[[Any], Iterable[Seen]]

    def examine(self, subject: Any) -> list[Finding]:
        """Look, and return what was found: at least one finding."""
        try:
            found = list(self.look(subject)) or [Seen("ok", self.holds)]
        except NotSeen as missing:
            found = [skipped(str(missing))]
        return [self._finding(seen) for seen in found]

    def _finding(self, seen: Seen) -> Finding:
        fix = (seen.fix or self.fix) if seen.outcome in ("error", "warning") else ""
        return Finding(self.id, seen.outcome, seen.about, seen.reason, self.section, fix)


@dataclass
class Part:
    """Checks of one thing, in the order in which they are made; `title` is for people."""

    title: str
    checks: list[Check] = field(default_factory=list)

    def check(self, identifier: str, fix: str) -> Callable[[Look], Look]:
        """Make a function a check of this part."""

        def add(look: Look) -> Look:
            holds, _, section = (look.__doc__ or "").rpartition(" (")
            self.checks.append(Check(identifier, holds, section.removesuffix(")."), fix, look))
            return look

        return add


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at (an issuer), and what was found, the worst first."""

    target: str
    findings: tuple[Finding, ...]

    def count(self, outcome: Outcome) -> int:
        """Count the findings of an outcome."""
        return sum(finding.outcome == outcome for finding in self.findings)

    def has_failed(self, *, strict: bool = False) -> bool:
        """Tell whether there is an error; or, to be `strict`, a warning."""
        return bool(self.count("error") or (strict and self.count("warning")))

    def document(self) -> dict[str, Any]:
        """Return it as a JSON document: new members may come, none of these goes or changes its meaning."""
        counts = {outcome: self.count(outcome) for outcome in OUTCOMES}
        return {"version": VERSION, "target": self.target, "counts": counts, "findings": [finding._asdict() for finding in self.findings]}


def examine(target: str, *looks: tuple[Part, Any]) -> Report:
    """Run checks, each part of them on what it looks at."""
    found = [finding for part, subject in looks for check in part.checks for finding in check.examine(subject)]
    return Report(target, tuple(sorted(found, key=lambda finding: OUTCOMES.index(finding.outcome))))
