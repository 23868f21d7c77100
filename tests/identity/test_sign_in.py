"""Signing in by password: what is refused, what is written, and that nobody learns who has an account."""

import statistics
import time

import pytest
from sqlalchemy import select, update

from authserver.identity.password import password_hash, verify
from authserver.identity.sign_in import ACR_PASSWORD, SignedIn, SignInRefused, complete, normalize_email, sign_in
from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import Database, transaction
from authserver.store.browser_session import find_session_by_id
from authserver.store.credential import find_password_hash, passwords
from authserver.store.user import users
from tests.clock import Clock
from tests.factories import PASSWORD, Person, make_settings, make_test_runtime, make_user


def attempt(runtime: Runtime, email: str, password: str, **more: str) -> SignedIn:
    with transaction(runtime.engine) as db:
        try:
            return sign_in(db, runtime, email, password, **more)
        except SignInRefused:
            db.commit()
            raise


def disable(runtime: Runtime, person: Person) -> None:
    with transaction(runtime.engine) as db:
        db.execute(update(users).where(users.c.id == person.user.id).values(disabled_at=runtime.now()))


def reasons(runtime: Runtime) -> list[tuple[str, str, str]]:
    with transaction(runtime.engine) as db:
        return [(event.outcome, event.because, event.subject) for event in list_events(db)]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  Alice@Example.COM\t", "alice@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ﬁona@example.com", "fiona@example.com"),
        ("Ａlice@example.com", "alice@example.com"),
        ("e\u0301@example.com", "é@example.com"),
        ("al\x00ice@exa\u202emple.com", "alice@example.com"),
        ("", ""),
    ],
)
def test_an_email_address_is_compared_in_one_form(typed: str, stored: str) -> None:
    assert normalize_email(typed) == stored
    assert normalize_email(stored) == stored


@pytest.mark.spec("OpenID Connect Core", "2")
def test_a_password_earns_its_acr_and_amr(runtime: Runtime) -> None:
    person = make_user(runtime)
    proven = attempt(runtime, person.email.upper(), person.password)
    assert (proven.user.id, proven.acr, proven.amr, proven.new_hash) == (person.user.id, ACR_PASSWORD, ("pwd",), None)
    assert reasons(runtime) == []


def test_every_refusal_looks_the_same_and_is_audited_with_its_reason(runtime: Runtime) -> None:
    person, disabled = make_user(runtime), make_user(runtime)
    disable(runtime, disabled)
    for email, password in (
        (person.email, "wrong"),
        ("nobody@example.com", PASSWORD),
        (disabled.email, PASSWORD),
        (disabled.email, "wrong"),
    ):
        with pytest.raises(SignInRefused) as refused:
            attempt(runtime, email, password, bound_for="some-client")
        assert refused.value.args == ()
    assert sorted(reasons(runtime)) == sorted(
        [
            ("refused", "wrong password", person.subject),
            ("refused", "unknown user", ""),
            ("refused", "user disabled", disabled.subject),
            ("refused", "wrong password", disabled.subject),
        ]
    )
    with transaction(runtime.engine) as db:
        assert {event.client_id for event in list_events(db)} == {"some-client"}


def test_a_user_without_a_password_cannot_sign_in(runtime: Runtime) -> None:
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        db.execute(passwords.delete())
    for password in ("", PASSWORD, "nobody has this password"):
        with pytest.raises(SignInRefused):
            attempt(runtime, person.email, password)


def test_refused_rows_are_capped_per_minute(runtime: Runtime, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock.advance(seconds=-clock.timestamp() % 60)
    limit = runtime.settings.refused_events_per_minute
    for _ in range(limit + 3):
        with pytest.raises(SignInRefused):
            attempt(runtime, "nobody@example.com", "x")
    assert len(reasons(runtime)) == limit
    assert sum(record.getMessage() == "sign_in" for record in caplog.records) == limit + 3
    clock.advance(minutes=1)
    with pytest.raises(SignInRefused):
        attempt(runtime, "nobody@example.com", "x")
    assert len(reasons(runtime)) == limit + 1


def test_completing_a_sign_in_begins_a_session_and_is_audited(runtime: Runtime) -> None:
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        proven = sign_in(db, runtime, person.email, person.password)
        token, session = complete(db, runtime, proven, None, bound_for="some-client")
        assert find_session_by_id(db, session.id) == session
    assert len(token) == 43
    assert (session.user_id, session.acr, session.amr) == (person.user.id, ACR_PASSWORD, ["pwd"])
    assert reasons(runtime) == [("ok", "", person.subject)]


@pytest.mark.spec("NIST SP 800-63B-4", "3.1.1.2")
def test_a_password_is_hashed_anew_when_the_settings_have_changed(runtime: Runtime, clock: Clock) -> None:
    person = make_user(runtime)
    stronger = make_test_runtime(make_settings(database_url=runtime.settings.database_url, password_hash_iterations=2), clock)
    for expected in (True, False):
        with transaction(stronger.engine) as db:
            before = find_password_hash(db, person.user.id)
            complete(db, stronger, sign_in(db, stronger, person.email, person.password), None)
            after = find_password_hash(db, person.user.id)
        assert (before != after) is expected
        assert "t=2" in str(after)
    stronger.engine.dispose()


def test_no_connection_is_held_while_a_password_is_hashed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_user(runtime)
    hashing = password_hash(runtime)
    held: list[str] = []
    real = hashing.verify
    monkeypatch.setattr(hashing, "verify", lambda *args: held.append(runtime.engine.pool.status()) or real(*args))
    db = Database(runtime.engine)
    assert verify(db, runtime, person.user, person.password).is_right
    db.close()
    assert ["Current Checked out connections: 0" in status for status in held] == [True]


def test_hashing_is_shared_by_the_whole_process(runtime: Runtime) -> None:
    assert password_hash(runtime) is password_hash(runtime)


@pytest.mark.settings(password_hash_memory_bytes=4 * 1024 * 1024)
@pytest.mark.spec("ASVS 5.0", "6.3.8")
def test_unknown_disabled_and_mistaken_people_wait_equally_long(runtime: Runtime) -> None:
    person, disabled = make_user(runtime), make_user(runtime)
    disable(runtime, disabled)
    password_hash(runtime)
    spent: dict[str, list[float]] = {"wrong": [], "unknown": [], "disabled": []}
    for _ in range(15):
        for kind, email, password in (
            ("wrong", person.email, "wrong"),
            ("unknown", "nobody@example.com", PASSWORD),
            ("disabled", disabled.email, PASSWORD),
        ):
            begun = time.thread_time()
            with pytest.raises(SignInRefused):
                attempt(runtime, email, password)
            spent[kind].append(time.thread_time() - begun)
    usual = {kind: statistics.median(times) for kind, times in spent.items()}
    assert max(usual.values()) < 1.5 * min(usual.values()), usual


def test_the_database_is_asked_the_same_whatever_is_wrong(runtime: Runtime, counts) -> None:
    person = make_user(runtime)
    asked = []
    for email in (person.email, "nobody@example.com"):
        with counts.measure() as tally, pytest.raises(SignInRefused):
            attempt(runtime, email, "wrong")
        asked.append(tally.statements)
    assert asked[0] == asked[1]


def test_nothing_secret_reaches_the_audit(runtime: Runtime) -> None:
    person = make_user(runtime)
    with pytest.raises(SignInRefused):
        attempt(runtime, person.email, "a-canary-password")
    from authserver.store.audit import audit_events

    with transaction(runtime.engine) as db:
        assert "canary" not in repr(db.execute(select(audit_events)).all())
