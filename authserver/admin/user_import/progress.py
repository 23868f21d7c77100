"""How far the move is: who was taken over, who has signed in since, who is still to come (AWS: migrating users from a user pool)."""

from typing import Any

from authserver.admin.operation import Operation
from authserver.store.audit import count_events
from authserver.store.credential import count_waiting


def describe_progress(operation: Operation) -> dict[str, Any]:
    """Return the figures. `imported` and `migrated` count audit events, which are kept for AUTHSERVER_AUDIT_LIFETIME."""
    pool, waiting = operation.runtime.settings.cognito, count_waiting(operation.db)
    return {
        "imported": count_events(operation.db, "user.import"),
        "migrated": count_events(operation.db, "user.migrate"),
        "to_come": sum(waiting),
        "without_password": waiting.without_password,
        "with_foreign_hash": waiting.foreign_hash,
        "user_pool": pool.user_pool if pool else None,
        "until": operation.runtime.settings.cognito_until if pool else None,
        "cognito_is_asked": bool(pool and pool.is_asked(operation.runtime.now())),
    }
