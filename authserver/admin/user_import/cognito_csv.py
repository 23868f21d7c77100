"""The CSV of Cognito's user import (RFC 4180, and a comma inside a value may be written `\\,`).

AWS: "Creating the user import CSV file". Beside the columns of its header, in any order, there may be `sub`, which
listings have, `cognito:groups` and `enabled`. Only `email` has to be there.
"""

import csv
from collections.abc import Iterator
from typing import TextIO

from authserver.admin.errors import Invalid
from authserver.admin.user_import.attributes import GROUPS, flag, is_known, read_groups, subject_of, values_of
from authserver.admin.user_import.entry import Entry, Refusal


def read_csv(file: TextIO) -> Iterator[Entry | Refusal]:
    """Yield the people of a file that was opened with newline="". Raises Invalid where its header is not Cognito's."""
    rows = csv.reader(file, escapechar="\\")
    header = [name.strip() for name in next(rows, [])]
    _check_header(header)
    while (found := _next_row(rows)) is not None:
        if isinstance(found, Refusal):
            yield found
        elif any(found[1]):
            yield _read_row(header, *found)


def _next_row(rows: "csv._reader") -> tuple[int, list[str]] | Refusal | None:  # type: ignore[name-defined]  # typeshed hides the class
    line = rows.line_num + 1
    try:
        row = next(rows, None)
    except csv.Error as error:
        return Refusal(line, f"cannot be read: {error}")
    return None if row is None else (line, row)


def _check_header(header: list[str]) -> None:
    if "email" not in header:
        raise Invalid("header", "must be that of Cognito's user import, columns separated by commas and one of them email, to sign in with")
    for name in header:
        if not is_known(name):
            raise Invalid("header", f"has a column {name[:100]!r}, which Cognito does not know: leave it out, or call it custom:…")
        if header.count(name) > 1:
            raise Invalid("header", f"has the column {name[:100]!r} twice")


def _read_row(header: list[str], line: int, row: list[str]) -> Entry | Refusal:
    if not _was_utf8(row):
        return Refusal(line, "is not UTF-8: convert the file, as by iconv -f latin1 -t utf-8")
    if len(row) != len(header):
        return Refusal(line, f"has {len(row)} columns, and the header has {len(header)}")
    attributes = {name: text.strip() for name, text in zip(header, row, strict=True)}
    try:
        return Entry(
            line=line,
            email=attributes["email"],
            subject=subject_of(attributes),
            values=values_of(attributes, read_groups(attributes.get(GROUPS, ""))),
            is_enabled=flag("enabled", attributes.get("enabled") or "true"),
        )
    except Invalid as fault:
        return Refusal(line, f"{fault.field} {fault.why}")


def _was_utf8(row: list[str]) -> bool:
    """Tell whether every byte was UTF-8; the file is opened with errors="surrogateescape", so that one bad row is one refusal."""
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
