"""Lists page by page: the place of the last row seen, sealed so that nobody can make or read it; and lists as a whole."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.crypto.digest import decode, encode
from authserver.crypto.sealing import SealBroken, seal, unseal

Row = TypeVar("Row")

MOST = 200
USUAL = 50
LONGEST_TOKEN = 2000


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and what to ask for the ones behind them; None at the end."""

    rows: list[Row]
    next: str | None = None


def page_of(
    operation: Operation,
    listing: str,
    page_token: str,
    page_size: int,
    fetch: Callable[[Any, int], Sequence[Row]],
    place: Callable[[Row], Any],
) -> Page[Row]:
    """Return a page: `fetch(place of the last row seen or None, number)` finds rows. `listing` names the list with its filters.

    Raises Invalid.
    """
    if isinstance(page_size, bool) or not 1 <= page_size <= MOST:
        raise Invalid("page_size", f"must be between 1 and {MOST}")
    after = _open(operation, listing, page_token) if page_token else None
    found = list(fetch(after, page_size + 1))
    kept = found[:page_size]
    return Page(kept, _seal(operation, listing, place(kept[-1])) if len(found) > page_size else None)


def place(at: datetime, identifier: bytes) -> tuple[int, str]:
    """Write the place of a row that is ordered by an instant and its id."""
    return int(at.timestamp()), identifier.hex()


def read_place(written: tuple[int, str] | None) -> tuple[datetime, bytes] | None:
    """Read such a place."""
    return None if written is None else (datetime.fromtimestamp(written[0], UTC), bytes.fromhex(written[1]))


def every(page: Callable[[str], list[Row]], key: Callable[[Row], str]) -> Iterator[Row]:
    """Yield the rows of `page("")`, then of `page(key of the last)`, and so on until a page is empty."""
    after = ""
    while found := page(after):
        yield from found
        after = key(found[-1])


def _seal(operation: Operation, listing: str, place: Any) -> str:
    runtime = operation.runtime
    return encode(seal(runtime.keys, runtime.new_secret, f"cursor {listing}", json.dumps(place).encode()))


def _open(operation: Operation, listing: str, token: str) -> Any:
    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError
        return json.loads(unseal(operation.runtime.keys, f"cursor {listing}", decode(token)))
    except (SealBroken, ValueError):
        raise Invalid("page_token", "is not one that this list gave; begin at its first page") from None
