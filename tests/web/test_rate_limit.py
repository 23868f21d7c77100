"""Too many attempts: counted before the hash, per account and place; and no stranger locks anyone out."""

from typing import Any

import pytest
from limits import parse
from sqlalchemy import select

from authserver.runtime import Runtime
from authserver.runtime.settings import SettingsError
from authserver.store.base import transaction
from authserver.store.rate_limit import rate_limits
from authserver.web.rate_limit import sign_in_buckets
from tests.clock import Clock
from tests.factories import Person, make_settings, make_test_runtime, make_user
from tests.http_client import Answer, InProcess
from tests.pages import read

HOME = "203.0.113.1"


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, "ada@example.net")


def browser(app: Any, runtime: Runtime, address: str) -> InProcess:
    return InProcess(app, runtime.settings.issuer, address)


def attempt(http: InProcess, email: str, password: str) -> Answer:
    return read(http.get("/login?other=1")).form("password").submit(http, email=email, password=password)


def statuses(http: InProcess, email: str, times: int) -> list[int]:
    return [attempt(http, email, "wrong").status for _ in range(times)]


@pytest.mark.spec("NIST SP 800-63B-4", "3.2.2")
def test_the_eleventh_attempt_on_an_account_from_one_place_waits(app: Any, runtime: Runtime, person: Person, clock: Clock) -> None:
    http = browser(app, runtime, HOME)
    assert statuses(http, person.email, 10) == [422] * 10
    clock.advance(seconds=61)
    refused = attempt(http, person.email, person.password)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "239")
    assert "in 4 minutes" in read(refused).text
    assert any("/login" in link for link in read(refused).links)
    clock.advance(seconds=239)
    assert attempt(http, person.email, person.password).status == 303


def test_an_unknown_account_is_limited_alike(app: Any, runtime: Runtime) -> None:
    http = browser(app, runtime, HOME)
    assert statuses(http, "nobody@example.net", 11) == [422] * 10 + [429]


def test_spelling_the_address_differently_does_not_help(app: Any, runtime: Runtime, person: Person) -> None:
    http = browser(app, runtime, HOME)
    statuses(http, person.email, 10)
    assert statuses(http, " ADA@EXAMPLE.net", 1) == [429]


def test_other_accounts_and_other_places_go_on(app: Any, runtime: Runtime, person: Person) -> None:
    statuses(browser(app, runtime, HOME), person.email, 11)
    assert statuses(browser(app, runtime, HOME), "someone@example.net", 1) == [422]
    assert attempt(browser(app, runtime, "203.0.113.2"), person.email, person.password).status == 303


def test_one_place_may_try_fifty_times(app: Any, runtime: Runtime) -> None:
    http = browser(app, runtime, HOME)
    assert [attempt(http, f"{number}@example.net", "wrong").status for number in range(51)] == [422] * 50 + [429]


@pytest.mark.settings(sign_in_limit_strangers="12/day")
@pytest.mark.spec("ASVS 5.0", "6.1.1")
def test_strangers_cannot_lock_a_person_out(app: Any, runtime: Runtime, person: Person) -> None:
    mine = browser(app, runtime, HOME)
    assert attempt(mine, person.email, person.password).status == 303
    for number in range(20):
        attempt(browser(app, runtime, f"198.51.100.{number}"), person.email, "wrong")
    assert attempt(browser(app, runtime, "198.51.100.99"), person.email, person.password).status == 429
    assert attempt(mine, person.email, person.password).status == 303
    neighbour = browser(app, runtime, HOME)
    assert [attempt(neighbour, f"{number}@example.net", "wrong").status for number in range(51)][-1] == 429
    assert attempt(mine, person.email, person.password).status == 303


@pytest.mark.settings(sign_in_limit_strangers="12/day")
def test_a_known_browser_has_the_same_limits_of_its_own(app: Any, runtime: Runtime, person: Person, clock: Clock) -> None:
    mine = browser(app, runtime, HOME)
    attempt(mine, person.email, person.password)
    assert statuses(mine, person.email, 11) == [422] * 10 + [429]
    clock.advance(minutes=5)
    assert statuses(mine, person.email, 3) == [422, 422, 429]
    clock.advance(days=1)
    assert attempt(mine, person.email, person.password).status == 303


@pytest.mark.settings(sign_in_limit_strangers="12/day")
def test_a_known_browser_is_a_stranger_to_other_accounts(app: Any, runtime: Runtime, person: Person) -> None:
    mine, other = browser(app, runtime, HOME), make_user(runtime)
    attempt(mine, person.email, person.password)
    for number in range(13):
        attempt(browser(app, runtime, f"198.51.100.{number}"), other.email, "wrong")
    assert attempt(mine, other.email, other.password).status == 429


def test_a_success_begins_the_accounts_counters_anew(app: Any, runtime: Runtime, person: Person) -> None:
    http = browser(app, runtime, HOME)
    statuses(http, person.email, 9)
    assert attempt(http, person.email, person.password).status == 303
    assert statuses(browser(app, runtime, HOME), person.email, 10) == [422] * 10


def test_an_attempt_is_counted_before_the_password_is_hashed(
    app: Any, runtime: Runtime, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from authserver.identity.password import password_hash

    hashing, seen = password_hash(runtime), []

    def look(*_: object) -> bool:
        with transaction(runtime.engine) as db:
            seen.append(sorted(db.execute(select(rate_limits.c.hits)).scalars()))
        return False

    monkeypatch.setattr(hashing, "verify", look)
    attempt(browser(app, runtime, HOME), person.email, "wrong")
    assert seen == [[1, 1, 1]]


def test_no_address_or_email_is_stored_in_a_counters_name(app: Any, runtime: Runtime, person: Person) -> None:
    attempt(browser(app, runtime, HOME), person.email, "wrong")
    with transaction(runtime.engine) as db:
        assert person.email not in repr(db.execute(select(rate_limits.c.name)).all())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.1", "203.0.113.2", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("", "not an address", True),
    ],
)
def test_a_place_is_an_ipv4_address_or_an_ipv6_network(runtime: Runtime, one: str, other: str, same: bool) -> None:
    places = [sign_in_buckets(runtime, "ada@example.net", address, None) for address in (one, other)]
    assert (places[0] == places[1]) is same


def test_counters_can_live_elsewhere(clock: Clock) -> None:
    from authserver.web.rate_limit import count_attempt, forget_failures

    runtime = make_test_runtime(make_settings(limits_storage_url="memory://"), clock)
    buckets = sign_in_buckets(runtime, "ada@example.net", HOME, None)
    count_attempt(runtime, buckets, again="/login")
    forget_failures(runtime, buckets)


@pytest.mark.parametrize("limit", ["10/5minutes", "1/second", "100/day", "3/2hours"])
def test_a_limit_that_the_settings_take_is_understood(limit: str) -> None:
    assert parse(make_settings(sign_in_limit_account=limit).sign_in_limit_account).amount == int(limit.split("/")[0])


@pytest.mark.parametrize("limit", ["", "10", "10/fortnight", "0/day", "10/0minutes", "-1/day", "ten/day", "10/day; 5/hour"])
def test_a_limit_that_means_nothing_is_named_at_the_start(limit: str) -> None:
    with pytest.raises(SettingsError, match="AUTHSERVER_SIGN_IN_LIMIT_ADDRESS"):
        make_settings(sign_in_limit_address=limit)
