"""Signing in: which factors it takes, and what acr and amr they earn (OpenID Connect Core section 2, RFC 8176 section 2).

So far the password is the only factor. A second one is a file beside password.py, asked for by `sign_in` below, and
earns another acr. While people come over from Cognito, a password that is not here may be known there: see cognito.py.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authserver.identity import password as password_factor
from authserver.identity import session as sessions
from authserver.runtime import Runtime
from authserver.runtime.cognito import CognitoPool
from authserver.store.audit import Happening, log_happening, record
from authserver.store.base import Database
from authserver.store.browser_session import BrowserSession
from authserver.store.credential import swap_password_hash
from authserver.store.user import User, find_user_by_email

if TYPE_CHECKING:
    from authserver.identity.cognito import Newcomer

ACR_PASSWORD = "urn:authserver:password"
AMR_PASSWORD = ("pwd",)


class SignInRefused(Exception):
    """The sign-in failed; everyone sees one uniform text, whatever the reason."""


class SignInStopped(Exception):
    """The sign-in can go no further, and a page says what to do: new_password, unconfirmed, second_step, or away."""

    def __init__(self, page: str, because: str) -> None:
        """Keep which page, and the private reason."""
        super().__init__(page)
        self.page = page
        self.because = because


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who proved to be whom, and how; `new_hash` is their password, hashed as the settings now say, and `old_hash` what
    it replaces (None: they had no password here)."""

    user: User
    acr: str
    amr: tuple[str, ...]
    new_hash: str | None = field(repr=False)
    old_hash: str | None = field(repr=False, default=None)

    @property
    def came_from(self) -> str:
        """Where a password that is hashed anew was until now: `cognito`, what hashed it elsewhere, or empty for here."""
        if self.old_hash is None:
            return "cognito"
        from authserver.crypto.foreign_hash import is_foreign, scheme_of

        return scheme_of(self.old_hash) if is_foreign(self.old_hash) else ""


@dataclass(frozen=True, slots=True)
class Arriving:
    """Who proved at Cognito to be whom; `known` had their address here when they began, and no password."""

    newcomer: "Newcomer"
    known: User | None
    new_hash: str = field(repr=False)


Adopt = Callable[["Newcomer"], User]
"""Finds or stores the user that a newcomer is. Raises NotMoved."""


def normalize_email(text: str) -> str:
    """Write an email address in the one form that is stored and looked up: NFKC, case-folded, printable, no blanks around it."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if character.isprintable()).strip()


def sign_in(
    db: Database, runtime: Runtime, email: str, password: str, *, bound_for: str = "", may_arrive: bool = False
) -> SignedIn | Arriving:
    """Let a person prove who they are by password; `bound_for` is the client that waits, for the audit.

    Where they have none here and `may_arrive`, Cognito is asked while people come over from there. Writes nothing unless
    it refuses. Raises SignInRefused, after the same time for an unknown, a disabled and a mistaken person; SignInStopped;
    HashingBusy under load.
    """
    user = find_user_by_email(db, normalize_email(email))
    verified = password_factor.verify(db, runtime, user, password)
    if user is not None and verified.is_right and user.is_enabled:
        return SignedIn(user, ACR_PASSWORD, AMR_PASSWORD, verified.new_hash, verified.stored)
    is_open = may_arrive and verified.stored is None and (user is None or user.is_enabled)
    pool = runtime.settings.cognito if is_open else None
    because = _reason(user, verified.is_right)
    if pool is not None and pool.is_asked(runtime.now()):
        from authserver.identity.cognito import NotMoved, StepLeft

        try:
            return _ask_cognito(runtime, pool, user, email.strip(), password)
        except StepLeft as fault:
            _note_refusal(db, runtime, user, fault.because, bound_for)
            raise SignInStopped(fault.step, fault.because) from None
        except NotMoved as fault:
            because = fault.because
    _note_refusal(db, runtime, user, because, bound_for)
    raise SignInRefused


def arrive(db: Database, runtime: Runtime, arriving: Arriving, adopt: Adopt, *, bound_for: str = "") -> SignedIn:
    """Make a user of who proved at Cognito to be whom. Raises SignInRefused."""
    from authserver.identity.cognito import NotMoved

    try:
        user = adopt(arriving.newcomer)
    except NotMoved as fault:
        _note_refusal(db, runtime, arriving.known, fault.because, bound_for)
        raise SignInRefused from None
    return SignedIn(user, ACR_PASSWORD, AMR_PASSWORD, arriving.new_hash)


def complete(
    db: Database, runtime: Runtime, proven: SignedIn, previous: BrowserSession | None, *, bound_for: str = ""
) -> tuple[str, BrowserSession]:
    """Begin the browser session of a person who proved who they are; return its cookie token and session."""
    user = proven.user
    if proven.new_hash is not None:
        _keep(db, runtime, user, proven, proven.new_hash)
    record(db, runtime, Happening(action="sign_in", actor=user.subject, subject=user.subject, client_id=bound_for))
    return sessions.begin(db, runtime, user, acr=proven.acr, amr=proven.amr, previous=previous)


def _ask_cognito(runtime: Runtime, pool: CognitoPool, known: User | None, email: str, password: str) -> Arriving:
    """Hash what Cognito confirms, so that it is not asked again. Raises NotMoved, StepLeft, SignInStopped, HashingBusy."""
    from authserver.identity.cognito import CognitoAway, ask

    hashing = password_factor.password_hash(runtime)
    try:
        with hashing.waiting():
            newcomer = ask(runtime, pool, email, password)
    except CognitoAway as fault:
        raise SignInStopped("away", str(fault)) from fault
    return Arriving(newcomer, known, hashing.hash(password))


def _keep(db: Database, runtime: Runtime, user: User, proven: SignedIn, new_hash: str) -> None:
    """Store the new hash, unless the password was changed meanwhile; who has come over by that is noted once."""
    if swap_password_hash(db, user.id, proven.old_hash, new_hash, runtime.now()) and proven.came_from:
        details = {"from": proven.came_from}
        record(db, runtime, Happening(action="user.migrate", actor=user.subject, subject=user.subject, details=details))


def _reason(user: User | None, is_right: bool) -> str:
    if user is None:
        return "unknown user"
    return "user disabled" if is_right else "wrong password"


def _note_refusal(db: Database, runtime: Runtime, user: User | None, because: str, bound_for: str) -> None:
    """Write a row for the first ones of each minute, a log line for all: nobody may fill the table from outside."""
    subject = user.subject if user else ""
    happening = Happening(action="sign_in", outcome="refused", subject=subject, client_id=bound_for, because=because)
    memo, minute = runtime.caches.memo, int(runtime.now().timestamp()) // 60
    latest, count = memo.get("refused_sign_ins", (minute, 0))
    count = count + 1 if latest == minute else 1
    memo["refused_sign_ins"] = (minute, count)
    if count <= runtime.settings.refused_events_per_minute:
        record(db, runtime, happening)
    else:
        log_happening(happening)
