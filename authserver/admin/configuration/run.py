"""A file compared and applied, each in a transaction of its own: an error leaves nothing half-applied."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from authserver.admin.authority import Authority
from authserver.admin.configuration.carry_out import carry_out
from authserver.admin.configuration.compare import make_plan
from authserver.admin.configuration.document import Wanted
from authserver.admin.configuration.plan import Leftovers, Plan
from authserver.admin.errors import Changed
from authserver.admin.operation import Operation
from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.turn import take_turn

TURN = "apply"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, and the secrets that were made, by client, to be shown once."""

    plan: Plan
    secrets: dict[str, str]


class _Undo(Exception):
    """Ends a transaction that was only a rehearsal."""


def compare_file(runtime: Runtime, wanted: Wanted, leftovers: Leftovers = "leave") -> Plan:
    """Return what applying the file would do; it is rehearsed, so that what would go wrong is found. Nothing is changed.

    Raises BadFile, NotFound, Conflict.
    """
    with transaction(runtime.engine) as db:
        plan = make_plan(_operation(db, runtime, wanted), wanted, leftovers)
    if not plan.is_done:
        _rehearse(runtime, wanted, leftovers)
    return plan


def apply_file(
    runtime: Runtime, wanted: Wanted, leftovers: Leftovers = "leave", confirm: Callable[[Plan], bool] = lambda plan: True
) -> Applied | None:
    """Make the database what the file wants; return what was done, None where `confirm` refused it.

    Where nothing is to be done nothing is written. Raises BadFile, NotFound, Conflict, Changed.
    """
    with transaction(runtime.engine) as db:
        seen = make_plan(_operation(db, runtime, wanted), wanted, leftovers)
    if not confirm(seen):
        return None
    if seen.is_done:
        return Applied(seen, {})
    with _in_turn(runtime) as db:
        operation = _operation(db, runtime, wanted)
        plan = make_plan(operation, wanted, leftovers)
        if _deleted(plan) - _deleted(seen):
            raise Changed("somebody else changed something meanwhile, and more would be deleted than was shown: try again")
        return Applied(plan, carry_out(operation, wanted, plan))


def _deleted(plan: Plan) -> set[tuple[str, str]]:
    return {(step.what, step.identifier) for step in plan.steps if step.action == "delete"}


def _rehearse(runtime: Runtime, wanted: Wanted, leftovers: Leftovers) -> None:
    try:
        with _in_turn(runtime) as db:
            operation = _operation(db, runtime, wanted)
            carry_out(operation, wanted, make_plan(operation, wanted, leftovers))
            raise _Undo
    except _Undo:
        pass


def _operation(db: Database, runtime: Runtime, wanted: Wanted) -> Operation:
    return Operation(db, runtime, Authority(f"file:{wanted.name}"), wanted.name)


@contextmanager
def _in_turn(runtime: Runtime) -> Iterator[Database]:
    """A transaction that no other process has at the same time; one that waits for too long asks again a few times."""
    for attempt in range(1, ATTEMPTS + 1):
        with transaction(runtime.engine) as db:
            try:
                take_turn(db, TURN)
            except DBAPIError:
                db.rollback()
                if attempt == ATTEMPTS:
                    raise
                continue
            yield db
            return
