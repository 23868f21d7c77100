"""A turn: what one process at a time does, until its transaction ends, since it has changed the same row as the others would."""

from sqlalchemy import update

from authserver.store.base import Database, insert_once
from authserver.store.signing_key import numbers


def take_turn(db: Database, name: str) -> None:
    """Begin the transaction and wait until nobody else has the turn `name`; counts the turns. DBAPIError where it takes too long."""
    insert_once(db, numbers, {"name": name, "value": 0})
    db.execute(update(numbers).where(numbers.c.name == name).values(value=numbers.c.value + 1))
