"""The same as a command, the same as an API call: what a page shows or does, written for a shell."""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

from authserver.admin.authority import admin_api
from authserver.web.context import runtime

BREAK = " \\\n    "
MERGE_PATCH = "application/merge-patch+json"


class Same(TypedDict, total=False):
    """The same as what a page shows or does: as a command, as a call."""

    command: str
    call: str


def command(*words: str, options: Iterable[tuple[str, str]] = ()) -> str:
    """Write a command of `authserver`, an option a line where there are many."""
    head = shlex.join(["authserver", *words])
    written = [f"{name} {shlex.quote(value)}".strip() if value else name for name, value in options]
    whole = " ".join([head, *written])
    return whole if len(whole) <= 80 else BREAK.join([head, *written])


def call(
    path: str, *, method: str = "GET", query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None, version: int = 0
) -> str:
    """Write a call of the admin API; `path` begins below it, its last part quoted. `version`: the one that is to be changed."""
    asked = urlencode({name: value for name, value in (query or {}).items() if value})
    address = f"{admin_api(runtime().settings.issuer)}/{path}" + (f"?{asked}" if asked else "")
    lines = ["curl" if method == "GET" else f"curl -X {method}", '-H "Authorization: Bearer $TOKEN"']
    if version:
        lines.append(f"-H 'If-Match: \"{version}\"'")
    if body is not None:
        lines.append(f"-H 'Content-Type: {MERGE_PATCH if method == 'PATCH' else 'application/json'}'")
        lines.append(f"-d {shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))}")
    return BREAK.join([*lines, shlex.quote(address)])


def last(identifier: str) -> str:
    """Quote an identifier as the last part of a path."""
    return quote(identifier, safe="")
