"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MYSQL = ("mysql", "mariadb")
UTF8 = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
INSTANT = sa.BigInteger
BLOB = sa.LargeBinary().with_variant(mysql.BLOB(), *MYSQL)
LONG_TEXT = sa.Text().with_variant(mysql.TEXT(**UTF8), *MYSQL)


def binary(length: int) -> Any:
    """A fixed number of bytes."""
    return sa.LargeBinary(length).with_variant(mysql.BINARY(length), *MYSQL)


def ascii_text(length: int) -> Any:
    """A text of ASCII characters that compares by byte."""
    return sa.String(length).with_variant(mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), *MYSQL)


def text(length: int) -> Any:
    """A text that compares by byte."""
    return sa.String(length).with_variant(mysql.VARCHAR(length, **UTF8), *MYSQL)


tables = sa.MetaData()
sa.Table(
    "access_tokens",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_access_tokens"),
    sa.Index("ix_access_tokens_expires_at", "expires_at"),
)
sa.Table(
    "audit_events",
    tables,
    sa.Column("id", binary(16), nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("action", ascii_text(64), nullable=False),
    sa.Column("outcome", ascii_text(16), nullable=False),
    sa.Column("actor", text(255), nullable=False),
    sa.Column("client_id", text(255), nullable=False),
    sa.Column("subject", text(255), nullable=False),
    sa.Column("address_prefix", ascii_text(64), nullable=False),
    sa.Column("because", text(255), nullable=False),
    sa.Column("request_id", ascii_text(64), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    sa.Index("ix_audit_events_at", "at"),
    sa.Index("ix_audit_events_expires_at", "expires_at"),
)
sa.Table(
    "authorization_codes",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("grant_id", binary(16), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("session_id", binary(16), nullable=False),
    sa.Column("redirect_uri", LONG_TEXT),
    sa.Column("code_challenge", ascii_text(128)),
    sa.Column("nonce", LONG_TEXT),
    sa.Column("scope", LONG_TEXT, nullable=False),
    sa.Column("resources", LONG_TEXT, nullable=False),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("authenticated_at", INSTANT, nullable=False),
    sa.Column("acr", ascii_text(255), nullable=False),
    sa.Column("amr", sa.JSON, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("consumed_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_authorization_codes"),
    sa.Index("ix_authorization_codes_expires_at", "expires_at"),
)
sa.Table(
    "authorization_requests",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("browser", binary(32), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("begun_with", binary(16)),
    sa.Column("session_id", binary(16)),
    sa.Column("account_selected_at", INSTANT),
    sa.Column("consented_at", INSTANT),
    sa.Column("denied_at", INSTANT),
    sa.Column("consumed_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_authorization_requests"),
    sa.Index("ix_authorization_requests_browser", "browser", "created_at"),
    sa.Index("ix_authorization_requests_expires_at", "expires_at"),
)
sa.Table(
    "browser_sessions",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("id", binary(16), nullable=False),
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("authenticated_at", INSTANT, nullable=False),
    sa.Column("acr", ascii_text(255), nullable=False),
    sa.Column("amr", sa.JSON, nullable=False),
    sa.Column("address_prefix", ascii_text(64), nullable=False),
    sa.Column("user_agent", text(200), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("last_seen_at", INSTANT, nullable=False),
    sa.Column("idle_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_browser_sessions"),
    sa.Index("ix_browser_sessions_idle_at", "idle_at"),
    sa.Index("ix_browser_sessions_user_id", "user_id"),
    sa.Index("uq_browser_sessions_id", "id", unique=True),
)
sa.Table(
    "client_origins",
    tables,
    sa.Column("origin", ascii_text(255), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.PrimaryKeyConstraint("origin", "client_id", name="pk_client_origins"),
    sa.Index("ix_client_origins_client_id", "client_id"),
)
sa.Table(
    "client_secrets",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT),
    sa.Column("last_used_at", INSTANT),
    sa.PrimaryKeyConstraint("digest", name="pk_client_secrets"),
    sa.Index("ix_client_secrets_client_id", "client_id"),
)
sa.Table(
    "clients",
    tables,
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("kind", ascii_text(16), nullable=False),
    sa.Column("client_name", text(200), nullable=False),
    sa.Column("metadata", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("updated_at", INSTANT, nullable=False),
    sa.Column("disabled_at", INSTANT),
    sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
)
sa.Table(
    "consents",
    tables,
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("allowed", sa.JSON, nullable=False),
    sa.Column("granted_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "client_id", name="pk_consents"),
    sa.Index("ix_consents_client_id", "client_id"),
)
sa.Table(
    "grants",
    tables,
    sa.Column("id", binary(16), nullable=False),
    sa.Column("client_id", ascii_text(255), nullable=False),
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("session_id", binary(16), nullable=False),
    sa.Column("scope", LONG_TEXT, nullable=False),
    sa.Column("resources", LONG_TEXT, nullable=False),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("authenticated_at", INSTANT, nullable=False),
    sa.Column("acr", ascii_text(255), nullable=False),
    sa.Column("amr", sa.JSON, nullable=False),
    sa.Column("offline", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("seed", binary(16), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("rotated_at", INSTANT),
    sa.Column("idle_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("retained_until", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.Column("revoked_because", ascii_text(64)),
    sa.PrimaryKeyConstraint("id", name="pk_grants"),
    sa.Index("ix_grants_client_id", "client_id"),
    sa.Index("ix_grants_retained_until", "retained_until"),
    sa.Index("ix_grants_session_id", "session_id"),
    sa.Index("ix_grants_user_id_client_id", "user_id", "client_id"),
)
sa.Table(
    "numbers",
    tables,
    sa.Column("name", ascii_text(32), nullable=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("name", name="pk_numbers"),
)
sa.Table(
    "passwords",
    tables,
    sa.Column("user_id", binary(16), nullable=False),
    sa.Column("hash", ascii_text(255), nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("user_id", name="pk_passwords"),
)
sa.Table(
    "rate_limits",
    tables,
    sa.Column("name", ascii_text(255), nullable=False),
    sa.Column("hits", sa.Integer, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("name", name="pk_rate_limits"),
    sa.Index("ix_rate_limits_expires_at", "expires_at"),
)
sa.Table(
    "resource_servers",
    tables,
    sa.Column("identifier", ascii_text(255), nullable=False),
    sa.Column("name", text(200), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("token_format", ascii_text(16), nullable=False),
    sa.Column("signing_alg", ascii_text(16), nullable=False),
    sa.Column("token_lifetime_seconds", sa.Integer),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("introspected_by", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("updated_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("identifier", name="pk_resource_servers"),
)
sa.Table(
    "revoked_tokens",
    tables,
    sa.Column("jti", ascii_text(64), nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("jti", name="pk_revoked_tokens"),
    sa.Index("ix_revoked_tokens_expires_at", "expires_at"),
)
sa.Table(
    "signing_keys",
    tables,
    sa.Column("kid", ascii_text(64), nullable=False),
    sa.Column("alg", ascii_text(16), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("public", sa.JSON, nullable=False),
    sa.Column("sealed", BLOB, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("signs_at", INSTANT, nullable=False),
    sa.Column("removed_at", INSTANT),
    sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    sa.Index("ix_signing_keys_removed_at", "removed_at"),
    sa.Index("uq_signing_keys_alg_number", "alg", "number", unique=True),
)
sa.Table(
    "spent",
    tables,
    sa.Column("digest", binary(32), nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.PrimaryKeyConstraint("digest", name="pk_spent"),
    sa.Index("ix_spent_expires_at", "expires_at"),
)
sa.Table(
    "users",
    tables,
    sa.Column("id", binary(16), nullable=False),
    sa.Column("email", text(254), nullable=False),
    sa.Column("claims", sa.JSON, nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("attributes", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("updated_at", INSTANT, nullable=False),
    sa.Column("disabled_at", INSTANT),
    sa.PrimaryKeyConstraint("id", name="pk_users"),
    sa.Index("uq_users_email", "email", unique=True),
)


def upgrade() -> None:
    """Make the tables."""
    tables.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Drop them."""
    tables.drop_all(op.get_bind(), checkfirst=False)
