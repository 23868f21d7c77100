"""Which revision of the tables this program needs, read without Alembic.

Revisions are numbers with leading zeros. Migrations only ever expand what an older program uses, so a newer schema
serves an older program as well.
"""

from sqlalchemy import column, inspect, select, table

from authserver.store.base import Database

HEAD = "0002"

_version = table("alembic_version", column("version_num"))


def find_revision(db: Database) -> str | None:
    """Return the revision of the tables; None where no migration has run. DBAPIError where the database is down."""
    db.release()  # the inspector takes a connection of its own, and there may be but one
    if not inspect(db.engine).has_table(_version.name):
        return None
    found: str | None = db.execute(select(_version.c.version_num)).scalar_one_or_none()
    return found


def schema_is_current(db: Database) -> bool:
    """Tell whether the tables are at HEAD or newer."""
    return (find_revision(db) or "") >= HEAD
