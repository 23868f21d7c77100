"""People of a file become users: once, in batches, each for themselves."""

from collections.abc import Iterable
from typing import Any

import bcrypt
import pytest
from sqlalchemy import select

from authserver.admin.searching import search
from authserver.admin.user_import import run
from authserver.admin.user_import.entry import Entry, Refusal
from authserver.admin.user_import.run import DELETED, Report, import_users
from authserver.admin.users import delete_user, get_user
from authserver.crypto.foreign_hash import decoy
from authserver.runtime import Runtime
from authserver.store import metadata
from authserver.store.audit import audit_events
from authserver.store.base import count, transaction
from authserver.store.credential import find_password_hash, find_password_hashes, passwords
from authserver.store.search import USER
from authserver.store.user import find_users, insert_new_user, users
from tests.crypto.test_foreign_hash import SALT
from tests.factories import make_user

BCRYPT = bcrypt.hashpw(b"password", SALT).decode()


def sub(number: int) -> str:
    return f"5b0e5a0e-1111-4222-8333-{number:012d}"


def person(number: int, **changes: Any) -> Entry:
    values = {"line": number + 1, "email": f"person{number}@example.net", "subject": sub(number), "values": {"name": f"Ada {number}"}}
    return Entry(**{**values, **changes})


def take(runtime: Runtime, people: Iterable[Entry | Refusal], *, dry_run: bool = False) -> tuple[Report, list[tuple[int, str]]]:
    refused: list[tuple[int, str]] = []
    report = import_users(runtime, people, lambda refusal: refused.append((refusal.line, refusal.why)), dry_run=dry_run)
    assert report.refused == len(refused)
    return report, refused


def everything(runtime: Runtime) -> dict[str, list[Any]]:
    with transaction(runtime.engine) as db:
        return {table.name: sorted(map(repr, db.execute(select(table)).all())) for table in metadata.sorted_tables}


@pytest.mark.databases
def test_people_come_with_their_sub_and_a_second_run_changes_nothing(runtime: Runtime, operating) -> None:
    people = [person(number, password_hash=BCRYPT if number == 1 else None, is_enabled=number != 2) for number in range(4)]
    people.append(
        Entry(line=9, email="New@Example.NET", subject=None, values={"groups": ["staff"], "team": "blue", "email_verified": True})
    )
    assert take(runtime, people) == (Report(created=5, with_password_hash=1), [])
    with operating() as operation:
        first, new = get_user(operation, sub(0)), get_user(operation, "new@example.net")
        assert (first.email, first.claims, first.is_enabled) == ("person0@example.net", {"name": "Ada 0", "email_verified": False}, True)
        assert (new.groups, new.attributes, new.claims) == (["staff"], {"team": "blue"}, {"email_verified": True})
        assert not get_user(operation, sub(2)).is_enabled
        assert find_password_hash(operation.db, get_user(operation, sub(1)).id) == BCRYPT
        assert find_password_hash(operation.db, first.id) is None
        assert find_password_hashes(operation.db, None).decoy == decoy(BCRYPT)
    before = everything(runtime)
    assert take(runtime, people) == (Report(skipped=5), [])
    assert everything(runtime) == before


def test_whoever_comes_can_be_found_and_is_audited_without_the_hash(runtime: Runtime, operating) -> None:
    take(runtime, [person(1, password_hash=BCRYPT)])
    with operating() as operation:
        found = search(
            operation, USER, "ada", None, 10, lambda ids: find_users(operation.db, [bytes.fromhex(i.replace("-", "")) for i in ids])
        )
        assert [user.subject for user in found] == [sub(1)]
        (event,) = operation.db.execute(select(audit_events)).all()
    assert (event.action, event.actor, event.subject) == ("user.import", "cli", sub(1))
    assert event.details == {"email": "person1@example.net", "password_hash": "bcrypt"}


def test_one_bad_person_keeps_nobody_else_out(runtime: Runtime) -> None:
    bad = [person(2, email="nobody"), Refusal(7, "cannot be read"), person(3, values={"id": "x"}), person(4, subject=5)]
    report, refused = take(runtime, [person(1), *bad, person(5)])
    assert report == Report(created=2, refused=4)
    assert [line for line, _ in refused] == [3, 7, 4, 5]
    assert [why.split()[0] for _, why in refused] == ["email", "cannot", "id", "sub"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_who_is_in_the_file_twice_comes_once(runtime: Runtime, dry_run: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 2)
    same, other_sub, other_email = person(1, line=11), person(1, line=12, subject=sub(99)), person(1, line=13, email="other@example.net")
    report, refused = take(runtime, [person(1), person(2), same, other_sub, other_email, person(1, line=14, subject=None)], dry_run=dry_run)
    assert report == Report(created=2, skipped=3, refused=1)
    assert refused == [(12, "there is a user with this email and another sub")]


def test_somebody_else_who_has_the_address_is_not_replaced(runtime: Runtime) -> None:
    there = make_user(runtime, "person1@example.net")
    report, refused = take(runtime, [person(1), person(2)])
    assert (report, refused[0][0]) == (Report(created=1, refused=1), 2)
    with transaction(runtime.engine) as db:
        assert [user.subject for user in find_users(db, [there.user.id])] == [there.subject]


def test_a_person_who_was_changed_here_stays_as_they_are(runtime: Runtime, act) -> None:
    from authserver.admin.users import change_user

    take(runtime, [person(1)])
    act(change_user, sub(1), {"email": "changed@example.net", "name": "Changed"})
    assert take(runtime, [person(1)]) == (Report(skipped=1), [])


def test_a_dry_run_writes_nothing(runtime: Runtime) -> None:
    before = everything(runtime)
    report, refused = take(runtime, [person(1, password_hash=BCRYPT), person(2, email="nobody")], dry_run=True)
    assert (report, len(refused)) == (Report(created=1, refused=1, with_password_hash=1), 1)
    assert everything(runtime) == before


def test_batches_are_committed_one_by_one(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 2)

    def breaking() -> Iterable[Entry]:
        yield from (person(number) for number in range(1, 4))
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        take(runtime, breaking())
    with transaction(runtime.engine) as db:
        assert count(db, users) == 2
    assert take(runtime, [person(number) for number in range(1, 6)])[0] == Report(created=3, skipped=2)


def test_who_signs_in_for_the_first_time_while_the_import_runs_is_not_lost(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes the address between looking and storing: the others of the batch come, and a second run skips nobody."""
    monkeypatch.setattr(run, "insert_new_user", lambda db, row: row["email"] != "person2@example.net" and insert_new_user(db, row))
    report, refused = take(runtime, [person(1), person(2, password_hash=BCRYPT), person(3)])
    assert (report.created, refused) == (2, [(3, "was added by somebody else just now: run the import again")])
    with transaction(runtime.engine) as db:
        assert (count(db, users), count(db, passwords), count(db, audit_events)) == (2, 0, 2)


def test_nobody_who_was_deleted_here_comes_back_with_the_next_run_of_the_file(runtime: Runtime, operating) -> None:
    """Their `sub` is never given out again, and their old password opens nothing."""
    people = [person(1, password_hash=BCRYPT), person(2)]
    take(runtime, people)
    with operating() as operation:
        delete_user(operation, sub(1))
    for dry_run in (True, False):
        assert take(runtime, people, dry_run=dry_run) == (Report(skipped=1, refused=1), [(2, DELETED)])
    again = person(1, subject=None)
    assert take(runtime, [again]) == (Report(created=1), [])
