"""The audit log as a file: one JSON document a line (NDJSON), or comma-separated values (RFC 4180) that no spreadsheet runs."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

COLUMNS = ("at", "action", "outcome", "actor", "client_id", "subject", "address_prefix", "because", "request_id", "details", "id")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A cell that begins with one of these is a formula to some spreadsheet (OWASP, CSV injection)."""

Document = Mapping[str, Any]


def as_ndjson(documents: Iterable[Document]) -> Iterator[str]:
    """Yield a line for each document."""
    for document in documents:
        yield json.dumps(document, ensure_ascii=False) + "\n"


def as_csv(documents: Iterable[Document]) -> Iterator[str]:
    """Yield a header, and a row for each document."""
    yield ",".join(COLUMNS) + "\r\n"
    for document in documents:
        line = io.StringIO()
        csv.writer(line).writerow([defused(document.get(name)) for name in COLUMNS])
        yield line.getvalue()


def defused(value: object) -> str:
    """Write a cell; what a spreadsheet would run has an apostrophe in front, so that it is shown instead."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" \n").startswith(FORMULA) else text
