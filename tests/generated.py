"""What is written by the code: tables and examples of the README and docs/, docs/compliance.md. `make docs` writes, a test compares.

A block of a document stands between `<!-- name -->` and `<!-- /name -->`; a whole file between `<!-- file PATH -->` and
`<!-- /file -->`.
"""

import dataclasses
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from authserver.admin.doctor.catalogue import GROUPS
from authserver.runtime.settings import PREFIX, Settings, format_value
from authserver.specs import SPECS
from bench.aws_bill import TABLES, Bill
from tests import compliance

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def specifications() -> str:
    """The specifications spoken, one line each."""
    lines = ["| Specification | |", "|---|---|"]
    return "\n".join(lines + [f"| [{spec.name}]({spec.url}) | {spec.title} |" for spec in SPECS])


def settings() -> str:
    """Every setting with its default."""
    lines = ["| Variable | Default | |", "|---|---|---|"]
    for item in dataclasses.fields(Settings):
        default = "" if item.default is dataclasses.MISSING else format_value(item.default)
        lines.append(
            f"| `{PREFIX}{item.name.upper()}` | {f'`{default}`' if default else ''} | {item.metadata['doc'].replace('|', ' or ')} |"
        )
    return "\n".join(lines)


def checks() -> str:
    """Every check of `authserver doctor`, by what it looks at."""
    lines = []
    for group, parts in GROUPS.items():
        for part in parts:
            lines += [
                "",
                f"### {group}: {part.title}",
                "",
                "| Check | What must hold | Where that is demanded | What to change |",
                "|---|---|---|---|",
            ]
            lines += [f"| `{check.id}` | {check.holds} | {check.section} | {check.fix} |" for check in part.checks]
    return "\n".join(lines[1:])


def fenced(path: str) -> str:
    """A file of this repository as a code block."""
    file = ROOT / path
    return f"```{LANGUAGES.get(file.suffix, file.suffix[1:])}\n{file.read_text().rstrip()}\n```"


BLOCKS: dict[str, Callable[[], str]] = {
    "specifications": specifications,
    "settings": settings,
    "checks": checks,
    **{name: partial(write, Bill()) for name, write in TABLES.items()},
}
LANGUAGES = {".py": "python"}
FILE = re.compile(r"(<!-- file (\S+) -->\n).*?(<!-- /file -->)", re.DOTALL)


def rewritten(document: Path) -> str:
    """Return a document with its blocks as they should be."""
    text = document.read_text()
    for name, write in BLOCKS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, write=write: f"{match[1]}{write()}\n{match[2]}", text)
    return FILE.sub(lambda match: f"{match[1]}{fenced(match[2])}\n{match[3]}", text)


if __name__ == "__main__":
    compliance.TABLE.parent.mkdir(exist_ok=True)
    compliance.TABLE.write_text(compliance.render())
    for document in DOCUMENTS:
        document.write_text(rewritten(document))
