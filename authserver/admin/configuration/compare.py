"""A file compared with the database: what is to be created, changed, taken over, deleted. Reads only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from authserver.admin.configuration.document import Wanted, WantedClient
from authserver.admin.configuration.fields import COLUMNS
from authserver.admin.configuration.plan import Action, Change, Leftovers, Plan, Step, What
from authserver.admin.configuration.secret_reference import find_secret
from authserver.admin.configuration.source import BadFile
from authserver.admin.errors import Conflict, Invalid
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import DEFAULTS, every_resource_server
from authserver.crypto.digest import digest
from authserver.oauth.client_registration import check_client
from authserver.store.admin_role import list_roles
from authserver.store.client import Client, find_client, find_clients, list_owned_clients
from authserver.store.user import find_users

CLIENTS_AT_ONCE = 500
FIELDS = {column: field for field, column in COLUMNS.items()}
MADE = "made now, and shown once"


def make_plan(operation: Operation, wanted: Wanted, leftovers: Leftovers = "leave") -> Plan:
    """Compare. Raises BadFile, and Conflict where another file owns something."""
    planning = _Planning(operation, wanted, leftovers)
    return Plan((*planning.apis(), *planning.clients(), *planning.roles()))


@dataclass(frozen=True, slots=True)
class _Planning:
    operation: Operation
    wanted: Wanted
    leftovers: Leftovers

    def apis(self) -> Iterator[Step]:
        """Compare APIs."""
        here = {api.identifier: api for api in every_resource_server(self.operation)}
        for identifier, api in self.wanted.apis.items():
            current = here.get(identifier)
            if current is None:
                yield Step(action="create", what="api", identifier=identifier, changes=_new_columns(api.columns))
            else:
                changes = _columns({column: getattr(current, column) for column in api.columns}, api.columns)
                yield from self._compared("api", identifier, current.managed_by, changes)
        owned = [identifier for identifier, api in here.items() if api.managed_by == self.wanted.name]
        yield from self._left("api", owned, self.wanted.apis)

    def clients(self) -> Iterator[Step]:
        """Compare clients."""
        for some in _by_the(CLIENTS_AT_ONCE, self.wanted.clients.values()):
            here = {client.client_id: client for client in find_clients(self.operation.db, [client.client_id for client in some])}
            for client in some:
                current = here.get(client.client_id)
                if current is None:
                    yield Step(action="create", what="client", identifier=client.client_id, changes=tuple(self._new_client(client)))
                else:
                    changes = tuple(self._changed_client(client, current))
                    yield from self._compared("client", client.client_id, current.managed_by, changes)
        yield from self._left("client", list_owned_clients(self.operation.db, self.wanted.name), self.wanted.clients)

    def roles(self) -> Iterator[Step]:
        """Compare roles."""
        rows = list_roles(self.operation.db)
        emails = {user.id: user.email for user in find_users(self.operation.db, [row.user_id for row in rows])}
        here = {emails[row.user_id]: row for row in rows if row.user_id in emails}
        for email, role in self.wanted.roles.items():
            current = here.get(email)
            before = current.role if current else None
            changes = () if before == role else (Change("role", before, role),)
            if current is None:
                yield Step(action="create", what="role", identifier=email, changes=changes)
            else:
                yield from self._compared("role", email, current.managed_by, changes)
        yield from self._left("role", [email for email, row in here.items() if row.managed_by == self.wanted.name], self.wanted.roles)

    def _compared(self, what: What, identifier: str, managed_by: str, changes: tuple[Change, ...]) -> Iterator[Step]:
        """Yield the step for something that is there already. Raises Conflict where another file owns it."""
        if managed_by and managed_by != self.wanted.name:
            place = self.wanted.place(what, identifier)
            raise Conflict(f"{place}: {what} {identifier} is managed by {managed_by}: take it out of one of the two")
        if changes or not managed_by:
            action: Action = "change" if changes else "take_over"
            yield Step(action=action, what=what, identifier=identifier, changes=changes, is_taken_over=not managed_by)

    def _left(self, what: What, owned: Iterable[str], wanted: Mapping[str, object]) -> Iterator[Step]:
        for identifier in sorted(set(owned) - set(wanted)):
            yield Step(action=self.leftovers, what=what, identifier=identifier)

    def _new_client(self, client: WantedClient) -> Iterator[Change]:
        defaults = by_default(client.kind, client.metadata["redirect_uris"])
        yield Change("kind", None, client.kind)
        yield Change("client_name", None, client.name)
        for field, value in client.metadata.items():
            if value != defaults.get(field):
                yield Change(field, None, value)
        if client.enabled is False:
            yield Change("enabled", None, False)
        if client.has_secret:
            given = given_secret(self.wanted, client)
            yield Change("secret", None, MADE if given is None or client.secret is None else client.secret.text)

    def _changed_client(self, client: WantedClient, current: Client) -> Iterator[Change]:
        if client.kind != current.kind:
            why = f"is {client.kind}, but the client is there as {current.kind}, and a kind cannot change: use another client_id"
            raise BadFile([self.wanted.source.problem(("clients", client.client_id, "kind"), why)])
        if client.name != current.client_name:
            yield Change("client_name", current.client_name, client.name)
        before = _whole(current)
        for field in {**before, **client.metadata}:
            if before.get(field) != client.metadata.get(field):
                yield Change(field, before.get(field), client.metadata.get(field))
        is_enabled = current.disabled_at is None
        if client.enabled is not None and client.enabled != is_enabled:
            yield Change("enabled", is_enabled, client.enabled)
        if client.has_secret:
            yield from self._changed_secret(client, current.client_id)

    def _changed_secret(self, client: WantedClient, client_id: str) -> Iterator[Change]:
        """Compare digests: a secret that works is left alone, however many others there are."""
        with_secrets = find_client(self.operation.db, client_id) if client.secret else None
        given = given_secret(self.wanted, client)
        if with_secrets is None or given is None or client.secret is None:
            return
        if with_secrets.find_secret(digest(given), self.operation.now()) is None:
            yield Change("secret", "another one" if with_secrets.secrets else None, client.secret.text)


def given_secret(wanted: Wanted, client: WantedClient) -> str | None:
    """Return the secret that the file refers to, None where it does not, or where one is to be made. Raises BadFile."""
    if client.secret is None:
        return None
    try:
        return find_secret(client.secret, Path(wanted.source.file).parent)
    except ValueError as error:
        raise BadFile([wanted.source.problem(("clients", client.client_id, "secret"), str(error))]) from None


def _by_the(number: int, clients: Iterable[WantedClient]) -> Iterator[list[WantedClient]]:
    remaining = iter(clients)
    while some := list(islice(remaining, number)):
        yield some


def _columns(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    changed = [column for column in after if before[column] != after[column]]
    return tuple(Change(FIELDS.get(column, column), before[column], after[column]) for column in changed)


def _new_columns(columns: Mapping[str, Any]) -> tuple[Change, ...]:
    given = {column: value for column, value in columns.items() if value != DEFAULTS.get(column)}
    return tuple(Change(FIELDS.get(column, column), None, value) for column, value in given.items())


def by_default(kind: str, redirect_uris: list[str]) -> dict[str, Any]:
    """Return the metadata of a client where a file says nothing; a kind that needs redirect URIs has no others."""
    return {**check_client(kind, {"redirect_uris": redirect_uris}), "redirect_uris": []}


def _whole(client: Client) -> dict[str, Any]:
    """Return a client's metadata with what came into being since it was stored."""
    try:
        return check_client(client.kind, client.metadata)
    except Invalid:
        return dict(client.metadata)
