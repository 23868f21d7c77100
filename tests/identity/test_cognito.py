"""People who come over from Cognito when they first sign in: who does, who does not, and that Cognito is asked once."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from authserver.admin.user_import.adopt import adopt
from authserver.identity import cognito
from authserver.identity.password import password_hash
from authserver.identity.sign_in import SignedIn, SignInRefused, SignInStopped, arrive, complete, normalize_email, sign_in
from authserver.runtime import Runtime, Settings
from authserver.store.audit import AuditEvent, audit_events, list_events
from authserver.store.base import count, read_id, transaction
from authserver.store.credential import find_password_hash, passwords, set_password_hash
from authserver.store.user import User, find_user, find_user_by_email, users
from tests.clock import Clock
from tests.cognito import PASSWORD, Pool, Told, told
from tests.factories import Person, make_settings, make_test_runtime, make_user

EMAIL = "ada@example.net"
SUB = "5b0e5a0e-1111-4222-8333-444455556666"
OTHER_SUB = "5b0e5a0e-1111-4222-8333-777788889999"
ASKED_POOL = {"cognito_user_pool": "eu-central-1_Told", "cognito_client_id": "client", "cognito_until": "2030-12-31"}


@pytest.fixture
def pool(moto, monkeypatch: pytest.MonkeyPatch) -> Pool:
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    return Pool(moto)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """A Cognito that does as it is told."""
    with told(monkeypatch) as known:
        known.knows(SUB, EMAIL, email_verified="true", name="Ada")
        yield known


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    own = request.getfixturevalue("pool").settings() if "pool" in request.fixturenames else ASKED_POOL
    marker = request.node.get_closest_marker("settings")
    return make_settings(database_url=database_url, **{**own, **(marker.kwargs if marker else {})})


def attempt(runtime: Runtime, email: str = EMAIL, password: str = PASSWORD) -> SignedIn:
    with transaction(runtime.engine) as db:
        try:
            proven = sign_in(db, runtime, email, password, bound_for="some-client", may_arrive=True)
            if not isinstance(proven, SignedIn):
                proven = arrive(db, runtime, proven, partial(adopt, db, runtime, normalize_email(email)), bound_for="some-client")
            complete(db, runtime, proven, None)
        except (SignInRefused, SignInStopped):
            db.commit()
            raise
        return proven


def refused(runtime: Runtime, email: str = EMAIL, password: str = PASSWORD) -> str:
    """Sign in, and return why that was refused as nobody sees it."""
    before = {event.id for event in events(runtime, "sign_in")}
    with pytest.raises(SignInRefused):
        attempt(runtime, email, password)
    (refusal,) = (event for event in events(runtime, "sign_in") if event.id not in before)
    return refusal.because


def stopped(runtime: Runtime) -> str:
    with pytest.raises(SignInStopped) as stop:
        attempt(runtime)
    return stop.value.page


def events(runtime: Runtime, action: str) -> list[AuditEvent]:
    with transaction(runtime.engine) as db:
        return [event for event in list_events(db) if event.action == action]


def find(runtime: Runtime, email: str = EMAIL) -> User | None:
    with transaction(runtime.engine) as db:
        return find_user_by_email(db, email)


def how_many(runtime: Runtime) -> tuple[int, int]:
    with transaction(runtime.engine) as db:
        return count(db, users), count(db, passwords)


def hash_of(runtime: Runtime, user: User) -> str:
    with transaction(runtime.engine) as db:
        return str(find_password_hash(db, user.id))


def without_password(runtime: Runtime, email: str = EMAIL, **changes: Any) -> Person:
    person = make_user(runtime, email)
    with transaction(runtime.engine) as db:
        db.execute(passwords.delete())
        if changes:
            db.execute(update(users).where(users.c.id == person.user.id).values(**changes))
    return person


def test_the_right_password_brings_the_person_over_and_cognito_is_not_asked_again(pool: Pool, runtime: Runtime) -> None:
    attributes = {"email_verified": "true", "name": "Ada Lovelace", "custom__team": "engine", "phone_number": "+4930123456"}
    subject = pool.add(EMAIL, groups=("staff", "admins"), **attributes)
    proven = attempt(runtime, f"  {EMAIL} ")
    user = find(runtime)
    assert user is not None
    assert (user.subject, proven.user.subject) == (subject, subject)
    assert user.claims == {"name": "Ada Lovelace", "email_verified": True, "phone_number": "+4930123456"}
    assert sorted(user.groups) == ["admins", "staff"]
    assert user.attributes == {"custom:team": "engine", "cognito:username": subject}
    assert password_hash(runtime).verify(hash_of(runtime, user), PASSWORD)
    pool.aws.delete_user_pool(UserPoolId=pool.id)
    assert attempt(runtime).user == user
    with pytest.raises(SignInRefused):
        attempt(runtime, EMAIL, "wrong")


def test_what_happened_is_audited(pool: Pool, runtime: Runtime) -> None:
    subject = pool.add(EMAIL)
    attempt(runtime)
    attempt(runtime)
    (imported,), (migrated,) = events(runtime, "user.import"), events(runtime, "user.migrate")
    assert (imported.actor, imported.subject, imported.details["from"]) == ("cognito", subject, "cognito")
    assert (migrated.actor, migrated.subject, migrated.details) == (subject, subject, {"from": "cognito"})
    with transaction(runtime.engine) as db:
        everything = repr(db.execute(select(audit_events)).all())
    assert PASSWORD not in everything
    assert "argon2" not in everything


@pytest.mark.spec("ASVS 5.0", "6.3.8")
def test_a_wrong_password_and_an_unknown_person_are_refused_alike_and_create_nobody(pool: Pool, runtime: Runtime) -> None:
    pool.add(EMAIL)
    assert refused(runtime, EMAIL, "wrong") == "Cognito: NotAuthorizedException"
    assert refused(runtime, "nobody@example.net") == "Cognito: UserNotFoundException"
    assert how_many(runtime) == (0, 0)


def test_an_imported_person_gets_a_password_of_ours_and_keeps_what_is_here(pool: Pool, runtime: Runtime) -> None:
    subject = pool.add(EMAIL, name="As at Cognito")
    person = without_password(runtime, id=read_id(subject), groups=["here"])
    assert attempt(runtime).user.subject == subject
    user = find(runtime)
    assert user is not None
    assert (user.claims["name"], user.groups) == (person.user.claims["name"], ["here"])
    assert hash_of(runtime, user).startswith("$argon2id$")
    assert len(events(runtime, "user.migrate")) == 1


def test_a_client_with_a_secret_proves_it(moto, pool: Pool, database_url: str, clock: Clock) -> None:
    guarded = Pool(moto, secret=True)
    guarded.add(EMAIL)
    runtime = make_test_runtime(make_settings(database_url=database_url, **guarded.settings()), clock)
    assert attempt(runtime).user.email == EMAIL
    runtime.engine.dispose()


def test_the_secret_hash_is_as_aws_computes_it(other: Told, database_url: str, clock: Clock) -> None:
    """HMAC-SHA256 under the secret over name and client id, in base64 (openssl dgst -sha256 -hmac)."""
    runtime = make_test_runtime(make_settings(database_url=database_url, **ASKED_POOL, cognito_client_secret="secret"), clock)
    attempt(runtime)
    action, body = other.asked[0]
    assert (action, body["AuthFlow"], body["UserPoolId"], body["ClientId"]) == (
        "AdminInitiateAuth",
        "ADMIN_USER_PASSWORD_AUTH",
        "eu-central-1_Told",
        "client",
    )
    assert body["AuthParameters"] == {
        "USERNAME": EMAIL,
        "PASSWORD": PASSWORD,
        "SECRET_HASH": "bL7Ie1ofgVFoP+0bbqmJxMakf4VdKiMshKRglH9oopQ=",
    }
    runtime.engine.dispose()


def test_a_temporary_password_ends_on_a_page_of_its_own(pool: Pool, runtime: Runtime) -> None:
    pool.add(EMAIL, password=None)
    assert stopped(runtime) == "new_password"
    assert how_many(runtime) == (0, 0)
    assert events(runtime, "sign_in")[0].because == "Cognito wants NEW_PASSWORD_REQUIRED"


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("SMS_MFA", "second_step"),
        ("SOFTWARE_TOKEN_MFA", "second_step"),
        ("MFA_SETUP", "second_step"),
        ("EMAIL_OTP", "second_step"),
        ("SELECT_MFA_TYPE", "second_step"),
        ("SOMETHING_OF_NEXT_YEAR", "second_step"),
        ("NEW_PASSWORD_REQUIRED", "new_password"),
        (None, "second_step"),
    ],
)
def test_a_challenge_is_no_sign_in(other: Told, runtime: Runtime, wanted: str | None, page: str) -> None:
    other.answer("AdminInitiateAuth", {"ChallengeName": wanted, "Session": "s"} if wanted else {})
    assert stopped(runtime) == page
    assert how_many(runtime) == (0, 0)


@pytest.mark.parametrize(
    ("code", "page"), [("PasswordResetRequiredException", "new_password"), ("UserNotConfirmedException", "unconfirmed")]
)
def test_an_account_that_is_not_ready_ends_on_a_page_of_its_own(other: Told, runtime: Runtime, code: str, page: str) -> None:
    other.refuse(code)
    assert stopped(runtime) == page
    assert how_many(runtime) == (0, 0)


@pytest.mark.parametrize("code", ["NotAuthorizedException", "UserNotFoundException", "UserLambdaValidationException"])
def test_what_cognito_refuses_for_good_is_a_wrong_password(other: Told, runtime: Runtime, code: str) -> None:
    other.refuse(code)
    assert refused(runtime) == f"Cognito: {code}"
    assert other.actions() == ["AdminInitiateAuth"]


@pytest.mark.parametrize(
    "code",
    [
        "TooManyRequestsException",
        "InternalErrorException",
        "ResourceNotFoundException",
        "InvalidParameterException",
        "AccessDeniedException",
    ],
)
@pytest.mark.parametrize("action", ["AdminInitiateAuth", "AdminGetUser", "AdminListGroupsForUser"])
def test_a_cognito_that_cannot_say_is_not_taken_for_a_no(other: Told, runtime: Runtime, code: str, action: str) -> None:
    other.refuse(code, action)
    with pytest.raises(SignInStopped) as stop:
        attempt(runtime)
    assert stop.value.page == "away"
    assert code in stop.value.because
    assert how_many(runtime) == (0, 0)


def test_a_cognito_that_does_not_answer_is_not_taken_for_a_no(other: Told, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1")
    assert stopped(runtime) == "away"


def test_nobody_else_is_asked_for(other: Told, runtime: Runtime) -> None:
    """Neither who has a password here, nor who is disabled, nor what Cognito could have no name or password for."""
    person = make_user(runtime, "here@example.net")
    assert refused(runtime, person.email, "wrong") == "wrong password"
    without_password(runtime, "disabled@example.net", disabled_at=runtime.now())
    assert refused(runtime, "disabled@example.net") == "wrong password"
    for email, password in (("ada", PASSWORD), ("a" * 128 + "@example.net", PASSWORD), (EMAIL, "x" * 257)):
        assert refused(runtime, email, password) == "no password here, and nothing that Cognito could know"
    assert other.asked == []


def test_after_the_last_day_nobody_is_asked_for(other: Told, database_url: str, clock: Clock) -> None:
    today = clock.now().date().isoformat()
    runtime = make_test_runtime(make_settings(database_url=database_url, **{**ASKED_POOL, "cognito_until": today}), clock)
    clock.advance(seconds=86400 - 1 - clock.timestamp() % 86400)
    attempt(runtime)
    asked = len(other.asked)
    clock.advance(seconds=1)
    assert refused(runtime, "bob@example.net") == "unknown user"
    assert len(other.asked) == asked
    runtime.engine.dispose()


def test_cognito_is_asked_only_where_a_person_may_arrive(other: Told, runtime: Runtime) -> None:
    with transaction(runtime.engine) as db, pytest.raises(SignInRefused):
        sign_in(db, runtime, EMAIL, PASSWORD)
    assert other.asked == []


def test_no_connection_is_held_while_cognito_is_asked(other: Told, runtime: Runtime) -> None:
    held: list[str] = []
    answer = other.answers["AdminInitiateAuth"]
    other.answers["AdminInitiateAuth"] = lambda body: held.append(runtime.engine.pool.status()) or answer(body)
    attempt(runtime)
    assert ["Current Checked out connections: 0" in status for status in held] == [True]


@pytest.mark.databases
def test_two_sign_ins_at_once_bring_one_person_over(other: Told, runtime: Runtime, database_kind: str) -> None:
    together = threading.Barrier(2, timeout=10)
    answer = other.answers["AdminListGroupsForUser"]
    other.answers["AdminListGroupsForUser"] = lambda body: (together.wait(), answer(body))[1]
    outcomes: list[Any] = []
    threads = [threading.Thread(target=lambda: outcomes.append(attempt(runtime).user.subject)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes == [SUB, SUB]
    assert how_many(runtime) == (1, 1)
    assert [len(events(runtime, action)) for action in ("user.import", "user.migrate", "sign_in")] == [1, 1, 2]


def test_groups_of_many_pages_come_along(other: Told, runtime: Runtime) -> None:
    pages = {None: ["a", "b"], "two": ["c"]}
    other.answers["AdminListGroupsForUser"] = lambda body: (
        200,
        {"Groups": [{"GroupName": name} for name in pages[body.get("NextToken")]], **({} if "NextToken" in body else {"NextToken": "two"})},
    )
    assert attempt(runtime).user.groups == ["a", "b", "c"]


def test_groups_without_end_are_not_read_for_ever(other: Told, runtime: Runtime) -> None:
    other.answer("AdminListGroupsForUser", {"Groups": [{"GroupName": "a"}], "NextToken": "more"})
    assert attempt(runtime).user.groups == ["a"]
    assert other.actions().count("AdminListGroupsForUser") == cognito.MOST_PAGES


def test_an_attribute_that_cannot_be_kept_keeps_nobody_out(other: Told, runtime: Runtime) -> None:
    other.knows(SUB, EMAIL, name="Ada", website="javascript:alert(1)", birthdate="yesterday", email_verified="maybe", custom__x="\ud800")
    user = attempt(runtime).user
    assert user.claims == {"name": "Ada", "email_verified": False}
    assert events(runtime, "user.import")[0].details["left_out"] == ["website", "birthdate", "custom:x"]


@pytest.mark.parametrize("verified", ["true", "false"])
def test_whether_the_address_is_verified_is_taken_over(other: Told, runtime: Runtime, verified: str) -> None:
    other.knows(SUB, EMAIL, email_verified=verified)
    assert attempt(runtime).user.claims["email_verified"] is (verified == "true")


@pytest.mark.parametrize(
    ("subject", "email", "because"),
    [
        ("not-a-uuid", EMAIL, "Cognito's sub cannot be kept"),
        ("00000000-0000-0000-0000-000000000000", EMAIL, "Cognito's sub cannot be kept"),
        (SUB, "", "Cognito's email cannot be kept"),
        (SUB, "someone-else@example.net", "Cognito knows another address"),
    ],
)
def test_who_cannot_be_the_one_who_signs_in_is_refused(other: Told, runtime: Runtime, subject: str, email: str, because: str) -> None:
    other.knows(subject, email, email_verified="true")
    assert refused(runtime) == because
    assert how_many(runtime) == (0, 0)


def test_a_person_who_is_disabled_at_cognito_does_not_come_over(other: Told, runtime: Runtime) -> None:
    other.knows(SUB, EMAIL, enabled=False)
    assert refused(runtime) == "user disabled in Cognito"


def test_a_person_who_is_disabled_here_under_another_address_does_not_come_back(other: Told, runtime: Runtime) -> None:
    without_password(runtime, "before@example.net", id=read_id(SUB), disabled_at=runtime.now())
    assert refused(runtime) == "this user is here under another address"


def test_a_person_who_was_deleted_here_does_not_come_back(other: Told, runtime: Runtime) -> None:
    from authserver.admin.operation import Operation
    from authserver.admin.users import delete_user

    attempt(runtime)
    with transaction(runtime.engine) as db:
        delete_user(Operation(db, runtime), EMAIL)
    assert refused(runtime) == "this user was deleted here"


def test_an_address_that_changed_at_cognito_since_the_import_is_taken_over(other: Told, runtime: Runtime) -> None:
    without_password(runtime, "before@example.net", id=read_id(SUB))
    assert attempt(runtime).user.email == EMAIL
    assert find(runtime, "before@example.net") is None
    user = find(runtime)
    assert user is not None
    assert (user.subject, user.claims["email_verified"]) == (SUB, True)


def test_who_has_come_over_is_known_by_the_address_here(other: Told, runtime: Runtime) -> None:
    person = make_user(runtime, "before@example.net")
    with transaction(runtime.engine) as db:
        db.execute(update(users).values(id=read_id(SUB)))
        db.execute(update(passwords).values(user_id=read_id(SUB)))
    assert refused(runtime) == "this user is here under another address"
    assert find(runtime, person.email) is not None


@pytest.mark.parametrize("verified", ["true", "false"])
@pytest.mark.spec("OpenID Connect Core", "5.7")
def test_an_address_joins_two_accounts_only_where_cognito_has_verified_it(other: Told, runtime: Runtime, verified: str) -> None:
    person = without_password(runtime)
    other.knows(OTHER_SUB, EMAIL, email_verified=verified)
    if verified == "true":
        assert attempt(runtime).user.subject == person.subject
    else:
        assert refused(runtime) == "another sub at Cognito, whose address is not verified"
    assert how_many(runtime)[0] == 1


def before_it_answers(other: Told, act: Callable[[], Any]) -> None:
    """Do something here while Cognito is asked."""
    answer = other.answers["AdminListGroupsForUser"]
    other.answers["AdminListGroupsForUser"] = lambda body: (act(), answer(body))[1]


def test_a_password_that_was_set_meanwhile_stays(other: Told, runtime: Runtime) -> None:
    person = without_password(runtime, id=read_id(SUB))

    def set_one() -> None:
        with transaction(runtime.engine) as db:
            set_password_hash(db, read_id(SUB) or b"", "$argon2id$set-meanwhile", runtime.now())

    before_it_answers(other, set_one)
    attempt(runtime)
    with transaction(runtime.engine) as db:
        assert find_password_hash(db, read_id(SUB) or b"") == "$argon2id$set-meanwhile"
    assert events(runtime, "user.migrate") == []
    assert person.email == EMAIL


def test_a_person_who_is_added_and_disabled_meanwhile_is_refused(other: Told, runtime: Runtime) -> None:
    before_it_answers(other, lambda: without_password(runtime, id=read_id(SUB), disabled_at=runtime.now()))
    assert refused(runtime) == "user disabled"


def test_somebody_who_is_added_meanwhile_under_another_sub_is_another_person(other: Told, runtime: Runtime) -> None:
    other.knows(SUB, EMAIL, email_verified="false")
    before_it_answers(other, lambda: without_password(runtime, id=read_id(OTHER_SUB)))
    assert refused(runtime) == "another sub at Cognito, whose address is not verified"
    with transaction(runtime.engine) as db:
        assert find_user(db, read_id(SUB) or b"") is None
