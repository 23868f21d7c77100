"""APIs, which RFC 6749 section 1.1 calls resource servers: identifier, scopes, and what their tokens look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Integer, Table, delete, select, update

from authserver.store.base import Database, Instant, ascii_text, changed, document, metadata, one, rows, text

resource_servers = Table(
    "resource_servers",
    metadata,
    Column("identifier", ascii_text(255), primary_key=True),
    Column("name", text(200), nullable=False),
    Column("scopes", document(), nullable=False),
    Column("token_format", ascii_text(16), nullable=False),
    Column("signing_alg", ascii_text(16), nullable=False),
    Column("token_lifetime_seconds", Integer),
    Column("claims", document(), nullable=False),
    Column("introspected_by", document(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("managed_by", text(200), nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServer:
    """An API. `scopes` are texts for people by scope; `claims` attribute names by claim name; `managed_by` the file that owns it."""

    identifier: str
    name: str
    scopes: Mapping[str, str]
    token_format: str
    signing_alg: str
    token_lifetime_seconds: int | None
    claims: Mapping[str, str]
    introspected_by: list[Any]
    version: int
    created_at: datetime
    updated_at: datetime
    managed_by: str = ""

    def lifetime(self, default: timedelta) -> timedelta:
        """How long the API's tokens live."""
        return default if self.token_lifetime_seconds is None else timedelta(seconds=self.token_lifetime_seconds)


def find_resource_server(db: Database, identifier: str) -> ResourceServer | None:
    """Look an API up."""
    return one(db, ResourceServer, select(resource_servers).where(resource_servers.c.identifier == identifier))


def list_resource_servers(db: Database, *, after: str = "", prefix: str = "", limit: int = 1000) -> list[ResourceServer]:
    """List APIs by identifier, those that begin with `prefix`; there are not many, so that no index serves that."""
    query = select(resource_servers).where(resource_servers.c.identifier > after)
    if prefix:
        query = query.where(resource_servers.c.identifier.startswith(prefix, autoescape=True))
    return rows(db, ResourceServer, query.order_by(resource_servers.c.identifier).limit(limit))


def insert_resource_server(db: Database, values: Mapping[str, object]) -> None:
    """Add an API."""
    db.execute(resource_servers.insert().values(**values))


def update_resource_server(db: Database, identifier: str, version: int, values: Mapping[str, object]) -> bool:
    """Change an API if it still is at `version`; tell whether it was."""
    match = (resource_servers.c.identifier == identifier) & (resource_servers.c.version == version)
    return changed(db, update(resource_servers).where(match).values(**values, version=version + 1))


def delete_resource_server(db: Database, identifier: str) -> bool:
    """Delete an API; tell whether there was one."""
    return changed(db, delete(resource_servers).where(resource_servers.c.identifier == identifier))
