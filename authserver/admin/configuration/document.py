"""What a configuration file wants: every value checked by the rules that all skins share, every mistake named with its line."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from authserver.admin.authority import OWNER_OF_OUR_OWN, ROLES
from authserver.admin.configuration.fields import API, CLIENT, COLUMNS, METADATA, SECTIONS, Schema
from authserver.admin.configuration.secret_reference import Reference, check_reference
from authserver.admin.configuration.source import BadFile, Path, Source
from authserver.admin.errors import Invalid
from authserver.admin.resource_servers import CHECKS, DEFAULTS
from authserver.admin.user_claims import check_email
from authserver.oauth.client_metadata import SECRET_METHODS, check_resource
from authserver.oauth.client_registration import check_client, check_name
from authserver.store.client import TEST_DRIVE

RESERVED = (OWNER_OF_OUR_OWN, TEST_DRIVE)
MOST_PROBLEMS = 20
LONGEST_NAME = 100
NO_OPERATION: Any = None
"""Stands for the operation that the checks of an API take; only that of introspected_by looks at it, and is not called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedApi:
    """An API as it should be; `columns` are all of those that the file decides."""

    identifier: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedClient:
    """A client as it should be, its metadata whole; `enabled` is None where it stays as it is."""

    client_id: str
    kind: str
    name: str
    metadata: Mapping[str, Any]
    enabled: bool | None
    secret: Reference | None

    @property
    def has_secret(self) -> bool:
        """Tell whether the client authenticates by a secret."""
        return self.metadata["token_endpoint_auth_method"] in SECRET_METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a file wants; `name` owns it. `roles` are by normalized email."""

    source: Source
    name: str
    apis: Mapping[str, WantedApi]
    clients: Mapping[str, WantedClient]
    roles: Mapping[str, str]
    paths: Mapping[tuple[str, str], Path]
    """Where each thing stands: `("role", "ada@example.com")`."""

    def place(self, what: str, identifier: str) -> str:
        """Name the file and line of a thing."""
        return self.source.place(self.paths.get((what, identifier), ()))


def read_document(source: Source, name: str) -> Wanted:
    """Check a file; `name` is what it is called where it does not say so itself. Raises BadFile with all that is wrong."""
    reading = _Reading(source)
    sections = reading.members((), source.values, SECTIONS)
    wanted = Wanted(
        source=source,
        name=reading.name(sections.get("name", name)),
        apis={api.identifier: api for api in reading.apis(sections.get("apis"))},
        clients={client.client_id: client for client in reading.clients(sections.get("clients"))},
        roles=reading.roles(sections.get("roles")),
        paths=reading.paths,
    )
    if reading.problems:
        more = len(reading.problems) - MOST_PROBLEMS
        raise BadFile(reading.problems[:MOST_PROBLEMS] + ([f"… and {more} more"] if more > 0 else []))
    return wanted


class _Reading:
    """One file being checked, and what was found wrong so far."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[str] = []
        self.paths: dict[tuple[str, str], Path] = {}

    def problem(self, path: Path, why: str) -> None:
        self.problems.append(self.source.problem(path, why))

    @contextmanager
    def noting(self, path: Path) -> Iterator[None]:
        """Note what is refused inside, at the field that it names."""
        try:
            yield
        except Invalid as error:
            self.problem((*path, error.field) if error.field else path, error.why)

    def members(self, path: Path, value: Any, known: Mapping[str, Schema], required: Iterable[str] = ()) -> dict[str, Any]:
        """Return the members of a mapping that have a value; those that are unknown, missing or of a wrong type are noted."""
        if not isinstance(value, dict):
            if value is not None or required:
                self.problem(path, f"must have names with values below it, such as {', '.join(list(known)[:3])}")
            return {}
        for name, given in value.items():
            if name not in known:
                nearest = difflib.get_close_matches(name, known, n=1)
                self.problem((*path, name), "is not part of this" + (f"; did you mean {nearest[0]}?" if nearest else ""))
            elif known[name].get("type") == "string" and isinstance(given, (bool, int, float)):
                self.problem((*path, name), "must be a text: put it in quotes")
        for name in required:
            if value.get(name) is None:
                self.problem((*path, name), "is missing")
        return {name: given for name, given in value.items() if given is not None and name in known}

    def entries(self, section: str, what: str, value: Any) -> Iterable[tuple[str, Path, Any]]:
        """Yield a section's things with their place."""
        if not isinstance(value, (dict, type(None))):
            self.problem((section,), "must have names with values below it, not a list or a text")
            return
        for identifier, given in (value or {}).items():
            path = (section, identifier)
            self.paths[what, identifier] = path
            yield identifier, path, given

    def name(self, given: Any) -> str:
        """Check who owns it all."""
        checked = ""
        with self.noting(()):
            if not given:
                raise Invalid("name", "must be given where the file comes by standard input")
            checked = check_name("name", given, LONGEST_NAME)
            if checked in RESERVED:
                raise Invalid("name", f"must not be {checked}: that is what the server itself owns")
        return checked

    def apis(self, section: Any) -> Iterable[WantedApi]:
        """Check the APIs."""
        for identifier, path, value in self.entries("apis", "api", section):
            found = self.members(path, value, API, ["name"])
            columns: dict[str, Any] = {"name": "", **DEFAULTS}
            try:
                check_resource(identifier)
            except ValueError as error:
                self.problem(path, f"is no identifier of an API: it {error}")
            for field, given in found.items():
                with self.noting(path):
                    columns[COLUMNS.get(field, field)] = _check_field_of_api(field, given)
            yield WantedApi(identifier=identifier, columns=columns)

    def clients(self, section: Any) -> Iterable[WantedClient]:
        """Check the clients."""
        for client_id, path, value in self.entries("clients", "client", section):
            before = len(self.problems)
            found = self.members(path, value, CLIENT, ["kind", "client_name"])
            if len(self.problems) > before:
                continue
            with self.noting(path):
                yield _check_client(client_id, found)

    def roles(self, section: Any) -> dict[str, str]:
        """Check the roles."""
        found: dict[str, str] = {}
        for address, path, role in self.entries("roles", "role", section):
            with self.noting(path):
                email = _check_role(address, role)
                if email in found:
                    raise Invalid("", f"is given twice: {email} is the same address")
                found[email] = role
                self.paths["role", email] = path
        return found


