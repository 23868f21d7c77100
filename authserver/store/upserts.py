"""Inserting a row, or changing the one that is there, in one statement of the database's own dialect."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Table

from authserver.store.base import ON_MYSQL, Database, insert_into


def upsert(db: Database, table: Table, values: Mapping[str, object], changes: Mapping[str, object]) -> None:
    """Insert a row, or apply `changes` to the one that has its primary key."""
    keys = [column.name for column in table.primary_key.columns]
    insert = insert_into(db.engine.dialect.name, table).values(**values)
    if db.engine.dialect.name in ON_MYSQL:
        db.execute(insert.on_duplicate_key_update(**changes))
    else:
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=dict(changes)))


def add_up(db: Database, table: Table, values: Sequence[Mapping[str, object]], total: str) -> None:
    """Insert rows in one statement; where a row's primary key is there already, add its `total` to what is there."""
    if not values:
        return
    insert = insert_into(db.engine.dialect.name, table).values(list(values))
    column = table.c[total]
    if db.engine.dialect.name in ON_MYSQL:
        db.execute(insert.on_duplicate_key_update({total: column + insert.inserted[total]}))
    else:
        keys = [key.name for key in table.primary_key.columns]
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_={total: column + insert.excluded[total]}))
