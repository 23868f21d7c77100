"""Browser sessions: listed and ended; the grants tied to one end with it."""

from authserver.admin.errors import NotFound
from authserver.admin.operation import Operation
from authserver.admin.paging import USUAL, Page, page_of, place, read_place
from authserver.admin.roles import refuse_above
from authserver.admin.users import get_user
from authserver.store.base import read_id, show_id
from authserver.store.browser_session import BrowserSession, find_session_by_id, list_sessions, revoke_session
from authserver.store.grant import revoke_session_grants


def live_sessions(operation: Operation, user: str | None = None, limit: int = 1000) -> list[BrowserSession]:
    """Return live sessions, newest first, of one user or of all. Raises NotFound."""
    user_id = None if user is None else get_user(operation, user).id
    return list_sessions(operation.db, user_id, operation.now(), limit)


def page_of_sessions(operation: Operation, *, user: str = "", page_token: str = "", page_size: int = USUAL) -> Page[BrowserSession]:
    """List live sessions, newest first, of one user or of all. Raises NotFound, Invalid."""
    user_id = get_user(operation, user).id if user else None

    def fetch(after: tuple[int, str] | None, limit: int) -> list[BrowserSession]:
        return list_sessions(operation.db, user_id, operation.now(), limit, read_place(after))

    listing = f"sessions {user_id.hex() if user_id else ''}"
    return page_of(operation, listing, page_token, page_size, fetch, lambda row: place(row.created_at, row.id))


def end_session(operation: Operation, shown: str) -> int:
    """End a session; return 1, or 0 where it had ended. Raises NotFound, Forbidden."""
    identifier = read_id(shown)
    session = None if identifier is None else find_session_by_id(operation.db, identifier)
    if session is None:
        raise NotFound(f"there is no session {shown!r}")
    return int(_end(operation, session))


def end_user_sessions(operation: Operation, user: str) -> int:
    """End all sessions of a user; return how many. Raises NotFound."""
    return sum(_end(operation, session) for session in live_sessions(operation, user))


def _end(operation: Operation, session: BrowserSession) -> bool:
    refuse_above(operation, session.user_id)
    now = operation.now()
    ended = revoke_session(operation.db, session.id, now)
    revoke_session_grants(operation.db, session.id, now)
    operation.note("session.revoke", subject=show_id(session.user_id), details={"session": session.sid})
    return ended