def _check_field_of_api(field: str, value: Any) -> Any:
    if field == "introspected_by":  # its clients may be in the same file, and are looked for when they are there
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Invalid(field, "must be a list of client ids")
        return list(dict.fromkeys(value))
    return CHECKS[COLUMNS.get(field, field)](NO_OPERATION, field, value)


def _check_client(client_id: str, found: Mapping[str, Any]) -> WantedClient:
    metadata = check_client(found["kind"], {field: value for field, value in found.items() if field in METADATA})
    enabled = found.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise Invalid("enabled", "must be true or false")
    wanted = WantedClient(
        client_id=client_id,
        kind=found["kind"],
        name=check_name("client_name", found["client_name"]),
        metadata=metadata,
        enabled=enabled,
        secret=_check_secret(found.get("secret")),
    )
    if wanted.secret and not wanted.has_secret:
        raise Invalid("secret", f"is of no use to a client that authenticates by {metadata['token_endpoint_auth_method']}")
    return wanted


def _check_secret(value: Any) -> Reference | None:
    try:
        return None if value is None else check_reference(value)
    except ValueError as error:
        raise Invalid("secret", str(error)) from None


def _check_role(address: str, role: Any) -> str:
    if not isinstance(role, str) or role not in ROLES:
        raise Invalid("", f"must be one of {', '.join(ROLES)}")
    try:
        return check_email(address)
    except Invalid as error:
        raise Invalid("", f"is no user: it {error.why}") from None
