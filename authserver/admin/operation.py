"""One thing that an operator does: the database and runtime that it runs on, and who does it, for the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authserver.admin.authority import COMMAND_LINE, Authority
from authserver.admin.errors import Conflict
from authserver.runtime import Runtime
from authserver.store.audit import Happening, record
from authserver.store.base import Database

NOT_CHANGES = frozenset({"version", "updated_at"})


@dataclass(frozen=True, slots=True)
class Operation:
    """Handed to every function of this room; whoever makes it commits. `owner` names the file that is being applied."""

    db: Database
    runtime: Runtime
    authority: Authority = COMMAND_LINE
    owner: str = ""

    @property
    def actor(self) -> str:
        """Who does it, as the audit log says."""
        return self.authority.actor

    def now(self) -> datetime:
        """The instant, in whole seconds, as it is stored."""
        return self.runtime.now().replace(microsecond=0)

    def refuse_if_managed(self, what: str, managed_by: str) -> None:
        """Leave alone what another file owns. Raises Conflict."""
        if managed_by and managed_by != self.owner:
            raise Conflict(f"{what} is managed by {managed_by}: change it there")

    def note(
        self,
        action: str,
        *,
        client_id: str = "",
        subject: str = "",
        details: Mapping[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the audit event of a change that was made: of two documents, what differs. No secret is in them."""
        changes = difference(before or {}, after or {})
        happening = Happening(action=action, actor=self.actor, client_id=client_id, subject=subject, details={**(details or {}), **changes})
        record(self.db, self.runtime, happening)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the members that differ, as they were (`before`) and as they are (`after`), as far as there are any."""
    names = [name for name in {**before, **after} if name not in NOT_CHANGES and before.get(name) != after.get(name)]
    parts = {"before": before, "after": after}
    found = {part: {name: document[name] for name in names if name in document} for part, document in parts.items()}
    return {part: members for part, members in found.items() if members}
