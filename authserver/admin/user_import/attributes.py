"""What Cognito's attributes are here: standard claims (OpenID Connect Core section 5.1), groups, and own attributes by their full name."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from authserver.admin.errors import Invalid
from authserver.admin.user_claims import CLAIMS
from authserver.store.base import read_id

FLAGS = ("email_verified", "phone_number_verified")
OWN = ("custom:", "dev:")
USERNAME, GROUPS = "cognito:username", "cognito:groups"
NOT_KEPT = frozenset({"sub", "email", "updated_at", "identities", "enabled", "cognito:mfa_enabled", "cognito:user_status", GROUPS})
"""What a person of Cognito's has that is no attribute here."""


def is_known(name: str) -> bool:
    """Tell whether Cognito has an attribute, or its file a column, of this name."""
    return name in CLAIMS or name in NOT_KEPT or name == USERNAME or name.startswith(OWN)


def values_of(attributes: Mapping[str, str], groups: Iterable[str]) -> dict[str, Any]:
    """Return what is kept of a person, as `users create --set` takes it; empty ones are left out. Raises Invalid."""
    kept = {name: text for name, text in attributes.items() if text and is_known(name) and name not in NOT_KEPT}
    values: dict[str, Any] = {name: flag(name, text) if name in FLAGS else text for name, text in kept.items()}
    if "address" in values:
        values["address"] = {"formatted": values["address"]}
    return {**values, "groups": list(groups)}


def subject_of(attributes: Mapping[str, str]) -> str | None:
    """Return the `sub`; where the listing has none, the name that a pool which people enter by email gives them is the same."""
    name = attributes.get(USERNAME) or ""
    return attributes.get("sub") or (name if read_id(name) else None)


def flag(name: str, text: str) -> bool:
    """Read true or false. Raises Invalid."""
    if text.lower() not in ("true", "false"):
        raise Invalid(name, "must be true or false")
    return text.lower() == "true"


def read_groups(text: str) -> list[str]:
    """Read names that are separated by commas, or a JSON list of them. Raises Invalid."""
    if not text.startswith("["):
        return [name.strip() for name in text.split(",") if name.strip()]
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = [None]
    if not all(isinstance(name, str) for name in names):
        raise Invalid(GROUPS, 'must be written like staff,admins or ["staff", "admins"]')
    return list(names)
