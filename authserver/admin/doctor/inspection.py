"""A configuration as it is: settings, the keys, clients and APIs of the database; read once, and never written (NIST SP 800-57 part 1)."""

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from authserver.admin.doctor.finding import NotSeen
from authserver.admin.paging import every
from authserver.runtime import Runtime
from authserver.runtime.aws import AwsRefused, AwsUnreachable
from authserver.store.base import Database, transaction
from authserver.store.client import Client, find_client, list_clients
from authserver.store.resource_server import ResourceServer, list_resource_servers
from authserver.store.schema import HEAD, find_revision
from authserver.store.signing_key import SigningKey, list_keys

Read = TypeVar("Read")


class NoDatabase(NotSeen):
    """The database cannot be read; the text says why, without a value of a setting."""


class Inspection:
    """The settings and the database of a runtime. Whatever cannot be had raises NotSeen. `aws`: it is to run there."""

    def __init__(self, runtime: Runtime, *, aws: bool = False) -> None:
        """Look at a runtime; nothing is connected."""
        self.runtime, self.aws = runtime, aws
        self.settings, self.issuer, self.now = runtime.settings, runtime.settings.issuer, runtime.now()

    @cached_property
    def revision(self) -> str:
        """The revision of the tables; empty where there are none. Raises NoDatabase."""
        url = self.runtime.engine.url
        is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
        if is_file and not Path(str(url.database)).exists():  # SQLite would make it, and a doctor changes nothing
            raise NoDatabase(f"the database cannot be read: there is no file {url.database}")
        return self._read(find_revision) or ""

    @cached_property
    def keys(self) -> list[SigningKey]:
        """All keys, oldest first within an algorithm, the removed ones left out."""
        return [key for key in self._rows(list_keys) if key.removed_at is None or key.removed_at > self.now]

    @cached_property
    def apis(self) -> list[ResourceServer]:
        """All APIs."""
        return self._rows(list_resource_servers)

    @cached_property
    def clients(self) -> list[Client]:
        """All enabled clients, with the secrets of those that have some."""
        return self._rows(_enabled_clients)

    def _rows(self, query: Callable[[Database], list[Read]]) -> list[Read]:
        if self.revision < HEAD:
            raise NotSeen("the tables are not there or too old")
        return self._read(query)

    def _read(self, query: Callable[[Database], Read]) -> Read:
        try:
            with transaction(self.runtime.engine) as db:
                return query(db)
        except (SQLAlchemyError, AwsRefused, AwsUnreachable, LookupError, OSError) as fault:
            raise NoDatabase(f"the database cannot be read: {_why(fault)}") from fault


def _enabled_clients(db: Database) -> list[Client]:
    found = every(lambda after: list_clients(db, after=after, limit=500), lambda client: client.client_id)
    enabled = [client for client in found if client.disabled_at is None]
    return [find_client(db, client.client_id) or client if client.auth_method.startswith("client_secret") else client for client in enabled]


def _why(fault: Exception) -> str:
    """Name a fault by its first line; a password never is in one, as drivers write them."""
    original = (fault.orig if isinstance(fault, DBAPIError) else None) or fault
    text = next(iter(str(original).strip().splitlines()), "") or type(original).__name__
    return re.sub(r"//[^/@\s]*@", "//…@", text)[:200]
