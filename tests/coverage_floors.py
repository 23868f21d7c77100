"""Coverage floors: every line and branch in the rooms where a miss is a hole, 95 % over all. Run after `make test`."""

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage

WHOLLY = ("authserver/authorizer", "authserver/oauth", "authserver/oidc", "authserver/identity", "authserver/crypto")
FLOORS = {**dict.fromkeys(WHOLLY, 100.0), "authserver": 95.0}


def percent(files: dict[str, dict[str, dict[str, int]]], room: str) -> tuple[float, list[str]]:
    """Return how much of a room is covered, and its files that are not wholly."""
    covered = total = 0
    short = []
    for name, report in files.items():
        if name.startswith(room + "/"):
            summary = report["summary"]
            of_file = summary["num_statements"] + summary["num_branches"]
            in_file = summary["covered_lines"] + summary["covered_branches"]
            covered, total = covered + in_file, total + of_file
            if in_file < of_file:
                missing = report["missing_lines"] or report["missing_branches"]
                short.append(f"  {name}: {missing}")
    return 100.0 * covered / max(total, 1), short


def main() -> int:
    coverage = Coverage()
    coverage.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        coverage.json_report(outfile=file.name)
        files = json.loads(Path(file.name).read_text())["files"]
    failed = False
    for room, floor in FLOORS.items():
        reached, short = percent(files, room)
        print(f"{room:<22} {reached:6.2f} %  (floor {floor:g} %)")
        if reached < floor:
            failed = True
            print("\n".join(short))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
