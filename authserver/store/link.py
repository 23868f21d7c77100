"""One-time links: to set the server up, to accept an invitation, to set a new password. Only digests are stored."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, delete, select

from authserver.crypto.digest import Digest, digest
from authserver.store.base import Database, Instant, ascii_text, binary, consume, metadata, one, text

links = Table(
    "links",
    metadata,
    Column("digest", binary(32), primary_key=True),
    Column("purpose", ascii_text(16), nullable=False),
    Column("user_id", binary(16), index=True),
    Column("email", text(254), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("consumed_at", Instant),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link. `purpose` is setup, invite or reset; `email` is whom it was sent to, empty where it was shown instead."""

    digest: Digest
    purpose: str
    user_id: bytes | None
    email: str
    created_at: datetime
    expires_at: datetime
    consumed_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the link still opens."""
        return self.consumed_at is None and now < self.expires_at


def insert_link(db: Database, link: Link) -> None:
    """Add a link."""
    db.execute(links.insert().values(**{name: getattr(link, name) for name in Link.__dataclass_fields__}))


def find_link(db: Database, token: str) -> Link | None:
    """Look a link up by the token that it carries."""
    return one(db, Link, select(links).where(links.c.digest == digest(token)))


def spend_link(db: Database, link: Link, now: datetime) -> bool:
    """Use a link up: True for the one caller that does."""
    return consume(db, links, links.c.digest, link.digest, now)


def delete_user_links(db: Database, user_id: bytes) -> None:
    """Delete the links of a user."""
    db.execute(delete(links).where(links.c.user_id == user_id))


def delete_shown_links(db: Database, user_id: bytes) -> None:
    """Delete the links of a user that somebody else was shown."""
    db.execute(delete(links).where(links.c.user_id == user_id, links.c.email == ""))


def delete_links_of(db: Database, purpose: str) -> None:
    """Delete every link of a purpose."""
    db.execute(delete(links).where(links.c.purpose == purpose))
