"""What a schedule or an operator has AWS Lambda do, and what a schedule elsewhere calls: `authserver.jobs.janitor` and the like.

Each takes Lambda's event and context, reads AUTHSERVER_*, and commits for itself; done twice it does no harm. Words
(`name=value`) of a command are in `event["arguments"]`. A job that may take long stops while there is time left to say so.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from importlib.metadata import version as version_of
from typing import Any, NoReturn

from authserver.admin import keys, outbox, own
from authserver.admin.authority import Authority
from authserver.admin.clients import create_client as register
from authserver.admin.documents import client_document, user_document
from authserver.admin.errors import Conflict, Forbidden, Invalid, NotFound
from authserver.admin.janitor import sweep
from authserver.admin.links import setup_link as make_setup_link
from authserver.admin.operation import Operation
from authserver.admin.outbox import send_now
from authserver.admin.users import invite_user as invite
from authserver.admin.words import read_words
from authserver.crypto.sealing import SealBroken
from authserver.runtime import Runtime, make_runtime
from authserver.runtime.keys import KeyUnavailable
from authserver.runtime.log import configure
from authserver.runtime.settings import SettingsError, read_settings
from authserver.store.base import transaction
from authserver.store.schema import HEAD, find_revision

log = logging.getLogger("authserver.jobs")

Answer = dict[str, Any]

LEFT_AT_THE_END = timedelta(seconds=12)
"""Longer than one letter takes (runtime/mail.py), and a key."""
SECRET_MEMBERS = ("client_secret", "link")
NOT_LOGGED = "only in the answer of the invocation"
INVOCATION, JANITOR = Authority("invocation"), Authority("janitor")
"""Who may invoke the function may do everything; that is for IAM to say."""
ROTATIONS = {"announce": {"announce": True}, "now": {}, "revoke": {"revoke": True}}


class JobFailed(Exception):
    """A job was not done; the text says what to change, and has no values but what the operator gave."""


_lent: ContextVar[Runtime | None] = ContextVar("lent", default=None)


def call(name: str, event: Any, context: Any, runtime: Runtime | None = None) -> Answer:
    """Run a job, and log its answer in one line, without secrets. Raises JobFailed.

    A process that has a runtime lends it: a job then opens no other connection, and asks AWS for no key or secret again.
    """
    lent = _lent.set(runtime)
    try:
        answer = JOBS[name](event, context)
    except Exception as error:
        _fail(name, error)
    finally:
        _lent.reset(lent)
    shown = {member: NOT_LOGGED if member in SECRET_MEMBERS and value else value for member, value in answer.items()}
    log.info("job done", extra={"job": name, "answer": shown})
    return answer


def _fail(name: str, error: Exception) -> NoReturn:
    """Raise JobFailed in place of what a job raised; a fault of ours leaves its traceback in the log."""
    known = _explain(error)
    if known is None:
        log.error("job failed", extra={"job": name}, exc_info=error)
    raise JobFailed(f"{name}: {known or f'{type(error).__name__}, see the log'}") from None


def _explain(error: Exception) -> str | None:
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    from authserver.web.context import name_fault

    match error:
        case Invalid():
            return f"{error.field} {error.why}".strip()
        case NotFound() | Conflict() | Forbidden() | SettingsError() | SealBroken() | KeyUnavailable():
            return str(error)
        case DBAPIError() | PoolTimeout():
            return f"the database cannot do it ({name_fault(error)}); without tables, invoke authserver.jobs.migrate first"
    return str(error) if type(error) is LookupError else None  # its subclasses are bugs


def migrate(event: Any, context: Any) -> Answer:
    """Bring the tables to this version's revision, and apply the file of AUTHSERVER_APPLY where one is set."""
    read_words(event).finish()
    with _runtime() as runtime:
        own.migrate(runtime)
        if runtime.settings.apply:
            from authserver.admin.configuration.start import apply_at_start

            apply_at_start(runtime)
        return {"revision": _revision(runtime), "needed": HEAD}


def deliver(event: Any, context: Any) -> Answer:
    """Send the mail that is due; return how many letters were sent, failed and given up. Every few minutes is a good schedule."""
    read_words(event).finish()
    with _runtime() as runtime:
        return dict(outbox.deliver(runtime, _ending(context)))


def janitor(event: Any, context: Any) -> Answer:
    """Send mail that waits, delete what has expired and make the keys that are due; return how many letters and rows, by table."""
    read_words(event).finish()
    with _runtime() as runtime:
        return dict(sweep(runtime, _ending(context)))


