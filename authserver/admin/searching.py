"""What lists have in common where they are searched: words found through their index, then the filters."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.store.search import find_ids

Row = TypeVar("Row")

STATUSES = {"": None, "enabled": False, "disabled": True}
MOST_ROUNDS = 4
LEAST_READ = 200


def is_an_id(text: str) -> bool:
    """Tell whether a text can be an id of ours; a database may refuse to compare any other with one."""
    return text.isascii() and text.isprintable()


def is_storable(text: str) -> bool:
    """Tell whether a database can hold a text."""
    return "\0" not in text


def read_status(status: str) -> bool | None:
    """Read a filter: whether what is sought is disabled; None for both. Raises Invalid."""
    if status not in STATUSES:
        raise Invalid("status", "must be enabled or disabled")
    return STATUSES[status]


def search(
    operation: Operation, kind: str, sought: str, after: str | None, limit: int, load: Callable[[list[str]], Iterable[Row]]
) -> list[Row]:
    """Return what is found by the beginning of a word, by id, as far as `load` keeps it.

    Looks through a few thousand words at most: who filters that much types one more letter.
    """
    found: list[Row] = []
    if not is_storable(sought):
        return found
    for _ in range(MOST_ROUNDS):
        ids = find_ids(operation.db, kind, sought, after or "", max(limit, LEAST_READ))
        found += load(ids)
        if len(ids) < max(limit, LEAST_READ) or len(found) >= limit:
            break
        after = ids[-1]
    return found[:limit]
