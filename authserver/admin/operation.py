"""One thing that an operator does: the database and runtime that it runs on, and who does it, for the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authserver.runtime import Runtime
from authserver.store.audit import Happening, record
from authserver.store.base import Database


@dataclass(frozen=True, slots=True)
class Operation:
    """Handed to every function of this room; whoever makes it commits. `actor` is `cli` on the command line."""

    db: Database
    runtime: Runtime
    actor: str = "cli"

    def now(self) -> datetime:
        """The instant, in whole seconds, as it is stored."""
        return self.runtime.now().replace(microsecond=0)

    def note(self, action: str, *, client_id: str = "", subject: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Write the audit event of a change that was made. `details` names what changed, never a secret."""
        happening = Happening(action=action, actor=self.actor, client_id=client_id, subject=subject, details=details or {})
        record(self.db, self.runtime, happening)
