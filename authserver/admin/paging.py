"""All rows of a list that the store gives page by page."""

from collections.abc import Callable, Iterator
from typing import TypeVar

Row = TypeVar("Row")


def every(page: Callable[[str], list[Row]], key: Callable[[Row], str]) -> Iterator[Row]:
    """Yield the rows of `page("")`, then of `page(key of the last)`, and so on until a page is empty."""
    after = ""
    while found := page(after):
        yield from found
        after = key(found[-1])
