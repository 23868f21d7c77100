"""Signing in: which factors it takes, and what acr and amr they earn (OpenID Connect Core section 2, RFC 8176 section 2).

So far the password is the only factor. A second one is a file beside password.py, asked for by `sign_in` below, and
earns another acr.
"""

import unicodedata
from dataclasses import dataclass

from authserver.identity import password as password_factor
from authserver.identity import session as sessions
from authserver.runtime import Runtime
from authserver.store.audit import Happening, log_happening, record
from authserver.store.base import Database
from authserver.store.browser_session import BrowserSession
from authserver.store.credential import set_password_hash
from authserver.store.user import User, find_user_by_email

ACR_PASSWORD = "urn:authserver:password"
AMR_PASSWORD = ("pwd",)


class SignInRefused(Exception):
    """The sign-in failed; everyone sees one uniform text, whatever the reason."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who proved to be whom, and how; `new_hash` is their password, hashed as the settings now say."""

    user: User
    acr: str
    amr: tuple[str, ...]
    new_hash: str | None


def normalize_email(text: str) -> str:
    """Write an email address in the one form that is stored and looked up: NFKC, case-folded, printable, no blanks around it."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if character.isprintable()).strip()


def sign_in(db: Database, runtime: Runtime, email: str, password: str, *, bound_for: str = "") -> SignedIn:
    """Let a person prove who they are by password; `bound_for` is the client that waits, for the audit.

    Writes nothing unless it refuses. Raises SignInRefused, after the same time for an unknown, a disabled and a
    mistaken person; HashingBusy under load.
    """
    user = find_user_by_email(db, normalize_email(email))
    verified = password_factor.verify(db, runtime, user, password)
    if user is None or not verified.is_right or not user.is_enabled:
        _note_refusal(db, runtime, user, _reason(user, verified.is_right), bound_for)
        raise SignInRefused
    return SignedIn(user, ACR_PASSWORD, AMR_PASSWORD, verified.new_hash)


def complete(
    db: Database, runtime: Runtime, proven: SignedIn, previous: BrowserSession | None, *, bound_for: str = ""
) -> tuple[str, BrowserSession]:
    """Begin the browser session of a person who proved who they are; return its cookie token and session."""
    user = proven.user
    if proven.new_hash is not None:
        set_password_hash(db, user.id, proven.new_hash, runtime.now())
    record(db, runtime, Happening(action="sign_in", actor=user.subject, subject=user.subject, client_id=bound_for))
    return sessions.begin(db, runtime, user, acr=proven.acr, amr=proven.amr, previous=previous)


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
