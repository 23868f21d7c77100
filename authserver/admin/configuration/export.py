"""The database as a configuration file, whose application changes nothing: what is by default is left out."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from authserver.admin.clients import every_client
from authserver.admin.configuration.compare import FIELDS, by_default
from authserver.admin.configuration.document import RESERVED
from authserver.admin.errors import Invalid
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import DEFAULTS, every_resource_server
from authserver.store.admin_role import list_roles
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer
from authserver.store.user import find_users

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
USUAL_NAME = "clients"
SCHEMA_FILE = "clients.schema.json"
HEAD = f"""# yaml-language-server: $schema={SCHEMA_FILE}
# {SCHEMA_FILE} is what `authserver config schema` writes. Compare with `authserver diff -f FILE`, apply with `authserver apply -f FILE`.
"""


def export(operation: Operation, name: str = "") -> Iterator[str]:
    """Yield the parts of a file with all that nobody owns and all that the file `name` owns.

    Without a name: everything, if it is owned by one file at most. Raises Invalid.
    """
    chosen = _Chosen(operation, name)
    yield HEAD
    yield _dump({"name": chosen.name})
    yield from _section("apis", ({api.identifier: _api(api)} for api in chosen.apis))
    yield from _section("clients", ({client.client_id: _client(client)} for client in chosen.clients()))
    yield from _section("roles", ({email: role} for email, role in sorted(chosen.roles.items())))


class _Chosen:
    """What goes into the file."""

    def __init__(self, operation: Operation, name: str) -> None:
        self.operation = operation
        apis, roles = list(every_resource_server(operation)), list_roles(operation.db)
        self.name = name or self.only_owner({row.managed_by for row in apis} | {row.managed_by for row in roles})
        self.apis = [api for api in apis if api.managed_by in ("", self.name)]
        emails = {user.id: user.email for user in find_users(operation.db, [row.user_id for row in roles])}
        self.roles = {emails[row.user_id]: row.role for row in roles if row.managed_by in ("", self.name) and row.user_id in emails}

    def only_owner(self, others: set[str]) -> str:
        """Return the one file that owns something. Raises Invalid where there are several."""
        owners = others | {client.managed_by for client in every_client(self.operation)}
        files = sorted(owners - {"", *RESERVED})
        if len(files) > 1:
            raise Invalid("name", f"must say which, since several files own something: {', '.join(files)}")
        return files[0] if files else USUAL_NAME

    def clients(self) -> Iterable[Client]:
        return (client for client in every_client(self.operation) if client.managed_by in ("", self.name))


class _Dumper(DUMPER):  # type: ignore[misc]  # whichever is there
    """Writes every value where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _section(name: str, entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a section entry by entry, so that a long one is never held as a whole; none where there are none."""
    is_begun = False
    for entry in entries:
        if not is_begun:
            yield f"\n{name}:\n"
        is_begun = True
        yield "".join(f"  {line}\n" for line in _dump(entry).splitlines())


def _dump(values: dict[str, Any]) -> str:
    text: str = yaml.dump(values, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return text


def _api(api: ResourceServer) -> dict[str, Any]:
    columns = {column: getattr(api, column) for column in DEFAULTS}
    given = {FIELDS.get(column, column): value for column, value in columns.items() if value != DEFAULTS[column]}
    return {"name": api.name, **given}


def _client(client: Client) -> dict[str, Any]:
    defaults = by_default(client.kind, client.metadata["redirect_uris"])
    given = {field: value for field, value in client.metadata.items() if value != defaults.get(field)}
    state = {} if client.disabled_at is None else {"enabled": False}
    return {"kind": client.kind, "client_name": client.client_name, **state, **given}
