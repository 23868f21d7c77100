"""Browser sessions: begin, find, renew and end them (OWASP ASVS 5.0 sections 7.2 to 7.4)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from authserver.crypto.digest import digest, new_token
from authserver.runtime import Runtime
from authserver.runtime.log import circumstances
from authserver.store.base import Database, new_id
from authserver.store.browser_session import (
    BrowserSession,
    find_session,
    insert_session,
    renew_session,
    revoke_session,
)
from authserver.store.grant import move_session_grants, revoke_session_grants
from authserver.store.user import User


def begin(
    db: Database, runtime: Runtime, user: User, *, acr: str, amr: Sequence[str], previous: BrowserSession | None
) -> tuple[str, BrowserSession]:
    """Sign a browser in; return its new cookie token and session. The `previous` session of this browser ends.

    Where that was the same user's, the grants tied to it go on with the new one, so that signing in again in one tab
    signs no other tab out; another user's end.
    """
    now, token = runtime.now(), new_token(runtime.new_secret)
    session = BrowserSession(**_values(runtime, user, token, now), acr=acr, amr=list(amr))
    insert_session(db, asdict(session))
    if previous is not None:
        _replace(db, previous, session, now)
    return token, session


def find(db: Database, runtime: Runtime, cookie_token: str | None) -> BrowserSession | None:
    """Return the live session of an enabled user to which the cookie belongs; at most every 5 min it is renewed."""
    session = find_session(db, digest(cookie_token)) if cookie_token else None
    now = runtime.now()
    if session is None or not session.is_live(now):
        return None
    if session.is_to_be_renewed(now):
        renew_session(db, session.id, now, min(now + runtime.settings.session_idle_lifetime, session.expires_at))
    return session


def end(db: Database, runtime: Runtime, session: BrowserSession) -> None:
    """Sign a browser out: its session ends, and the grants that are tied to it."""
    now = runtime.now()
    revoke_session(db, session.id, now)
    revoke_session_grants(db, session.id, now)


def _replace(db: Database, previous: BrowserSession, session: BrowserSession, now: datetime) -> None:
    revoke_session(db, previous.id, now)
    if previous.user_id == session.user_id:
        move_session_grants(db, previous.id, session.id)
    else:
        revoke_session_grants(db, previous.id, now)


def _values(runtime: Runtime, user: User, token: str, now: datetime) -> dict[str, Any]:
    settings, where = runtime.settings, circumstances.get()
    return {
        "digest": digest(token),
        "id": new_id(runtime.new_secret(16)),
        "user_id": user.id,
        "authenticated_at": now,
        "address_prefix": where.address_prefix,
        "user_agent": where.user_agent,
        "created_at": now,
        "last_seen_at": now,
        "idle_at": now + min(settings.session_idle_lifetime, settings.session_lifetime),
        "expires_at": now + settings.session_lifetime,
        "revoked_at": None,
    }
