"""Mail that goes out after the change that it tells of is committed: tried at once, then with growing pauses until it expires.

A process takes a row by one guarded statement before it sends, so that no two send it; the row goes when it was sent.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.admin.letters import draft
from authserver.admin.operation import Operation
from authserver.crypto.sealing import SealBroken, seal, unseal
from authserver.runtime import Runtime
from authserver.runtime.mail import Letter, NotSent
from authserver.store.audit import Happening, record
from authserver.store.base import new_id, show_id, transaction
from authserver.store.outbox import Outgoing, claim_outgoing, delete_outgoing, find_outgoing, insert_outgoing, list_due

log = logging.getLogger("authserver.mail")

MAIL = "mail"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=1)
"""The first is longer than one attempt can take, or a second process would send the same letter."""
AT_ONCE = 100


def send_letter(
    operation: Operation, name: str, to: str, values: Mapping[str, str], *, expires_at: datetime, locale: str = "", subject: str = ""
) -> None:
    """Have a letter (invite, reset) sent once this operation is committed; it is of no use after `expires_at`.

    `subject` is the user's id, for the audit log.
    """
    runtime, now = operation.runtime, operation.now()
    until = expires_at.strftime("%Y-%m-%d %H:%M UTC")
    written = draft(name, runtime.settings.issuer, locale, {**values, "until": until})
    content = json.dumps({"to": to, "subject": written.subject, "text": written.text, "user": subject}).encode()
    identifier = new_id(runtime.new_secret(16))
    sealed = seal(runtime.keys, runtime.new_secret, _sealed_as(identifier), content)
    fixed = {"kind": MAIL, "created_at": now, "due_at": now, "attempts": 0, "expires_at": expires_at}
    insert_outgoing(operation.db, {"id": identifier, "sealed": sealed, **fixed})
    operation.db.outgoing.append(identifier)


def send_now(runtime: Runtime, identifiers: Iterable[bytes]) -> None:
    """Try to send what was just committed; what fails is left to `deliver`. Never raises for a mail server or database."""
    for identifier in identifiers:
        try:
            with transaction(runtime.engine) as db:
                row = find_outgoing(db, identifier)
            if row is not None and row.attempts == 0:
                _send(runtime, row)
        except (DBAPIError, PoolTimeout) as error:
            log.warning("mail is left for later", extra={"because": type(error).__name__})


def deliver(runtime: Runtime, is_over: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Send all that is due; return how many. Commits for itself, letter by letter. Once `is_over`, the rest waits for the next time."""
    outcomes: Counter[str] = Counter(letters_sent=0, letters_failed=0, letters_given_up=0)
    more = True
    while more:
        with transaction(runtime.engine) as db:
            due = list_due(db, runtime.now(), AT_ONCE)
        outcomes.update(filter(None, (_send(runtime, row) for row in takewhile(lambda _row: not is_over(), due))))
        more = len(due) == AT_ONCE and not is_over()
    return dict(outcomes)


def _send(runtime: Runtime, row: Outgoing) -> str:
    """Send a letter if nobody else does; return what became of it."""
    now = runtime.now()
    next_try = now + min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE)
    with transaction(runtime.engine) as db:
        if not claim_outgoing(db, row, next_try):
            return ""
    try:
        letter, user = _open(runtime, row)
        runtime.mail(letter)
    except NotSent as error:
        return _note_failure(runtime, row, error, user, is_last=error.for_good or next_try >= row.expires_at)
    except SealBroken as error:
        return _note_failure(runtime, row, error, "", is_last=next_try >= row.expires_at)
    with transaction(runtime.engine) as db:
        delete_outgoing(db, row.id)
    log.info("mail sent", extra={"attempts": row.attempts + 1})
    return "letters_sent"


def _open(runtime: Runtime, row: Outgoing) -> tuple[Letter, str]:
    content = json.loads(unseal(runtime.keys, _sealed_as(row.id), row.sealed))
    user: str = content.pop("user")
    return Letter(**content, identifier=show_id(row.id), written_at=row.created_at), user


def _note_failure(runtime: Runtime, row: Outgoing, error: Exception, user: str, *, is_last: bool) -> str:
    log.warning("mail not sent", extra={"because": str(error), "attempts": row.attempts + 1, "is_last": is_last})
    if not is_last:
        return "letters_failed"
    with transaction(runtime.engine) as db:
        delete_outgoing(db, row.id)
        record(db, runtime, Happening(action="mail.give_up", outcome="failed", subject=user, because=str(error)))
    return "letters_given_up"


def _sealed_as(identifier: bytes) -> str:
    return f"outgoing {show_id(identifier)}"
