"""Clients (RFC 6749 section 2, metadata named as in RFC 7591), their secrets, and the origins that may call us."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, delete, select, update

from authserver.crypto.digest import Digest, same
from authserver.store.base import (
    Database,
    Instant,
    ascii_text,
    behind,
    binary,
    changed,
    document,
    metadata,
    one,
    rows,
    text,
)

TEST_DRIVE = "test-drive"
"""What short-lived copies of clients are managed by, with which administrators try a flow; no list has them."""

clients = Table(
    "clients",
    metadata,
    Column("client_id", ascii_text(255), primary_key=True),
    Column("kind", ascii_text(16), nullable=False),
    Column("client_name", text(200), nullable=False),
    Column("metadata", document(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("managed_by", text(200), nullable=False, server_default=""),
    Column("last_used_at", Instant),
    Index("ix_clients_client_name_client_id", "client_name", "client_id"),
    Index("ix_clients_kind_client_name_client_id", "kind", "client_name", "client_id"),
    Index("ix_clients_disabled_at", "disabled_at"),
    Index("ix_clients_managed_by", "managed_by"),
)

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("client_id", ascii_text(255), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
)

client_origins = Table(
    "client_origins",
    metadata,
    Column("origin", ascii_text(255), primary_key=True),
    Column("client_id", ascii_text(255), primary_key=True),
    Index("ix_client_origins_client_id", "client_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """What is kept of a secret; `last_used_at` is a day, not an instant."""

    digest: Digest
    client_id: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @property
    def id(self) -> str:
        """The name by which an operator speaks of it: when it was made, which no two of a client share."""
        return str(int(self.created_at.timestamp()))

    def is_live(self, now: datetime) -> bool:
        """Tell whether the secret still opens."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client; `metadata` was checked by the rules of oauth/client_registration.py.

    `managed_by` names the file that owns it, empty for none; `last_used_at` is a day, not an instant.
    """

    client_id: str
    kind: str
    client_name: str
    metadata: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    managed_by: str = ""
    last_used_at: datetime | None = None
    secrets: tuple[ClientSecret, ...] = ()

    @property
    def is_public(self) -> bool:
        """Tell whether the client has no credentials."""
        return bool(self.auth_method == "none")

    @property
    def auth_method(self) -> str:
        """The one way that the client authenticates."""
        return str(self.metadata["token_endpoint_auth_method"])

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes that the client may ask for."""
        return tuple(str(self.metadata.get("scope", "")).split())

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs that the client may ask tokens for; the first is its default."""
        return tuple(self.metadata.get("apis", ()))

    def has_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use a grant."""
        return grant_type in self.metadata.get("grant_types", ())

    def find_secret(self, presented: Digest, now: datetime) -> ClientSecret | None:
        """Return the live secret of that digest, comparing with all of them in constant time."""
        matches = [secret for secret in self.secrets if same(secret.digest, presented)]
        return next((secret for secret in matches if secret.is_live(now)), None)


def find_client(db: Database, client_id: str) -> Client | None:
    """Look a client up with its secrets."""
    found = db.execute(select(clients).where(clients.c.client_id == client_id)).mappings().one_or_none()
    if found is None:
        return None
    query = select(client_secrets).where(client_secrets.c.client_id == client_id).order_by(client_secrets.c.created_at)
    return Client(**found, secrets=tuple(rows(db, ClientSecret, query)))


def list_clients(db: Database, *, after: str = "", limit: int = 100) -> list[Client]:
    """List clients by id, without their secrets."""
    query = select(clients).where(clients.c.client_id > after, clients.c.managed_by != TEST_DRIVE)
    return rows(db, Client, query.order_by(clients.c.client_id).limit(limit))


def list_clients_by_name(
    db: Database, *, kind: str = "", disabled: bool | None = None, after: tuple[str, str] | None = None, limit: int
) -> list[Client]:
    """List clients by name and id, without their secrets; `after` is the name and id of the last one seen."""
    query = select(clients).where(clients.c.managed_by != TEST_DRIVE)
    if kind:
        query = query.where(clients.c.kind == kind)
    if disabled is not None:
        query = query.where(clients.c.disabled_at.is_not(None) if disabled else clients.c.disabled_at.is_(None))
    if after is not None:
        query = query.where(behind((clients.c.client_name, clients.c.client_id), after))
    return rows(db, Client, query.order_by(clients.c.client_name, clients.c.client_id).limit(limit))


