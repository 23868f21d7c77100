"""Counting the statements that reach the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@dataclass
class Tally:
    """The statements of one block."""

    statements: list[str] = field(default_factory=list)

    @property
    def reads(self) -> list[str]:
        return [statement for statement in self.statements if statement.startswith("SELECT")]

    @property
    def writes(self) -> list[str]:
        return [statement for statement in self.statements if statement.startswith(WRITES)]

    @property
    def commits(self) -> int:
        return self.statements.count("COMMIT")


class Counts:
    def __init__(self, engine: Engine) -> None:
        self._tally = Tally()
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self._tally.statements.append(" ".join(statement.split()))

    @contextmanager
    def measure(self) -> Iterator[Tally]:
        """Count what happens in the block."""
        self._tally = Tally()
        yield self._tally
