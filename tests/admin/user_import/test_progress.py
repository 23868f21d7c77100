"""How far the move is, on each database."""

from datetime import date

import pytest

from authserver.admin.user_import.entry import Entry
from authserver.admin.user_import.progress import describe_progress
from authserver.admin.user_import.run import import_users
from authserver.identity.sign_in import SignedIn, complete, sign_in
from authserver.runtime import Runtime
from authserver.store.base import transaction
from tests.admin.user_import.test_run import BCRYPT
from tests.clock import Clock
from tests.factories import make_user

POOL = {"cognito_user_pool": "eu-central-1_AbC", "cognito_client_id": "client", "cognito_until": "2030-12-31"}


@pytest.mark.databases
@pytest.mark.settings(**POOL)
def test_progress_counts_who_came_and_who_is_still_to_come(runtime: Runtime, act, clock: Clock) -> None:
    assert act(describe_progress)["to_come"] == 0
    make_user(runtime)
    rows = [("with-hash", BCRYPT, True), ("moved", BCRYPT, True), ("without", None, True), ("disabled", None, False)]
    people = [
        Entry(line=line, email=f"{name}@example.net", subject=None, values={}, is_enabled=enabled, password_hash=hashed)
        for line, (name, hashed, enabled) in enumerate(rows)
    ]
    import_users(runtime, people, lambda _: None, dry_run=False)
    with transaction(runtime.engine) as db:
        proven = sign_in(db, runtime, "moved@example.net", "password")
        assert isinstance(proven, SignedIn)
        complete(db, runtime, proven, None)
    progress = act(describe_progress)
    assert progress == {
        "imported": 4,
        "migrated": 1,
        "to_come": 2,
        "without_password": 1,
        "with_foreign_hash": 1,
        "user_pool": "eu-central-1_AbC",
        "until": "2030-12-31",
        "cognito_is_asked": True,
    }
    clock.advance(days=(date(2031, 1, 1) - clock.now().date()).days)
    assert act(describe_progress)["cognito_is_asked"] is False
