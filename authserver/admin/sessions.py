"""Browser sessions: listed and ended; the grants tied to one end with it."""

from authserver.admin.errors import NotFound
from authserver.admin.operation import Operation
from authserver.admin.users import get_user
from authserver.store.base import read_id, show_id
from authserver.store.browser_session import BrowserSession, find_session_by_id, list_sessions, revoke_session
from authserver.store.grant import revoke_session_grants


def live_sessions(operation: Operation, user: str | None = None, limit: int = 1000) -> list[BrowserSession]:
    """Return live sessions, newest first, of one user or of all. Raises NotFound."""
    user_id = None if user is None else get_user(operation, user).id
    return list_sessions(operation.db, user_id, operation.now(), limit)


def end_session(operation: Operation, shown: str) -> int:
    """End a session; return 1, or 0 where it had ended. Raises NotFound."""
    identifier = read_id(shown)
    session = None if identifier is None else find_session_by_id(operation.db, identifier)
    if session is None:
        raise NotFound(f"there is no session {shown!r}")
    return int(_end(operation, session))


def end_user_sessions(operation: Operation, user: str) -> int:
    """End all sessions of a user; return how many. Raises NotFound."""
    return sum(_end(operation, session) for session in live_sessions(operation, user))


def _end(operation: Operation, session: BrowserSession) -> bool:
    now = operation.now()
    ended = revoke_session(operation.db, session.id, now)
    revoke_session_grants(operation.db, session.id, now)
    operation.note("session.revoke", subject=show_id(session.user_id), details={"session": session.sid})
    return ended
