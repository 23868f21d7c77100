"""Administration: roles, links, refusals, figures, search, repeated requests, the outbox, and what a file owns."""

import json
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MYSQL = ("mysql", "mariadb")
UTF8 = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
INSTANT = sa.BigInteger
BLOB = sa.LargeBinary().with_variant(mysql.BLOB(), *MYSQL)


def binary(length: int) -> Any:
    """A fixed number of bytes."""
    return sa.LargeBinary(length).with_variant(mysql.BINARY(length), *MYSQL)


def ascii_text(length: int) -> Any:
    """A text of ASCII characters that compares by byte."""
    return sa.String(length).with_variant(mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), *MYSQL)


def text(length: int) -> Any:
    """A text that compares by byte."""
    return sa.String(length).with_variant(mysql.VARCHAR(length, **UTF8), *MYSQL)


def ordered_text(length: int) -> Any:
    """A text that compares and sorts by byte."""
    return text(length).with_variant(sa.String(length, collation="C"), "postgresql")


tables = sa.MetaData()
sa.Table(
    "admins",
    tables,
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("role", ascii_text(16), nullable=False),
    sa.Column("granted_at", INSTANT, nullable=False),
    sa.Column("granted_by", text(255), nullable=False),
    sa.Column("managed_by", text(200), nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("user_id", name="pk_admins"),
    sa.Index("ix_admins_role", "role"),
)
sa.Table(
    "figures",
    tables,
    sa.Column("name", ascii_text(32), nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("label", ascii_text(64), nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("name", "at", "label", name="pk_figures"),
    sa.Index("ix_figures_expires_at", "expires_at"),
)
sa.Table(
    "idempotency_keys",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("request", binary(32), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.JSON),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("digest", name="pk_idempotency_keys"),
    sa.Index("ix_idempotency_keys_expires_at", "expires_at"),
)
sa.Table(
    "links",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("purpose", ascii_text(16), nullable=False),
    sa.Column("user_id", binary(16)),
    sa.Column("email", text(254), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("consumed_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_links"),
    sa.Index("ix_links_expires_at", "expires_at"),
    sa.Index("ix_links_user_id", "user_id"),
)
sa.Table(
    "outbox",
    tables,
    sa.Column("id", binary(16), nullable=False),
    sa.Column("kind", ascii_text(16), nullable=False),
    sa.Column("sealed", BLOB, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("due_at", INSTANT, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    sa.Index("ix_outbox_due_at", "due_at"),
    sa.Index("ix_outbox_expires_at", "expires_at"),
)
sa.Table(
    "refusals",
    tables,
    sa.Column("error_id", ascii_text(64), nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("endpoint", ascii_text(32), nullable=False),
    sa.Column("error", ascii_text(64), nullable=False),
    sa.Column("because", text(255), nullable=False),
    sa.Column("client_id", text(255), nullable=False),
    sa.Column("address_prefix", ascii_text(64), nullable=False),
    sa.Column("asked", sa.JSON, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("error_id", name="pk_refusals"),
    sa.Index("ix_refusals_at_error_id", "at", "error_id"),
    sa.Index("ix_refusals_client_id_at", "client_id", "at"),
    sa.Index("ix_refusals_expires_at", "expires_at"),
)
search_terms = sa.Table(
    "search_terms",
    tables,
    sa.Column("kind", ascii_text(16), nullable=False),
    sa.Column("term", ordered_text(100), nullable=False),
    sa.Column("id", ascii_text(255), nullable=False),
    sa.PrimaryKeyConstraint("kind", "term", "id", name="pk_search_terms"),
    sa.Index("ix_search_terms_kind_id", "kind", "id"),
)

INDEXES = (
    ("clients", "client_name", "client_id"),
    ("clients", "kind", "client_name", "client_id"),
    ("clients", "disabled_at"),
    ("clients", "managed_by"),
    ("users", "disabled_at"),
    ("audit_events", "at", "id"),
    ("audit_events", "action", "at", "id"),
    ("audit_events", "actor", "at", "id"),
    ("audit_events", "client_id", "at", "id"),
    ("audit_events", "subject", "at", "id"),
    ("audit_events", "request_id"),
    ("browser_sessions", "created_at", "id"),
    ("grants", "client_id", "created_at", "id"),
    ("grants", "created_at", "id"),
)
REPLACED = (("audit_events", "at"), ("grants", "client_id"))


def upgrade() -> None:
    """Make the tables, columns and indexes, and the words by which what is there is found."""
    tables.create_all(op.get_bind(), checkfirst=False)
    for table in ("clients", "resource_servers"):
        op.add_column(table, sa.Column("managed_by", text(200), nullable=False, server_default=""))
    op.add_column("clients", sa.Column("last_used_at", INSTANT))
    for table, *columns in INDEXES:
        op.create_index(name_of(table, columns), table, columns)
    for table, *columns in REPLACED:
        op.drop_index(name_of(table, columns), table)
    insert_terms()


def downgrade() -> None:
    """Undo it."""
    for table, *columns in REPLACED:
        op.create_index(name_of(table, columns), table, columns)
    for table, *columns in INDEXES:
        op.drop_index(name_of(table, columns), table)
    for table, column in (("clients", "managed_by"), ("clients", "last_used_at"), ("resource_servers", "managed_by")):
        op.drop_column(table, column)
    tables.drop_all(op.get_bind(), checkfirst=False)


def name_of(table: str, columns: list[str]) -> str:
    """Name an index."""
    return f"ix_{table}_{'_'.join(columns)}"


def insert_terms() -> None:
    """Let clients be found by id, name and redirect host, users by email and name."""
    connection = op.get_bind()
    for client_id, client_name, document in connection.execute(sa.text("SELECT client_id, client_name, metadata FROM clients")).all():
        uris, apis = (read(document).get(name, []) for name in ("redirect_uris", "apis"))
        insert(connection, "client", client_id, words(client_id, client_name, *(urlsplit(uri).hostname or "" for uri in uris)))
        insert(connection, "client_of_api", client_id, {api[:100] for api in apis})
    for identifier, email, claims in connection.execute(sa.text("SELECT id, email, claims FROM users")).all():
        shown = bytes(identifier).hex()
        shown = "-".join((shown[:8], shown[8:12], shown[12:16], shown[16:20], shown[20:]))
        insert(connection, "user", shown, words(email, str(read(claims).get("name") or "")))


def read(document: Any) -> Any:
    """Read a JSON column, which some drivers have read already."""
    return json.loads(document) if isinstance(document, (str, bytes)) else document


def words(*texts: str) -> set[str]:
    """Return each text whole, and each of its words."""
    lowered = [text.casefold().strip() for text in texts]
    return {term[:100] for term in (*lowered, *(word for text in lowered for word in text.split())) if term}


def insert(connection: Any, kind: str, identifier: str, terms: set[str]) -> None:
    """Add the words of one thing."""
    if terms:
        connection.execute(search_terms.insert(), [{"kind": kind, "term": term, "id": identifier} for term in sorted(terms)])
