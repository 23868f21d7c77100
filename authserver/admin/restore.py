"""After a backup was restored: whatever was spent or revoked since then must not live again."""

from authserver.admin.operation import Operation
from authserver.store.access_token import delete_opaque_tokens
from authserver.store.authorization_code import delete_codes
from authserver.store.browser_session import revoke_all_sessions
from authserver.store.signing_key import find_epoch, raise_epoch


def void_what_may_be_spent(operation: Operation) -> dict[str, int]:
    """Raise the epoch, which ends every refresh token; delete codes and opaque tokens; end all sessions."""
    db = operation.db
    raise_epoch(db)
    delete_codes(db)
    delete_opaque_tokens(db)
    ended = {"epoch": find_epoch(db), "sessions_ended": revoke_all_sessions(db, operation.now())}
    operation.note("db.restored", details=ended)
    return ended
