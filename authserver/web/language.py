"""Which language a person reads, and the texts in it (OpenID Connect Core section 3.1.2.1, ui_locales; gettext).

Catalogs are the .po files themselves, compiled in memory when a page first needs one.
"""

import ast
import gettext as standard
import io
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from flask import request

CHOSEN = "authserver.language"
FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", "de")


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text for translation where it is written; it is translated where it is shown."""
    return text


def prefer(locales: Iterable[str]) -> None:
    """Show this request's pages in the first of the locales that we speak, if we speak one."""
    chosen = first_spoken(locales)
    if chosen is not None:
        request.environ[CHOSEN] = chosen


def first_spoken(locales: Iterable[str]) -> str | None:
    """Return the first language that we speak, whatever its region."""
    tags = (locale.split("-")[0].lower() for locale in locales)
    return next((tag for tag in tags if tag in LANGUAGES), None)


def language() -> str:
    """The language of this request's pages: preferred by the client, else by the browser."""
    return str(request.environ.get(CHOSEN) or first_spoken(request.accept_languages.values()) or LANGUAGES[0])


def gettext(text: str) -> str:
    """Translate a text into the language of this request."""
    return catalog(language()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """Translate a text that depends on a number."""
    return catalog(language()).ngettext(one, many, number)


@cache
def catalog(name: str) -> standard.GNUTranslations:
    """Load the texts of a language."""
    po = (FOLDER / name / "LC_MESSAGES" / "messages.po").read_text(encoding="utf-8")
    return standard.GNUTranslations(io.BytesIO(compile_catalog(read_entries(po))))


def read_entries(po: str) -> dict[str, str]:
    """Read a .po file: translations by message id, plural forms joined by NUL as in a compiled catalog."""
    entries: dict[str, str] = {}
    for block in po.split("\n\n"):
        fields = _fields(block)
        if "msgid" in fields:
            identifier = "\0".join(fields[name] for name in ("msgid", "msgid_plural") if name in fields)
            entries[identifier] = "\0".join(text for name, text in fields.items() if name.startswith("msgstr"))
    return entries


def compile_catalog(entries: dict[str, str]) -> bytes:
    """Write entries in the binary form that gettext reads (GNU gettext manual, "The Format of GNU MO Files")."""
    count = len(entries)
    pairs = sorted((identifier.encode(), text.encode()) for identifier, text in entries.items())
    begin, data = 28 + 16 * count, b""
    identifiers: list[int] = []
    texts: list[int] = []
    for pair in pairs:
        for table, text in zip((identifiers, texts), pair, strict=True):
            table += [len(text), begin + len(data)]
            data += text + b"\0"
    head = [0x950412DE, 0, count, 28, 28 + 8 * count, 0, begin]
    return struct.pack(f"<{7 + 4 * count}I", *head, *identifiers, *texts) + data


def _fields(block: str) -> dict[str, str]:
    """Read one entry; a line that is only a string goes on with the field before it."""
    fields: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        if not line or line.startswith("#"):
            continue
        keyword, _, rest = line.partition('"')
        name = keyword.strip() or name
        fields[name] = fields.get(name, "") + str(ast.literal_eval('"' + rest))
    return fields
