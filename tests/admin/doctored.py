"""What tests of the doctor read out of its report."""

from authserver.admin.doctor.finding import Part, Report


def problems(report: Report) -> dict[str, str]:
    """The findings that are errors or warnings, as one text per check."""
    found: dict[str, str] = {}
    for finding in report.findings:
        if finding.outcome in ("error", "warning"):
            found[finding.id] = f"{found.get(finding.id, '')}{finding.outcome}: {finding.about} {finding.reason}\n"
    return found


def skips(report: Report) -> dict[str, str]:
    """The reasons why checks were left out."""
    return {finding.id: finding.reason for finding in report.findings if finding.outcome == "skipped"}


def ids(*parts: Part) -> list[str]:
    """The ids of all checks of some parts, in order."""
    return sorted(check.id for part in parts for check in part.checks)
