"""Lists that are looked for in vain: of somebody who is not there, or from a cursor that is none of ours."""

from collections.abc import Callable
from typing import TypeVar

from authserver.admin.errors import Invalid, NotFound
from authserver.admin.paging import Page
from authserver.web.console.words import sentence

Row = TypeVar("Row")

UNPROCESSABLE = 422


def look(find: Callable[[], Page[Row]]) -> tuple[Page[Row], str, int]:
    """Return the page that is found, what is wrong (empty where nothing is), and the status of the answer."""
    try:
        return find(), "", 200
    except (NotFound, Invalid) as fault:
        return Page([]), sentence(fault), UNPROCESSABLE
