"""A configuration as it is: settings, the keys, clients and APIs of the database; read once, and never written (NIST SP 800-57 part 1)."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from authserver.admin.doctor.finding import NotSeen
from authserver.crypto.key_ring import REFRESH
from authserver.oauth.signing_keys import REFRESH_KEY_RETAINED
from authserver.runtime import Runtime
from authserver.runtime.aws import AwsRefused, AwsUnreachable
from authserver.runtime.settings import Settings
from authserver.store.base import Database, transaction
from authserver.store.client import Client, find_client, list_clients
from authserver.store.resource_server import ResourceServer, list_resource_servers
from authserver.store.schema import HEAD, find_revision
from authserver.store.signing_key import SigningKey, list_keys

PAGE = 500
Read = TypeVar("Read")


class NoDatabase(NotSeen):
    """The database cannot be read; the text says why, without a value of a setting."""


class Inspection:
    """The settings and the database of a runtime. Whatever cannot be had raises NotSeen. `aws`: it is to run there."""

    def __init__(self, runtime: Runtime, *, aws: bool = False) -> None:
        """Look at a runtime; nothing is connected."""
        self.runtime, self.aws = runtime, aws

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.runtime.settings

    @cached_property
    def now(self) -> datetime:
        """The instant of the inspection."""
        return self.runtime.now()

    @cached_property
    def revision(self) -> str:
        """The revision of the tables; empty where there are none. Raises NoDatabase."""
        self._refuse_missing_file()
        return self._read(find_revision) or ""

    @cached_property
    def keys(self) -> list[SigningKey]:
        """All keys, the removed ones left out."""
        return [key for key in self._rows(list_keys) if key.removed_at is None or key.removed_at > self.now]

    @cached_property
    def apis(self) -> list[ResourceServer]:
        """All APIs."""
        return self._rows(list_resource_servers)

    @cached_property
    def clients(self) -> list[Client]:
        """All enabled clients, with the secrets of those that have some."""
        return self._rows(lambda db: list(_enabled_clients(db)))

    @property
    def longest_token(self) -> timedelta:
        """The longest life of what a signing key signs."""
        settings = self.settings
        lifetimes = [api.lifetime(settings.access_token_lifetime) for api in self.apis]
        return max([settings.access_token_lifetime, settings.id_token_lifetime, *lifetimes])

    def retention(self, alg: str) -> timedelta:
        """How long a key must be found after it stopped signing, what caches keep apart."""
        return max(REFRESH_KEY_RETAINED, self.settings.refresh_token_lifetime) if alg == REFRESH else self.longest_token

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

    def _refuse_missing_file(self) -> None:
        """SQLite would make the file, and a doctor changes nothing."""
        url = self.runtime.engine.url
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:" and not Path(url.database).exists():
            raise NoDatabase(f"the database cannot be read: there is no file {url.database}")


def keys_of(keys: Sequence[SigningKey], alg: str) -> list[SigningKey]:
    """Return the keys of an algorithm, oldest first."""
    return [key for key in keys if key.alg == alg]


def _enabled_clients(db: Database) -> Iterator[Client]:
    after = ""
    while page := list_clients(db, after=after, limit=PAGE):
        for client in page:
            has_secrets = client.auth_method.startswith("client_secret")
            found = find_client(db, client.client_id) if has_secrets else client
            if found is not None and found.disabled_at is None:
                yield found
        after = page[-1].client_id


def _why(fault: Exception) -> str:
    """Name a fault by its first line; a password never is in one, as drivers write them."""
    original = (fault.orig if isinstance(fault, DBAPIError) else None) or fault
    text = next(iter(str(original).strip().splitlines()), "") or type(original).__name__
    return re.sub(r"//[^/@\s]*@", "//…@", text)[:200]