def rotate_keys(event: Any, context: Any) -> Answer:
    """Make the keys that are due; return all keys. `when=now`, `announce` or `revoke` does not wait for that, `alg=RS256` for one.

    What they mean is what `authserver keys rotate` says; they are for an emergency, and each time makes new keys.
    """
    words = read_words(event)
    when, algs = words.one("when") or "due", tuple(words.several("alg"))
    words.finish()
    if when not in (*ROTATIONS, "due") or (algs and when == "due"):
        raise Invalid("when", f"must be due, or {', '.join(ROTATIONS)} (these with alg=… too)")
    with _operation(JANITOR if when == "due" else INVOCATION) as work:
        if when == "due":
            keys.ensure_needed_keys(work)
        else:
            keys.rotate(work, algs, **ROTATIONS[when])
        return {"keys": keys.key_documents(work)}


def reseal_keys(event: Any, context: Any) -> Answer:
    """Seal all keys under the first item of AUTHSERVER_SECRET_KEY, as `authserver keys reseal` does; return how many were not."""
    read_words(event).finish()
    with _operation() as work:
        return {"resealed": keys.reseal(work)}


def create_client(event: Any, context: Any) -> Answer:
    """Register a client by the rules of `authserver clients create`: kind, name, redirect_uri, api, scope, any metadata.

    With `secret_sha256`, the hexadecimal SHA-256 of a secret of the operator's own, no secret leaves their machine; else it
    is in the answer of the invocation, this once.
    """
    words = read_words(event)
    kind, name, client_id = (words.one(word) for word in ("kind", "name", "client_id"))
    stored = words.digest("secret_sha256")
    with _operation() as work:
        issued = register(work, kind or "", name or "", words.metadata(), client_id=client_id, secret=stored)
    secret = {"client_secret": issued.secret} if issued.secret else {}
    return {"client_id": issued.client.client_id, **secret, **client_document(issued.client)}


def setup_link(event: Any, context: Any) -> Answer:
    """Make the link at which the first owner sets up their account; it is in the answer of the invocation, this once.

    With `token_sha256`, the hexadecimal SHA-256 of a random token of the operator's own, the token goes behind `token=`.
    """
    words = read_words(event)
    stored = words.digest("token_sha256")
    words.finish()
    with _operation() as work:
        address = make_setup_link(work, stored)
    return {"address": address} if stored else {"link": address}


def invite_user(event: Any, context: Any) -> Answer:
    """Add a user (email, name), who sets their own password by a link: mailed, or else in the answer of the invocation, this once."""
    words = read_words(event)
    email, name = words.one("email"), words.one("name")
    words.finish()
    with _operation() as work:
        invited = invite(work, email or "", {"name": name} if name else {})
    return {"link": invited.link, **user_document(invited.user)}


def health(event: Any, context: Any) -> Answer:
    """Tell the versions of the program and the tables, and how many keys the database has and can be opened."""
    read_words(event).finish()
    with _operation() as work:
        return {
            "version": version_of("authserver"),
            "revision": find_revision(work.db),
            "needed": HEAD,
            "keys": len(keys.key_documents(work)),
        }


JOBS: Mapping[str, Callable[[Any, Any], Answer]] = {
    job.__name__: job for job in (migrate, deliver, janitor, rotate_keys, reseal_keys, create_client, setup_link, invite_user, health)
}
SCHEDULED = frozenset({"deliver", "janitor", "rotate_keys"})
"""Those that a rule's name may call for."""


def _ending(context: Any) -> Callable[[], bool]:
    """Return what tells that Lambda will soon end this invocation; elsewhere it never does."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return lambda: False
    return lambda: timedelta(milliseconds=remaining()) < LEFT_AT_THE_END


@contextmanager
def _operation(authority: Authority = INVOCATION) -> Iterator[Operation]:
    """Do something in one transaction, committed at its end; then mail that it wrote is sent."""
    with _runtime() as runtime:
        with transaction(runtime.engine) as db:
            yield Operation(db, runtime, authority)
        send_now(runtime, db.outgoing)


def _revision(runtime: Runtime) -> str | None:
    with transaction(runtime.engine) as db:
        return find_revision(db)


@contextmanager
def _runtime() -> Iterator[Runtime]:
    lent = _lent.get()
    if lent is not None:
        yield lent
        return
    settings = read_settings()
    configure(settings.log_level)
    runtime = make_runtime(settings)
    try:
        yield runtime
    finally:
        runtime.engine.dispose()
