"""A plan carried out, in an order in which each thing finds what it refers to; all in the caller's transaction.

APIs come first, without what refers to clients and with the scopes that go; then clients; then the rest of the APIs;
then deletions, and roles from the highest to the lowest.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from authserver.admin import clients
from authserver.admin.authority import rank_of
from authserver.admin.client_secrets import rotate_secret
from authserver.admin.configuration.compare import FIELDS, given_secret
from authserver.admin.configuration.document import Wanted, WantedClient
from authserver.admin.configuration.plan import Plan, Step, What
from authserver.admin.configuration.release import release
from authserver.admin.configuration.source import BadFile
from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import (
    change_resource_server,
    create_resource_server,
    delete_resource_server,
    get_resource_server,
)
from authserver.admin.roles import give_role
from authserver.admin.users import get_user
from authserver.store.admin_role import has_enabled_owner
from authserver.store.resource_server import ResourceServer

OVERLAP = timedelta(days=7)
"""How long the secret before works beside one that the file brings in, as with `clients rotate-secret`."""


def carry_out(operation: Operation, wanted: Wanted, plan: Plan) -> dict[str, str]:
    """Do what the plan says; return the secrets that were made, by client. Raises BadFile, NotFound, Conflict with the line."""
    doing = _Doing(operation, wanted, plan)
    doing.apis_first()
    doing.clients()
    doing.deleted_clients()
    doing.apis_then()
    doing.roles()
    return doing.secrets


class _Doing:
    def __init__(self, operation: Operation, wanted: Wanted, plan: Plan) -> None:
        self.operation, self.wanted, self.plan = operation, wanted, plan
        self.secrets: dict[str, str] = {}

    @contextmanager
    def at(self, what: What, identifier: str) -> Iterator[None]:
        """Say of what goes wrong in which line it stands."""
        try:
            yield
        except BadFile:
            raise
        except Invalid as error:
            path = self.wanted.paths.get((what, identifier), ())
            raise BadFile([self.wanted.source.problem((*path, FIELDS.get(error.field, error.field)), error.why)]) from error
        except (Conflict, NotFound) as error:
            raise type(error)(f"{self.wanted.place(what, identifier)}: {error}") from error

    def apis_first(self) -> None:
        """Create and change APIs, as far as it needs no client."""
        for step in self.plan.of("api", "create"):
            with self.at("api", step.identifier):
                columns = {**self.wanted.apis[step.identifier].columns, "introspected_by": []}
                create_resource_server(self.operation, step.identifier, str(columns.pop("name")), columns)
        for step in self.plan.of("api", "change", "take_over"):
            with self.at("api", step.identifier):
                current = get_resource_server(self.operation, step.identifier)
                columns = dict(self.wanted.apis[step.identifier].columns)
                columns |= {"scopes": {**current.scopes, **columns["scopes"]}, "introspected_by": current.introspected_by}
                self.change_api(current, columns, always=step.is_taken_over)

    def change_api(self, current: ResourceServer, columns: Mapping[str, Any], *, always: bool = False) -> None:
        """Change those columns that differ."""
        changes = {name: value for name, value in columns.items() if getattr(current, name) != value}
        if changes or always:
            change_resource_server(self.operation, current.identifier, changes)

    def clients(self) -> None:
        """Create and change clients."""
        for step in self.plan.of("client", "create", "change", "take_over"):
            with self.at(step.what, step.identifier):
                client = self.wanted.clients[step.identifier]
                if step.action == "create":
                    self.create_client(client)
                else:
                    self.change_client(client, step)
        for step in self.plan.of("client", "release"):
            release(self.operation, step)

    def create_client(self, client: WantedClient) -> None:
        """Register a client."""
        given = given_secret(self.wanted, client)
        issued = clients.create_client(self.operation, client.kind, client.name, client.metadata, client_id=client.client_id, secret=given)
        self.keep(client, issued.secret if given is None else None)
        if client.enabled is False:
            clients.disable_client(self.operation, client.client_id)

    def change_client(self, client: WantedClient, step: Step) -> None:
        """Bring a client to what is wanted; a secret that it has only just got makes way for the one that is given."""
        made = None
        if step.is_taken_over or any(change.field not in ("secret", "enabled") for change in step.changes):
            current = clients.get_client(self.operation, client.client_id)
            whole = {field: client.metadata.get(field) for field in {**current.metadata, **client.metadata}}
            made = clients.update_client_metadata(self.operation, client.client_id, {"client_name": client.name, **whole}).secret
        if step.changed("secret"):
            given = given_secret(self.wanted, client)
            overlap = timedelta(0) if made else OVERLAP
            rotate_secret(self.operation, clients.get_client(self.operation, client.client_id), overlap, given)
        else:
            self.keep(client, made)
        if step.changed("enabled"):
            turn = clients.enable_client if client.enabled else clients.disable_client
            turn(self.operation, client.client_id)

    def keep(self, client: WantedClient, secret: str | None) -> None:
        """Keep a secret that was made, to be shown once."""
        if secret is not None:
            self.secrets[client.client_id] = secret

    def deleted_clients(self) -> None:
        """Delete what the file owns and no longer names."""
        for step in self.plan.of("client", "delete"):
            with self.at(step.what, step.identifier):
                clients.delete_client(self.operation, step.identifier)

    def apis_then(self) -> None:
        """Do to APIs what needed the clients as they are now, and delete and release."""
        for identifier, api in self.wanted.apis.items():
            with self.at("api", identifier):
                self.change_api(get_resource_server(self.operation, identifier), api.columns)
        for step in self.plan.of("api", "delete"):
            with self.at("api", step.identifier):
                delete_resource_server(self.operation, step.identifier)
        for step in self.plan.of("api", "release"):
            release(self.operation, step)

    def roles(self) -> None:
        """Give roles, the highest first, and take away what is left; somebody stays owner."""
        given = self.plan.of("role", "create", "change", "take_over")
        gone = self.plan.of("role", "delete")
        had_owner = bool(given or gone) and has_enabled_owner(self.operation.db)
        for step in sorted(given, key=lambda step: -rank_of(self.wanted.roles[step.identifier])):
            with self.at(step.what, step.identifier):
                give_role(self.operation, get_user(self.operation, step.identifier), self.wanted.roles[step.identifier])
        for step in gone:
            give_role(self.operation, get_user(self.operation, step.identifier), None)
        if had_owner and not has_enabled_owner(self.operation.db):
            raise Conflict(f"{self.wanted.source.place(('roles',))}: roles would leave nobody who is owner and enabled")
        for step in self.plan.of("role", "release"):
            release(self.operation, step)
