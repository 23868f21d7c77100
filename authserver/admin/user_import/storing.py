"""The rows of people who come from another server (claims as in OpenID Connect Core section 5.1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authserver.store.search import terms_of

Columns = Mapping[str, Mapping[str, Any]]


def user_row(identifier: bytes, email: str, columns: Columns, now: datetime, *, is_enabled: bool = True) -> dict[str, Any]:
    """Return the row of a new user; `columns` are as `sort_values` has them."""
    claims = {"email_verified": False, **_kept(columns["claims"])}
    row = {"id": identifier, "email": email, "claims": claims, "attributes": _kept(columns["attributes"])}
    times = {"version": 1, "created_at": now, "updated_at": now, "disabled_at": None if is_enabled else now}
    return {"roles": [], "groups": [], **columns["lists"], **row, **times}


def words_of(row: Mapping[str, Any]) -> frozenset[str]:
    """Return the words under which a user is found."""
    return terms_of(row["email"], str(row["claims"].get("name") or ""))


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
