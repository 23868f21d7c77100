"""About how many rows each table has, asked of the database's own statistics where it keeps some: nothing is counted."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from authserver.store.base import Database, metadata

STATISTICS = {
    "postgresql": "SELECT relname, CASE WHEN reltuples < 0 THEN 0 ELSE reltuples END FROM pg_class WHERE relkind = 'r'",
    "mysql": "SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = DATABASE()",
}
STATISTICS["mariadb"] = STATISTICS["mysql"]


def about(db: Database) -> Mapping[str, int]:
    """Return about how many rows each of our tables has, by name, the largest first."""
    found = _sqlite(db) if db.engine.dialect.name == "sqlite" else _statistics(db)
    sizes = {name: found.get(name, 0) for name in metadata.tables}
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _statistics(db: Database) -> dict[str, int]:
    rows: Any = db.execute(text(STATISTICS[db.engine.dialect.name]))
    return {str(name): int(count or 0) for name, count in rows}


def _sqlite(db: Database) -> dict[str, int]:
    """SQLite keeps no statistics; the span of the row numbers is as many rows as there are, or a few more."""
    parts = [f"SELECT '{name}', coalesce(max(rowid) - min(rowid) + 1, 0) FROM {name}" for name in metadata.tables]  # noqa: S608 - the names are those of our own tables
    rows: Any = db.execute(text(" UNION ALL ".join(parts)))
    return {str(name): int(count) for name, count in rows}
