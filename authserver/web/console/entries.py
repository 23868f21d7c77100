"""Entries of the console's forms: each reads what people type into the value that admin/ takes, and shows that value again.

A form of entries edits one document. It remembers the version and the texts that the person saw, so that a change by
somebody else in between is noticed, shown beside what was typed, and nothing of either is lost.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField, Field, SelectMultipleField, StringField

from authserver.admin.errors import Invalid
from authserver.oauth.client_metadata import is_plain
from authserver.runtime.settings import format_duration, parse_duration, seconds
from authserver.web.console.conflicts import Difference, Option, in_words, same
from authserver.web.forms import PageForm


class Entry(Field):
    """What every entry knows of its looks; `kind` chooses them in templates/console/macros.html."""

    kind = "text"
    rows = 0
    mono = False
    short = False
    optional = False
    options: Sequence[Option] = ()

    def __init__(self, label: str, hint: str = "", **looks: Any) -> None:
        """`looks` are the attributes above, and what WTForms passes on."""
        for name in [name for name in looks if hasattr(Entry, name) and name != "name"]:
            setattr(self, name, looks.pop(name))
        super().__init__(label, description=hint, **looks)

    def read(self) -> Any:
        """Return the value that admin/ takes; None for none. Raises Invalid."""
        return self.data or None

    def show(self, value: Any) -> Any:
        """Return what the form shows for a value."""
        return "" if value is None else value


class Text(Entry, StringField):
    """One line of text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text without the space around it, and with the line ends that JSON has."""
        self.data = valuelist[0].replace("\r\n", "\n").strip() if valuelist else ""


class Lines(Text):
    """A list, one item per line."""

    rows = 3
    mono = True

    def read(self) -> list[str] | None:
        """Return the lines that have something on them; None for none, where it may be left out."""
        lines = [line.strip() for line in (self.data or "").splitlines() if line.strip()]
        return lines or (None if self.optional else [])

    def show(self, value: Any) -> str:
        """Write the items."""
        return "\n".join(value or [])


class Span(Text):
    """A time, written as in the settings: `90`, `10m`, `24h`, `14d`."""

    short = True

    def read(self) -> int | None:
        """Return seconds. Raises Invalid."""
        if not self.data:
            return None
        try:
            return int(parse_duration(self.data).total_seconds())
        except ValueError:
            raise Invalid(self.name, "must be a time like 10m, 24h or 14d") from None

    def show(self, value: Any) -> str:
        """Write seconds."""
        return "" if value is None else format_duration(seconds(value))


class Document(Text):
    """A JSON document."""

    rows = 5
    mono = True

    def read(self) -> Any:
        """Return the document. Raises Invalid."""
        if not self.data:
            return None
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            raise Invalid(self.name, "must be JSON") from None

    def show(self, value: Any) -> str:
        """Write the document."""
        return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


class Pairs(Text):
    """Texts by name, one per line: `name = text`."""

    rows = 4

    def read(self) -> dict[str, str]:
        """Return the pairs. Raises Invalid."""
        pairs: dict[str, str] = {}
        for line in filter(str.strip, (self.data or "").splitlines()):
            name, equals, text = line.partition("=")
            if not equals or not name.strip() or not text.strip():
                raise Invalid(self.name, f"must be written as name = text, one per line: {line.strip()[:100]}")
            if name.strip() in pairs:
                raise Invalid(self.name, f"must name each only once: {name.strip()[:100]}")
            pairs[name.strip()] = text.strip()
        return pairs

    def show(self, value: Any) -> str:
        """Write the pairs."""
        return "\n".join(f"{name} = {text}" for name, text in (value or {}).items())


class Choice(Text):
    """One of some options: radio buttons, or, as `kind="select"`, a list that opens."""

    kind = "choice"


class Several(Entry, SelectMultipleField):
    """Some of some options: check boxes."""

    kind = "checks"

    def __init__(self, label: str, hint: str = "", **looks: Any) -> None:
        """Leave it to admin/ which values there are."""
        super().__init__(label, hint, validate_choice=False, choices=[], **looks)

    def read(self) -> list[str]:
        """Return what was ticked."""
        return list(self.data or [])

    def show(self, value: Any) -> list[str]:
        """Return what is to be ticked."""
        return list(value or [])


class Flag(Entry, BooleanField):
    """A check box."""

    kind = "flag"

    def read(self) -> bool:
        """Tell whether it was ticked."""
        return bool(self.data)

    def show(self, value: Any) -> bool:
        """Tell whether it is to be ticked."""
        return bool(value)


class DocumentForm(PageForm):
    """A form that edits one document."""

    version = StringField()
    seen = StringField()

    @property
    def entries(self) -> list[Entry]:
        """The entries, in the order in which they are shown."""
        return [field for field in self if isinstance(field, Entry)]

    @property
    def messages(self) -> dict[str, str]:
        """The fault of each entry that has one; those of none are the page's."""
        return {str(name or "main"): faults[0] for name, faults in self.errors.items() if faults}

    @property
    def version_seen(self) -> int:
        """The version that the person saw; 0 for what is no version, which no row ever has."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

    def fill(self, document: Mapping[str, Any], version: int = 0) -> None:
        """Show a document as it is stored."""
        for entry in self.entries:
            entry.data = entry.show(document.get(entry.name))
        self._remember(document, version)

    def values(self) -> dict[str, Any]:
        """Return the values of all entries. Raises Invalid."""
        return {entry.name: entry.read() for entry in self.entries}

    def refuse(self, fault: Invalid) -> None:
        """Show a fault at its entry."""
        if fault.field in self:
            entry = self[fault.field]
            entry.errors = [*entry.errors, f"{entry.label.text} {fault.why}"]
        else:
            self.form_errors.append(f"{fault.field} {fault.why}")

    def merge(self, document: Mapping[str, Any], version: int) -> list[Difference]:
        """Take over what somebody else changed meanwhile, except where something else was typed; return what differs."""
        seen, found = self._recall(), []
        for entry in self.entries:
            now, typed = entry.show(document.get(entry.name)), entry.data
            before = seen.get(entry.name, now)
            if not (same(before, now) and same(now, typed)):
                found.append(Difference(entry.label.text, *(in_words(value, entry.options) for value in (before, now, typed))))
            if same(typed, before):
                entry.data = now
        self._remember(document, version)
        return found

    def _remember(self, document: Mapping[str, Any], version: int) -> None:
        self.version.data = str(version)
        self.seen.data = json.dumps({entry.name: entry.show(document.get(entry.name)) for entry in self.entries})

    def _recall(self) -> dict[str, Any]:
        try:
            seen = json.loads(self.seen.data or "{}")
        except (ValueError, RecursionError):
            return {}
        return {name: value for name, value in seen.items() if _is_shown(value)} if isinstance(seen, dict) else {}


def _is_shown(value: Any) -> bool:
    """Tell whether an entry can have shown a value: a text, a tick, or several texts."""
    several = value if isinstance(value, list) else [value]
    return is_plain(value) and all(isinstance(each, (str, bool)) for each in several)
