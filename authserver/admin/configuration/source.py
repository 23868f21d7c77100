"""A configuration file as plain values, each with its line (YAML 1.1, JSON included, of which only what nobody misreads).

What YAML reads as something else than it looks like (`no`, `010`, `1:30`, `2026-01-01`), a name that is given twice, tags,
and aliases that grow without bound are refused.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from authserver.admin.errors import Invalid

Path = tuple[str | int, ...]

DEEPEST = 20
ROOM_FOR_ALIASES = 50_000
TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLAIN: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "bool": (re.compile("true|false"), lambda text: text == "true"),
    "int": (re.compile(r"-?(0|[1-9]\d{0,4000})"), int),
    "float": (re.compile(r"-?\d{1,17}\.\d{1,17}([eE][+-]?\d{1,3})?"), float),
    "null": (re.compile(r"null|~|"), lambda _text: None),
}
"""What is read as YAML reads it, where it is written like this; written otherwise it is refused."""

MISREAD = {
    "int": "a number, maybe another than it looks,",
    "float": "a number, maybe another than it looks,",
    "null": "nothing",
    "timestamp": "a date",
}


class BadFile(Invalid):
    """The file cannot be taken: each line of the text names the file, the line and what to change."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems as one text."""
        super().__init__("", "\n".join(problems))


@dataclass(frozen=True, slots=True)
class Source:
    """A file's values, and where each of them stands."""

    file: str
    values: Any
    lines: dict[Path, int] = field(repr=False)

    def place(self, path: Path) -> str:
        """Name the line of a value, or of the nearest one around it: `clients.yaml:7`."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"

    def problem(self, path: Path, why: str) -> str:
        """Write what is wrong with a value; `why` completes the sentence."""
        return f"{self.place(path)}: {show_path(path)} {why}"


def show_path(path: Path) -> str:
    """Write where a value is: `clients.shop.redirect_uris`."""
    return ".".join(map(str, path)) or "the file"


def read_source(content: bytes, file: str) -> Source:
    """Read a file's content; `file` is its name in errors. Raises BadFile."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFile([f"{file}:{line}: is not UTF-8"]) from None
    try:
        _refuse_depth(text, file)
        nodes = list(yaml.compose_all(text, Loader=LOADER))
    except yaml.YAMLError as error:
        raise BadFile([_describe(error, file)]) from None
    if len(nodes) > 1:
        raise BadFile([f"{file}:{_line(nodes[1])}: a second document begins here; put everything in one"])
    reading = _Reading(file, len(text) + ROOM_FOR_ALIASES)
    return Source(file, reading.value(nodes[0], ()) if nodes else None, reading.lines)


def _refuse_depth(text: str, file: str) -> None:
    """Look at the nesting first: whoever builds nodes goes one call deeper for each level."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BadFile([f"{file}:{_line(event)}: is nested more than {DEEPEST} levels deep"])


def _describe(error: yaml.YAMLError, file: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{file}:{mark.line + 1 if mark else 1}: is not YAML: {what}"


class _Reading:
    """One file being read: its lines so far, how many values may still come, and inside what it is."""

    def __init__(self, file: str, most: int) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.left = most
        self.open: set[int] = set()  # the nodes around the one that is read

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return a node's value."""
        self.left -= 1
        self.lines.setdefault(path, _line(node))
        if self.left < 0:
            self.fail(node, path, "grows without end by its aliases")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open:
            self.fail(node, path, "stands inside itself by an alias")
        self.open.add(id(node))
        try:
            return self.collection(node, path)
        finally:
            self.open.discard(id(node))

    def collection(self, node: yaml.Node, path: Path) -> Any:
        """Return a mapping or list."""
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return self.fail(node, path, f"has the tag {node.tag}, which is not for this file")

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        """Return a mapping's values; its own win over those that `<<` brings in."""
        found: dict[str, Any] = {}
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                continue
            key = self.key(key_node, path)
            if key in own:
                self.fail(key_node, (*path, key), f"is given twice, first in line {own[key]}")
            own[key] = self.lines[(*path, key)] = _line(key_node)
            found[key] = self.value(value_node, (*path, key))
        for key, value in self.merged(node, path):
            found.setdefault(key, value)
        return found

    def merged(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        """Yield what `<<` brings in: the values of a mapping, or of several, the first of which wins."""
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                for part in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                    if not isinstance(part, yaml.MappingNode):
                        self.fail(part, path, "must have a mapping behind <<")
                    yield from self.value(part, path).items()

    def key(self, node: yaml.Node, path: Path) -> str:
        """Return a name."""
        if isinstance(node, yaml.ScalarNode) and node.tag in (f"{TAG}str", f"{TAG}value"):
            return str(node.value)
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, path, "must have texts as its names")
        return self.fail(node, path, f'has a name that YAML does not read as text: write "{node.value}", in quotes')

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        """Return a single value; quoted it is text, else only what cannot be mistaken is not."""
        kind = node.tag.removeprefix(TAG)
        if kind in ("str", "value", "merge"):
            return str(node.value)
        if kind in PLAIN and not node.style:
            pattern, convert = PLAIN[kind]
            if pattern.fullmatch(node.value):
                return convert(node.value)
        shown = "…" if path[-1:] == ("secret",) else node.value
        if kind == "bool":
            meant = str(node.value.lower() in ("yes", "true", "on")).lower()
            self.fail(node, path, f'is {meant} to YAML: write {meant}, or "{shown}" in quotes for the text')
        if kind in MISREAD and not node.style:
            self.fail(node, path, f'is {MISREAD[kind]} to YAML: write "{shown}" in quotes for the text')
        return self.fail(node, path, f"has the tag {node.tag}, which is not for this file")

    def fail(self, node: yaml.Node, path: Path, why: str) -> NoReturn:
        """Refuse the file."""
        raise BadFile([f"{self.file}:{_line(node)}: {show_path(path)} {why}"])


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1