def find_clients(db: Database, client_ids: Iterable[str]) -> list[Client]:
    """Look some clients up, by id, without their secrets."""
    query = select(clients).where(clients.c.client_id.in_(list(client_ids))).order_by(clients.c.client_id)
    return rows(db, Client, query)


def list_owned_clients(db: Database, owner: str) -> list[str]:
    """List the ids of the clients that a file owns."""
    query = select(clients.c.client_id).where(clients.c.managed_by == owner).order_by(clients.c.client_id)
    return list(db.execute(query).scalars())


def insert_client(db: Database, values: Mapping[str, object], origins: tuple[str, ...]) -> None:
    """Add a client and its origins."""
    db.execute(clients.insert().values(**values))
    set_origins(db, str(values["client_id"]), origins)


def update_client(db: Database, client_id: str, version: int, values: Mapping[str, object]) -> bool:
    """Change a client if it still is at `version`; tell whether it was."""
    match = (clients.c.client_id == client_id) & (clients.c.version == version)
    return changed(db, update(clients).where(match).values(**values, version=version + 1))


def lock_client(db: Database, client_id: str) -> None:
    """Let nobody else change a client and its secrets until this is committed."""
    db.execute(update(clients).where(clients.c.client_id == client_id).values(client_id=client_id))


def set_origins(db: Database, client_id: str, origins: tuple[str, ...]) -> None:
    """Replace the origins from which a client's pages may call."""
    db.execute(delete(client_origins).where(client_origins.c.client_id == client_id))
    for origin in sorted(set(origins)):
        db.execute(client_origins.insert().values(origin=origin, client_id=client_id))


def is_known_origin(db: Database, origin: str) -> bool:
    """Tell whether some enabled client's pages live at `origin`."""
    joined = client_origins.join(clients, clients.c.client_id == client_origins.c.client_id)
    query = select(client_origins.c.client_id).select_from(joined)
    return db.execute(query.where(client_origins.c.origin == origin, clients.c.disabled_at.is_(None)).limit(1)).first() is not None


def delete_client(db: Database, client_id: str) -> bool:
    """Delete a client with its secrets and origins; tell whether there was one."""
    for table in (client_secrets, client_origins):
        db.execute(delete(table).where(table.c.client_id == client_id))
    return changed(db, delete(clients).where(clients.c.client_id == client_id))


def insert_secret(db: Database, secret: Digest, client_id: str, now: datetime, expires_at: datetime | None = None) -> None:
    """Add a secret."""
    values = {"digest": secret, "client_id": client_id, "created_at": now, "expires_at": expires_at, "last_used_at": None}
    db.execute(client_secrets.insert().values(**values))


def delete_secret(db: Database, secret: Digest) -> None:
    """Delete a secret."""
    db.execute(delete(client_secrets).where(client_secrets.c.digest == secret))


def expire_secrets(db: Database, client_id: str, at: datetime) -> None:
    """Let every secret of a client end at `at`, unless it ends sooner."""
    later = client_secrets.c.expires_at.is_(None) | (client_secrets.c.expires_at > at)
    db.execute(update(client_secrets).where(client_secrets.c.client_id == client_id, later).values(expires_at=at))


def drop_secrets(db: Database, client_id: str, keep: int) -> None:
    """Keep only the newest `keep` secrets of a client."""
    query = select(client_secrets).where(client_secrets.c.client_id == client_id)
    newest_first = query.order_by(client_secrets.c.created_at.desc(), client_secrets.c.expires_at.is_not(None), client_secrets.c.digest)
    for secret in rows(db, ClientSecret, newest_first)[keep:]:
        db.execute(delete(client_secrets).where(client_secrets.c.digest == secret.digest))


def note_client_use(db: Database, client_id: str, day: datetime) -> None:
    """Remember the day of a client's last use."""
    older = clients.c.last_used_at.is_(None) | (clients.c.last_used_at < day)
    db.execute(update(clients).where(clients.c.client_id == client_id, older).values(last_used_at=day))


def note_secret_use(db: Database, secret: Digest, day: datetime) -> None:
    """Remember the day of a secret's last use."""
    older = client_secrets.c.last_used_at.is_(None) | (client_secrets.c.last_used_at < day)
    db.execute(update(client_secrets).where(client_secrets.c.digest == secret, older).values(last_used_at=day))


def find_secret_by_digest(db: Database, secret: Digest) -> ClientSecret | None:
    """Look a secret up."""
    return one(db, ClientSecret, select(client_secrets).where(client_secrets.c.digest == secret))
