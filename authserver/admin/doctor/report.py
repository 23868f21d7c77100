"""All findings of one run: as a document whose shape is stable, and whether it is a failure (RFC 9700 and others, per finding)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from authserver.admin.doctor.finding import OUTCOMES, Checks, Finding, Outcome

VERSION = 1


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
        return {
            "version": VERSION,
            "target": self.target,
            "counts": {outcome: self.count(outcome) for outcome in OUTCOMES},
            "findings": [finding.document() for finding in self.findings],
        }


def examine(target: str, *parts: tuple[Checks, Any]) -> Report:
    """Run checks, each part of them on what it looks at."""
    found = [finding for checks, subject in parts for check in checks for finding in check.examine(subject)]
    return Report(target, worst_first(found))


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort findings by outcome, and leave those of one outcome in their order."""
    return tuple(sorted(findings, key=lambda finding: OUTCOMES.index(finding.outcome)))
