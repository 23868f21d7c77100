"""Attacks on the way over from Cognito: by an account there that only looks like somebody's here, by haste, and by coming back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authserver.admin.operation import Operation
from authserver.admin.users import delete_user, disable_user
from authserver.runtime import Runtime
from authserver.runtime.settings import Settings
from authserver.store.base import count, transaction
from authserver.store.browser_session import browser_sessions
from authserver.store.credential import passwords
from tests.cognito import Told, told
from tests.factories import make_settings
from tests.http_client import InProcess
from tests.identity.test_cognito import ASKED_POOL, EMAIL, OTHER_SUB, SUB, attempt, find, refused, without_password
from tests.web.test_coming_over import send


@pytest.fixture
def cognito(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with told(monkeypatch) as known:
        known.knows(SUB, EMAIL, email_verified="true")
        yield known


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    marker = request.node.get_closest_marker("settings")
    own = {**ASKED_POOL, "sign_in_limit_account": "3/5minutes", **(marker.kwargs if marker else {})}
    return make_settings(database_url=database_url, **own)


def how_many(runtime: Runtime) -> tuple[int, int]:
    """Passwords and sessions."""
    with transaction(runtime.engine) as db:
        return count(db, passwords), count(db, browser_sessions)


def while_cognito_is_asked(cognito: Told, runtime: Runtime, act: Callable[[Operation], Any]) -> None:
    """Have an operator do something here before Cognito has answered."""
    answer = cognito.answers["AdminListGroupsForUser"]

    def act_first(body: dict[str, Any]) -> tuple[int, Any]:
        with transaction(runtime.engine) as db:
            act(Operation(db, runtime))
        return answer(body)

    cognito.answers["AdminListGroupsForUser"] = act_first


@pytest.mark.parametrize("lookalike", ["\uff41da@example.net", "ada\u200b@example.net", "ada@\u212aim.example", "ada@example.ne\u1d57"])
def test_a_lookalike_that_cognito_has_verified_takes_nobodys_account(cognito: Told, runtime: Runtime, lookalike: str) -> None:
    """Two mailboxes at Cognito, one address here: by fullwidth letters, by what is not seen, by the sign of Kelvin."""
    victim = "ada@kim.example" if "im." in lookalike else EMAIL
    without_password(runtime, victim)
    cognito.knows(OTHER_SUB, lookalike, email_verified="true")
    for typed in (lookalike, victim):
        assert refused(runtime, typed) == "Cognito knows another address"
    assert how_many(runtime) == (0, 0)


def test_a_right_password_of_an_account_that_is_refused_gives_no_further_guesses(cognito: Told, http: InProcess) -> None:
    """An attacker's own account, by the same name but for its case, between guesses at the victim's."""
    statuses = []
    for own in (False, True, False, True):
        if own:
            cognito.knows(SUB, "attacker@example.net", email_verified="true")
        else:
            cognito.refuse("NotAuthorizedException")
        statuses.append(send(http, EMAIL.upper() if own else EMAIL).status)
    assert statuses == [422, 422, 422, 429]


@pytest.mark.databases
def test_who_was_deleted_here_does_not_come_back_under_the_sub_that_they_have_at_cognito(cognito: Told, runtime: Runtime) -> None:
    """Their account had a `sub` of its own: it was joined by the address."""
    person = without_password(runtime)
    assert attempt(runtime).user.subject == person.subject != SUB
    with transaction(runtime.engine) as db:
        delete_user(Operation(db, runtime), EMAIL)
    assert refused(runtime) == "this user was deleted here"
    assert find(runtime) is None


@pytest.mark.parametrize(("act", "because"), [(disable_user, "user disabled"), (delete_user, "this user was deleted here")])
def test_who_is_shut_out_while_cognito_is_asked_stays_out(cognito: Told, runtime: Runtime, act: Any, because: str) -> None:
    without_password(runtime)
    while_cognito_is_asked(cognito, runtime, lambda operation: act(operation, EMAIL))
    assert refused(runtime) == because
    assert how_many(runtime) == (0, 0)


def test_nobody_becomes_the_person_whom_an_address_leads_to_a_moment_later(cognito: Told, runtime: Runtime) -> None:
    """The alias went to another account at Cognito between the password and the attributes."""
    proven = cognito.answers["AdminInitiateAuth"]
    cognito.knows(OTHER_SUB, EMAIL, email_verified="true")
    cognito.answers["AdminInitiateAuth"] = proven
    assert refused(runtime) == "the password is another one's at Cognito"
    assert find(runtime) is None


def test_an_answer_that_does_not_say_whose_the_password_is_lets_nobody_in(cognito: Told, http: InProcess, runtime: Runtime) -> None:
    for result in ({"AccessToken": "a.b.c"}, {"TokenType": "Bearer"}):
        cognito.answer("AdminInitiateAuth", {"AuthenticationResult": result})
        assert send(http).status == 503
    assert find(runtime) is None


@pytest.mark.settings(database_connections=3, password_hash_concurrency=1)
def test_a_slow_cognito_does_not_keep_every_thread_of_the_server_waiting(cognito: Told, http: InProcess) -> None:
    """Threads stay free for those who want tokens, as they do while passwords are hashed."""
    statuses: list[int] = []
    answer = cognito.answers["AdminInitiateAuth"]

    def answer_late(body: dict[str, Any]) -> tuple[int, Any]:
        cognito.answers["AdminInitiateAuth"] = answer
        statuses.append(send(http.fresh(), "other@example.net").status)
        return answer(body)

    cognito.answers["AdminInitiateAuth"] = answer_late
    statuses.append(send(http).status)
    assert statuses == [503, 303]
