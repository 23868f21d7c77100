"""Passwords that another server hashed: right ones become ours, wrong ones tell nothing about where anybody came from."""

import statistics
import time

import bcrypt
import pytest

from authserver.crypto.foreign_hash import decoy, firebase_scrypt, read_hash
from authserver.identity.password import password_hash
from authserver.identity.sign_in import SignInRefused, complete, sign_in
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from authserver.store.credential import NOBODY, drop_idle_decoy, find_password_hash, find_password_hashes, set_password_hash
from tests.crypto.test_foreign_hash import FIREBASE, SALT
from tests.factories import PASSWORD, Person, make_user

BCRYPT = bcrypt.hashpw(PASSWORD.encode(), SALT).decode()


def give(runtime: Runtime, person: Person, stored: str) -> None:
    with transaction(runtime.engine) as db:
        set_password_hash(db, person.user.id, stored, runtime.now())
        set_password_hash(db, NOBODY, decoy(stored), runtime.now())


def enter(runtime: Runtime, email: str, password: str) -> None:
    with transaction(runtime.engine) as db:
        complete(db, runtime, sign_in(db, runtime, email, password), None)


@pytest.mark.parametrize(
    ("stored", "password", "scheme"),
    [(read_hash(BCRYPT), PASSWORD, "bcrypt"), (firebase_scrypt(**FIREBASE), "user1password", "firebase-scrypt")],
)
def test_the_first_sign_in_replaces_a_foreign_hash_by_ours(runtime: Runtime, stored: str, password: str, scheme: str) -> None:
    person = make_user(runtime)
    give(runtime, person, stored)
    with pytest.raises(SignInRefused):
        enter(runtime, person.email, "wrong")
    with transaction(runtime.engine) as db:
        assert find_password_hash(db, person.user.id) == stored
    enter(runtime, person.email, password)
    with transaction(runtime.engine) as db:
        ours = find_password_hash(db, person.user.id)
        events = [event for event in list_events(db) if event.action == "user.migrate"]
    assert password_hash(runtime).verify(ours, password)
    assert str(ours).startswith("$argon2id$")
    assert [(event.subject, event.details) for event in events] == [(person.subject, {"from": scheme})]
    enter(runtime, person.email, password)


def test_a_password_that_was_changed_while_it_was_verified_stays(runtime: Runtime) -> None:
    person = make_user(runtime)
    give(runtime, person, BCRYPT)
    with transaction(runtime.engine) as db:
        proven = sign_in(db, runtime, person.email, PASSWORD)
    with transaction(runtime.engine) as db:
        set_password_hash(db, person.user.id, "$argon2id$set-meanwhile", runtime.now())
    with transaction(runtime.engine) as db:
        complete(db, runtime, proven, None)
        assert find_password_hash(db, person.user.id) == "$argon2id$set-meanwhile"
        assert "user.migrate" not in [event.action for event in list_events(db)]


@pytest.mark.spec("ASVS 5.0", "6.3.8")
def test_who_came_over_who_did_not_and_who_is_unknown_wait_equally_long(runtime: Runtime) -> None:
    slow = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(7)).decode()
    foreign, ours = make_user(runtime), make_user(runtime)
    give(runtime, foreign, slow)
    password_hash(runtime)
    spent: dict[str, list[float]] = {foreign.email: [], ours.email: [], "nobody@example.com": []}
    for _ in range(9):
        for email, times in spent.items():
            begun = time.thread_time()
            with pytest.raises(SignInRefused):
                enter(runtime, email, "wrong")
            times.append(time.thread_time() - begun)
    usual = {email: statistics.median(times) for email, times in spent.items()}
    assert max(usual.values()) < 1.5 * min(usual.values()), usual


def test_nobody_signs_in_with_the_decoy(runtime: Runtime) -> None:
    person = make_user(runtime, password="another password than the decoy's")
    with transaction(runtime.engine) as db:
        set_password_hash(db, NOBODY, BCRYPT, runtime.now())
    for email in ("nobody@example.com", person.email):
        with pytest.raises(SignInRefused):
            enter(runtime, email, PASSWORD)


@pytest.mark.databases
def test_the_decoy_goes_with_the_last_foreign_hash(runtime: Runtime) -> None:
    person = make_user(runtime)
    give(runtime, person, BCRYPT)
    for expected in (True, False):
        with transaction(runtime.engine) as db:
            drop_idle_decoy(db)
            assert (find_password_hashes(db, None).decoy is not None) is expected
        enter(runtime, person.email, PASSWORD)
    with transaction(runtime.engine) as db:
        drop_idle_decoy(db)
        assert find_password_hash(db, person.user.id) is not None
