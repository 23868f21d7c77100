"""What is kept of a person: the standard claims with their types (OpenID Connect Core section 5.1), roles, groups, own attributes."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from authserver.admin.errors import Invalid
from authserver.identity.sign_in import normalize_email
from authserver.oauth.client_metadata import NOT_PLAIN, is_plain
from authserver.oauth.redirect_uri import check_web_url

MOST_CHARACTERS = 1000
MOST_ATTRIBUTE_BYTES = 16 * 1024
MOST_NAMES = 200
ADDRESS = ("formatted", "street_address", "locality", "region", "postal_code", "country")
_LOCAL = re.compile(r'[^\s"(),:;<>@\[\\\]]+')
_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")
SERVER_OWNED = frozenset({"sub", "updated_at", "id", "version", "created_at", "disabled_at", "password", "hash"})


def check_email(email: object) -> str:
    """Return an address as it is stored and compared: normalized first, then checked. Raises Invalid."""
    text = normalize_email(email) if isinstance(email, str) else ""
    local, at, domain = text.partition("@")
    sane = _LOCAL.fullmatch(local) and len(local) <= 64 and not local.startswith(".") and not local.endswith(".")
    if not at or not sane or len(text.encode()) > 254 or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise Invalid("email", "must be an address like alice@example.com")
    return text


def sort_values(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort `values` into columns (claims, attributes, roles, groups), each checked; None means that it goes. Raises Invalid."""
    columns: dict[str, dict[str, Any]] = {"claims": {}, "attributes": {}, "lists": {}}
    for name, value in values.items():
        if name in SERVER_OWNED:
            raise Invalid(name, "cannot be set")
        column = "claims" if name in CLAIMS else "lists" if name in ("roles", "groups") else "attributes"
        columns[column][name] = _check(column, name, value)
    return columns


def _check(column: str, name: str, value: Any) -> Any:
    if column == "lists":
        return _names(name, [] if value is None else value)
    if value is None:
        return None
    if column == "claims":
        return _check_claim(name, value)
    return _attribute(name, value)


def _check_claim(name: str, value: Any) -> Any:
    try:
        return CLAIMS[name](value)
    except ValueError as error:
        raise Invalid(name, str(error)) from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST_CHARACTERS or not value.replace("\n", " ").isprintable():
        raise ValueError(f"must be a text of 1 to {MOST_CHARACTERS} printable characters")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _like(pattern: str, example: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must be written like {example}")
        return value

    return check


def _address(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not set(value) <= set(ADDRESS):
        raise ValueError(f"must be an object with some of {', '.join(ADDRESS)}")
    return {part: _text(text) for part, text in value.items()}


def _names(field: str, value: Any) -> list[str]:
    good = isinstance(value, (list, tuple)) and len(value) <= MOST_NAMES
    if not good or not all(isinstance(name, str) and 1 <= len(name) <= 200 and name.isprintable() for name in value):
        raise Invalid(field, 'must be a list of names, like ["admin", "editor"]')
    return list(dict.fromkeys(value))


def _attribute(name: str, value: Any) -> Any:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:/\-]{0,99}", name):
        raise Invalid(name[:100], "must be named by 1 to 100 letters, digits and _ . : / -")
    if not is_plain(value):
        raise Invalid(name, NOT_PLAIN)
    if len(json.dumps(value)) > MOST_ATTRIBUTE_BYTES:
        raise Invalid(name, "must be at most 16 KB")
    return value


CLAIMS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "gender"), _text),
    **dict.fromkeys(("profile", "picture", "website"), check_web_url),
    "email_verified": _flag,
    "birthdate": _like(r"\d{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?", "1990-12-31, 0000-12-31 or 1990"),
    "zoneinfo": _like(r"[A-Za-z_]+(/[A-Za-z0-9_+\-]+){0,2}", "Europe/Berlin"),
    "locale": _like(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", "de-AT"),
    "phone_number": _like(r"\+[0-9][0-9 ().\-]{3,30}(;ext=[0-9]{1,10})?", "+49 30 1234567"),
    "phone_number_verified": _flag,
    "address": _address,
}
TEXT_CLAIMS = frozenset(CLAIMS) - {"email_verified", "phone_number_verified", "address"}
"""The claims whose value is text, whatever it looks like."""
