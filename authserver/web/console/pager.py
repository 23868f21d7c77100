"""The links below a list: its first page and its next one, with the filters that are in the address."""

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from authserver.admin.paging import Page

PAGE = "page"


def page_token() -> str:
    """Return the cursor in the address."""
    return request.args.get(PAGE, "")


def filters(*names: str) -> dict[str, str]:
    """Return the filters in the address, each '' where it is not there."""
    return {name: request.args.get(name, "").strip()[:200] for name in names}


def pager(endpoint: str, page: Page[Any], filters: Mapping[str, str] | None = None, **parts: str) -> dict[str, str]:
    """Return what the pager macro shows: the addresses of the first and the next page, '' where there is no such page."""
    kept: dict[str, Any] = {name: value for name, value in (filters or {}).items() if value} | parts
    first = url_for(endpoint, **kept) if page_token() else ""
    following = url_for(endpoint, **kept | {PAGE: page.next}) if page.next else ""
    return {"first": first, "next": following, "shown": f"{len(page.rows)} shown" if first or following else ""}
