"""AUTHSERVER_APPLY: a configuration file that is applied whenever the server starts; nothing is deleted by it."""

import logging
from pathlib import Path

from authserver.admin.configuration.compare import MADE
from authserver.admin.configuration.describe import summary
from authserver.admin.configuration.document import Wanted, read_document
from authserver.admin.configuration.plan import Plan
from authserver.admin.configuration.run import apply_file
from authserver.admin.configuration.source import BadFile, read_source
from authserver.runtime import Runtime
from authserver.runtime.settings import PREFIX, SettingsError

log = logging.getLogger("authserver.configuration")


def read_wanted(path: Path) -> Wanted:
    """Read and check a file. Raises BadFile, SettingsError where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    return read_document(read_source(content, str(path)), path.stem)


def apply_at_start(runtime: Runtime) -> None:
    """Apply the file of AUTHSERVER_APPLY, if one is set. Of several processes one does it, the others wait for it.

    Raises SettingsError, BadFile, NotFound, Conflict.
    """
    if not runtime.settings.apply:
        return
    wanted = read_wanted(Path(runtime.settings.apply))

    def show_nobody(plan: Plan) -> bool:
        made = [step.identifier for step in plan.steps if any(change.after == MADE for change in step.changes if change.field == "secret")]
        if made:
            why = f"must be env:NAME or file:PATH in a file of {PREFIX}APPLY, since one that is made now could be shown to nobody; or run"
            raise BadFile([wanted.source.problem(("clients", made[0], "secret"), f"{why} authserver apply first")])
        return True

    applied = apply_file(runtime, wanted, confirm=show_nobody)
    if applied is not None:
        log.info("configuration applied", extra={"file": wanted.source.file, "owner": wanted.name, "outcome": summary(applied.plan)})
