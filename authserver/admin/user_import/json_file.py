"""People in JSON (RFC 8259): objects of our own shape, or as `aws cognito-idp list-users` writes them; lists, lines, or `users`.

Ours: `email`; `sub`, `enabled` and `password_hash` where wanted; and any claim, roles, groups and attribute that
`users create --set` takes. Cognito's: `Username`, `Attributes`, `Enabled`, and `Groups` where somebody added them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from authserver.admin.errors import Invalid
from authserver.admin.user_import.attributes import USERNAME, subject_of, values_of
from authserver.admin.user_import.entry import Entry, Refusal
from authserver.admin.user_import.hashes import CONFIG, read_password_hash
from authserver.admin.user_import.json_stream import LISTS, Found, read_values

MORE = ("PaginationToken", "NextToken")
OWN_MEMBERS = ("email", "sub", "enabled", "password_hash")


def read_json(file: TextIO) -> Iterator[Entry | Refusal]:
    """Yield the people of a file."""
    config: Mapping[str, Any] = {}
    for found in read_values(file):
        if isinstance(found, Refusal):
            yield found
        elif not found.name:
            yield _read_person(found, config)
        elif found.name == CONFIG and isinstance(found.value, dict):
            config = found.value
        elif found.name in (CONFIG, *LISTS) or (found.name in MORE and found.value):
            yield Refusal(found.line, _wrong_member(found.name))


def _wrong_member(name: str) -> str:
    if name in (CONFIG, *LISTS):
        return f"{name} must be {'an object' if name == CONFIG else 'a list'}"
    return f"has a {name}: this is not the whole list; fetch the rest as well"


def _read_person(found: Found, config: Mapping[str, Any]) -> Entry | Refusal:
    person = found.value
    if not isinstance(person, dict):
        return Refusal(found.line, "must be an object")
    try:
        return _read_cognito(found.line, person) if "Attributes" in person else _read_own(found.line, person, config)
    except Invalid as fault:
        return Refusal(found.line, f"{fault.field} {fault.why}")


def _read_own(line: int, person: Mapping[str, Any], config: Mapping[str, Any]) -> Entry:
    return Entry(
        line=line,
        email=person.get("email"),
        subject=person.get("sub"),
        values={name: value for name, value in person.items() if name not in OWN_MEMBERS},
        is_enabled=_flag(person, "enabled"),
        password_hash=read_password_hash(person.get("password_hash"), config),
    )


def _read_cognito(line: int, person: Mapping[str, Any]) -> Entry:
    attributes, groups = {USERNAME: person.get("Username", ""), **_attributes(person["Attributes"])}, person.get("Groups", [])
    if not isinstance(attributes[USERNAME], str) or not isinstance(groups, list):
        raise Invalid("Username", "must be a text, and Groups, where it is there, a list")
    return Entry(
        line=line,
        email=attributes.get("email"),
        subject=subject_of(attributes),
        values=values_of(attributes, groups),
        is_enabled=_flag(person, "Enabled"),
    )


def _attributes(listed: Any) -> dict[str, str]:
    good = isinstance(listed, list) and all(isinstance(item, dict) and isinstance(item.get("Value", ""), str) for item in listed)
    if not good:
        raise Invalid("Attributes", 'must be a list like [{"Name": "email", "Value": "alice@example.com"}]')
    return {str(item.get("Name")): item.get("Value", "") for item in listed}


def _flag(person: Mapping[str, Any], name: str) -> bool:
    value = person.get(name, True)
    if not isinstance(value, bool):
        raise Invalid(name, "must be true or false")
    return value
