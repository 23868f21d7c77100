"""JSON that is read as it comes (RFC 8259; one value to a line: NDJSON), so that a file of any length takes little memory.

What is read are values behind one another, the elements of a list, and those of the list `users` or `Users` of an
object that begins with it, or with `hash_config`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TextIO

from authserver.admin.user_import.entry import Refusal

AT_ONCE = 64 * 1024
LONGEST_VALUE = 1024 * 1024
LISTS = ("users", "Users")
_ENVELOPE = re.compile(r'\{\s*"(?:users|Users|hash_config)"\s*:')
_BLANK = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the line that it begins in; `name` is the member of the object around the list, empty for a person."""

    line: int
    value: Any
    name: str = ""


def read_values(file: TextIO) -> Iterator[Found | Refusal]:
    """Yield what a file has. What is no JSON is refused with its line; inside a list nothing can be read behind it."""
    text = _Text(file)
    while first := text.peek():
        if first == "[":
            yield from _elements(text)
        elif text.is_envelope():
            yield from _members(text)
        else:
            yield text.found()


def _members(text: "_Text") -> Iterator[Found | Refusal]:
    text.take()
    while text.peek() not in ("}", ""):
        name = text.found()
        if isinstance(name, Refusal) or text.peek() != ":":
            yield text.give_up(name.line)
            return
        text.take()
        if name.value in LISTS and text.peek() == "[":
            yield from _elements(text)
            continue
        member = text.found()
        if isinstance(member, Refusal):
            yield text.give_up(member.line)
            return
        yield Found(member.line, member.value, str(name.value))
    text.take()


def _elements(text: "_Text") -> Iterator[Found | Refusal]:
    text.take()
    while text.peek() != "]":
        found = text.found()
        if isinstance(found, Refusal):
            yield text.give_up(found.line)
            return
        yield found
    text.take()


class _Text:
    """The part of the file that is being read, and where."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._line = 1
        self._is_whole = False
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def peek(self) -> str:
        """Return the next character that is no blank and no comma; empty at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._go_to(blank.end() if blank else self._at)
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self) -> None:
        """Go behind the next character."""
        self._go_to(min(self._at + 1, len(self._text)))

    def is_envelope(self) -> bool:
        """Tell whether an object begins here that has the list as a member."""
        while len(self._text) - self._at < AT_ONCE // 2 and self._more():
            pass
        return _ENVELOPE.match(self._text, self._at) is not None

    def found(self) -> Found | Refusal:
        """Return the next value, or refuse the line."""
        self.peek()
        line = self._line
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if len(self._text) - self._at < LONGEST_VALUE and self._more():
                    continue
                self._skip_line()
                return Refusal(line, "is no JSON, or too long")
            if end == len(self._text) and self._more():
                continue
            self._go_to(end)
            return Found(line, value)

    def give_up(self, line: int) -> Refusal:
        """Refuse everything from this line on."""
        self._text, self._at, self._is_whole = "", 0, True
        return Refusal(line, "is where the JSON is broken: nothing behind this was read")

    def _skip_line(self) -> None:
        while (end := self._text.find("\n", self._at)) < 0:
            self._go_to(len(self._text))
            if not self._more():
                return
        self._go_to(end)

    def _go_to(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        part = "" if self._is_whole else self._file.read(AT_ONCE)
        self._is_whole = not part
        self._text, self._at = self._text[self._at :] + part, 0
        return bool(part)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
