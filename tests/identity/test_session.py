"""Browser sessions: begun, found, renewed, ended."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from authserver.crypto.digest import digest
from authserver.identity import session as sessions
from authserver.runtime import Runtime
from authserver.runtime.log import Circumstances, circumstances
from authserver.store.base import new_id, transaction
from authserver.store.browser_session import BrowserSession, browser_sessions, find_session_by_id, list_sessions
from authserver.store.grant import find_grant, insert_grant
from authserver.store.user import User, users
from tests.clock import Clock
from tests.factories import make_user


def begin(runtime: Runtime, user: User, previous: BrowserSession | None = None) -> tuple[str, BrowserSession]:
    with transaction(runtime.engine) as db:
        return sessions.begin(db, runtime, user, acr="urn:authserver:password", amr=("pwd",), previous=previous)


def find(runtime: Runtime, token: str | None) -> BrowserSession | None:
    with transaction(runtime.engine) as db:
        return sessions.find(db, runtime, token)


def give_grant(runtime: Runtime, session: BrowserSession, *, offline: bool = False) -> bytes:
    now, identifier = runtime.now(), new_id(runtime.new_secret(16))
    values = {
        "id": identifier,
        "client_id": "client",
        "user_id": session.user_id,
        "session_id": session.id,
        "scope": ("openid",),
        "resources": (),
    }
    ends = {"idle_at": now, "expires_at": now, "retained_until": now, "rotated_at": None, "revoked_at": None, "revoked_because": None}
    rest = {"claims": {}, "acr": "", "amr": [], "authenticated_at": now, "created_at": now, "generation": 0, "seed": bytes(16)}
    with transaction(runtime.engine) as db:
        insert_grant(db, {**values, **ends, **rest, "offline": int(offline)})
    return identifier


def is_revoked(runtime: Runtime, grant: bytes) -> bool:
    with transaction(runtime.engine) as db:
        found = find_grant(db, grant)
    assert found is not None
    return found.revoked_at is not None


@pytest.mark.spec("ASVS 5.0", "7.2.3")
def test_only_the_digest_of_the_cookie_is_stored(runtime: Runtime) -> None:
    token, session = begin(runtime, make_user(runtime).user)
    assert len(token) == 43
    with transaction(runtime.engine) as db:
        row = db.execute(select(browser_sessions)).mappings().one()
    assert row["digest"] == digest(token) == session.digest
    assert token.encode() not in repr(dict(row)).encode()


def test_a_session_remembers_from_where_it_was_begun(runtime: Runtime) -> None:
    token = circumstances.set(Circumstances("id", "203.0.113.77", "Browser/1"))
    try:
        _, session = begin(runtime, make_user(runtime).user)
    finally:
        circumstances.reset(token)
    assert (session.address_prefix, session.user_agent) == ("203.0.113.0/24", "Browser/1")


def test_a_session_is_found_by_its_cookie_alone(runtime: Runtime) -> None:
    token, session = begin(runtime, make_user(runtime).user)
    assert find(runtime, token) == session
    assert [find(runtime, other) for other in (None, "", token[:-1], token.swapcase())] == [None] * 4


@pytest.mark.settings(session_idle_lifetime=timedelta(hours=8))
@pytest.mark.spec("ASVS 5.0", "7.3.1")
def test_a_session_ends_when_it_is_idle_for_too_long(runtime: Runtime, clock: Clock) -> None:
    token, _ = begin(runtime, make_user(runtime).user)
    clock.advance(hours=7, minutes=59)
    assert find(runtime, token) is not None
    clock.advance(hours=7, minutes=59)
    assert find(runtime, token) is not None
    clock.advance(hours=8)
    assert find(runtime, token) is None


@pytest.mark.spec("ASVS 5.0", "7.3.2")
def test_a_session_ends_after_a_week_however_busy(runtime: Runtime, clock: Clock) -> None:
    token, _ = begin(runtime, make_user(runtime).user)
    found = []
    for _ in range(24):
        clock.advance(hours=7)
        found.append(find(runtime, token) is not None)
    assert found == [True] * 23 + [False]


def test_a_session_is_renewed_at_most_every_five_minutes(runtime: Runtime, clock: Clock, counts) -> None:
    token, session = begin(runtime, make_user(runtime).user)
    clock.advance(minutes=4, seconds=59)
    with counts.measure() as tally:
        assert find(runtime, token) == session
    assert tally.writes == []
    clock.advance(seconds=1)
    with counts.measure() as tally:
        assert find(runtime, token) is not None
    assert len(tally.writes) == 1
    with counts.measure() as tally:
        assert find(runtime, token) is not None
    assert tally.writes == []


@pytest.mark.parametrize("change", ["disabled", "deleted"])
def test_the_session_of_a_disabled_or_deleted_user_is_not_found(runtime: Runtime, change: str) -> None:
    person = make_user(runtime)
    token, _ = begin(runtime, person.user)
    with transaction(runtime.engine) as db:
        if change == "disabled":
            db.execute(update(users).where(users.c.id == person.user.id).values(disabled_at=runtime.now()))
        else:
            db.execute(users.delete().where(users.c.id == person.user.id))
    assert find(runtime, token) is None


@pytest.mark.spec("ASVS 5.0", "7.2.4")
def test_signing_in_again_makes_a_new_session_and_the_old_cookie_is_worthless(runtime: Runtime) -> None:
    user = make_user(runtime).user
    old, previous = begin(runtime, user)
    new, session = begin(runtime, user, previous)
    assert find(runtime, old) is None
    assert find(runtime, new) == session
    assert session.id != previous.id


def test_signing_in_again_in_one_tab_signs_no_other_tab_out(runtime: Runtime) -> None:
    user = make_user(runtime).user
    _, previous = begin(runtime, user)
    grant = give_grant(runtime, previous)
    _, session = begin(runtime, user, previous)
    assert not is_revoked(runtime, grant)
    with transaction(runtime.engine) as db:
        sessions.end(db, runtime, session)
    assert is_revoked(runtime, grant)


def test_another_persons_sign_in_ends_the_session_before_and_what_is_tied_to_it(runtime: Runtime) -> None:
    _, previous = begin(runtime, make_user(runtime).user)
    tied, offline = give_grant(runtime, previous), give_grant(runtime, previous, offline=True)
    token, _ = begin(runtime, make_user(runtime).user, previous)
    assert is_revoked(runtime, tied)
    assert not is_revoked(runtime, offline)
    assert find(runtime, token) is not None
    with transaction(runtime.engine) as db:
        ended = find_session_by_id(db, previous.id)
    assert ended is not None
    assert ended.revoked_at == runtime.now()


def test_ending_a_session_ends_the_grants_that_are_tied_to_it(runtime: Runtime) -> None:
    token, session = begin(runtime, make_user(runtime).user)
    tied, offline = give_grant(runtime, session), give_grant(runtime, session, offline=True)
    with transaction(runtime.engine) as db:
        sessions.end(db, runtime, session)
    assert find(runtime, token) is None
    assert (is_revoked(runtime, tied), is_revoked(runtime, offline)) == (True, False)


def test_sessions_can_be_listed_and_ended_at_once(runtime: Runtime) -> None:
    user = make_user(runtime).user
    (first, one), (second, two) = begin(runtime, user), begin(runtime, user)
    with transaction(runtime.engine) as db:
        assert {session.id for session in list_sessions(db, user.id, runtime.now())} == {one.id, two.id}
        sessions.end(db, runtime, one)
        assert [session.id for session in list_sessions(db, user.id, runtime.now())] == [two.id]
    assert find(runtime, first) is None
    assert find(runtime, second) is not None
