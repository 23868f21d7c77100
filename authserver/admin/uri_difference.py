"""How a redirect URI differs from the nearest registered one, in words: "at character 31: slash at the end"."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Difference:
    """The registered URI that comes nearest, the first character that differs (counted from 1), and what that means."""

    nearest: str
    character: int
    what: str


def nearest_difference(asked: str, registered: Iterable[str]) -> Difference | None:
    """Compare a URI with the registered one that is most like it; None where none is registered, or it is one of them."""
    known = list(registered)
    if not known or asked in known:
        return None
    nearest = max(known, key=lambda uri: SequenceMatcher(None, asked, uri, autojunk=False).ratio())
    same = next((index for index, (a, b) in enumerate(zip(asked, nearest, strict=False)) if a != b), min(len(asked), len(nearest)))
    return Difference(nearest, same + 1, _describe(asked, nearest))


def _describe(asked: str, nearest: str) -> str:
    if asked.rstrip("/") == nearest.rstrip("/"):
        return "a slash at the end" if len(asked) > len(nearest) else "no slash at the end"
    if asked.strip() == nearest:
        return "blanks around it"
    if asked.lower() == nearest.lower():
        return "upper and lower case"
    return _describe_parts(asked, nearest)


def _describe_parts(asked: str, nearest: str) -> str:
    try:
        given, wanted = urlsplit(asked), urlsplit(nearest)
        parts = {
            "scheme": (given.scheme, wanted.scheme),
            "host": (given.hostname, wanted.hostname),
            "port": (_port(given), _port(wanted)),
            "path": (given.path, wanted.path),
            "query": (given.query, wanted.query),
            "fragment": (given.fragment, wanted.fragment),
        }
    except ValueError:
        return "it is not a URI"
    different = [f"{name} {a or 'none'} instead of {b or 'none'}" for name, (a, b) in parts.items() if a != b]
    return ", ".join(different) or "it is written differently"


def _port(parts: SplitResult) -> str:
    return "" if parts.port is None else str(parts.port)
