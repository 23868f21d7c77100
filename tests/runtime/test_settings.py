"""Settings: every value from a variable or a file, every mistake named."""

from datetime import timedelta
from pathlib import Path

import pytest

from authserver.runtime import make_runtime
from authserver.runtime.cache import Cache
from authserver.runtime.engine import database_url
from authserver.runtime.log import address_prefix
from authserver.runtime.settings import Settings, SettingsError, format_value, parse_duration, read_env_file, read_settings, read_sources
from tests.clock import Clock
from tests.factories import make_settings

GOOD = {"AUTHSERVER_ISSUER": "https://login.example.com"}


def test_values_come_from_variables_and_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" one two\n")
    settings = read_settings(
        {
            **GOOD,
            "AUTHSERVER_SECRET_KEY_FILE": str(tmp_path / "key"),
            "AUTHSERVER_ACCESS_TOKEN_LIFETIME": "5m",
            "AUTHSERVER_TRUSTED_PROXIES": "2",
            "AUTHSERVER_DEV": "true",
            "PATH": "/bin",
        }
    )
    assert settings.secret_key == ("one", "two")
    assert settings.access_token_lifetime == timedelta(minutes=5)
    assert (settings.trusted_proxies, settings.dev) == (2, True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AUTHSERVER_ISSUER": "http://login.example.com"}, "https"),
        ({"AUTHSERVER_ISSUER": "https://login.example.com/"}, "slash"),
        ({"AUTHSERVER_ISSUER": "https://login.example.com?a"}, "AUTHSERVER_ISSUER"),
        ({"AUTHSERVER_ISSUER": "https://a@login.example.com"}, "AUTHSERVER_ISSUER"),
        ({"AUTHSERVER_ISSUER": "login.example.com"}, "AUTHSERVER_ISSUER"),
        ({"AUTHSERVER_ISUER": "x"}, "did you mean AUTHSERVER_ISSUER"),
        ({"AUTHSERVER_SECRET_KEYS": "x"}, "did you mean AUTHSERVER_SECRET_KEY"),
        ({"AUTHSERVER_ACCESS_TOKEN_LIFETIME": "soon"}, "AUTHSERVER_ACCESS_TOKEN_LIFETIME: a duration is written"),
        ({"AUTHSERVER_TRUSTED_PROXIES": "two"}, "AUTHSERVER_TRUSTED_PROXIES must be a whole number"),
        ({"AUTHSERVER_REFRESH_TOKEN_LEEWAY": "2m"}, "between 0 and 60"),
        ({"AUTHSERVER_SECRET_KEY_FILE": "/no/such/file"}, "cannot read /no/such/file"),
        ({"AUTHSERVER_SPECIFICATIONS_OFF": "RFC-6749"}, "can name"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(changes: dict[str, str], why: str) -> None:
    from authserver.specs import specs_on

    with pytest.raises(SettingsError, match=why):
        specs_on(read_settings({**GOOD, **changes}))
    with pytest.raises(SettingsError, match="AUTHSERVER_ISSUER is not set"):
        read_settings({})


def test_lambda_is_known_by_its_own_variable() -> None:
    database = {"AUTHSERVER_DATABASE_URL": "postgresql://u@db.example.com/x"}
    assert not read_settings({**GOOD, **database}).on_lambda
    on_lambda = {**GOOD, **database, "AWS_LAMBDA_FUNCTION_NAME": "authserver"}
    assert read_settings(on_lambda).on_lambda
    assert read_settings({**on_lambda, "AUTHSERVER_ON_LAMBDA": "false"}).on_lambda
    assert read_sources(on_lambda)["on_lambda"].origin == "AWS_LAMBDA_FUNCTION_NAME"
    with pytest.raises(SettingsError, match="AUTHSERVER_DATABASE_URL must name a PostgreSQL or MySQL database on AWS Lambda"):
        read_settings({**GOOD, "AWS_LAMBDA_FUNCTION_NAME": "authserver"})


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("10m", 600), ("24h", 86400), ("14d", 14 * 86400)])
def test_durations_are_read_and_written_back(text: str, seconds: int) -> None:
    assert parse_duration(text).total_seconds() == seconds
    assert parse_duration(format_value(parse_duration(text))).total_seconds() == seconds


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (("a", "b"), "a b"), (5, "5"), (timedelta(hours=36), "36h")])
def test_values_are_written_as_they_are_read(value: object, text: str) -> None:
    assert format_value(value) == text


def test_an_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("# comment\nA=1\nB=x=y\n\n")
    assert read_env_file(tmp_path / "settings.env") == {"A": "1", "B": "x=y"}


@pytest.mark.parametrize(
    ("secret", "proxies", "why"),
    [
        ("s" * 32, 0, "AUTHSERVER_PROXY_SECRET is of no use without AUTHSERVER_TRUSTED_PROXIES"),
        ("s" * 31, 1, "AUTHSERVER_PROXY_SECRET must have 32 characters at least"),
        ("ß" * 32, 1, "AUTHSERVER_PROXY_SECRET must have 32 characters at least"),
        ("arn:aws:s3:::bucket/and/a/rather/long/key", 1, "AUTHSERVER_PROXY_SECRET: an ARN must be that of a secret"),
    ],
)
def test_a_secret_of_proxies_that_proves_nothing_is_refused(secret: str, proxies: int, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make_settings(proxy_secret=secret, trusted_proxies=proxies)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("postgresql://u@h/d", "postgresql+psycopg"),
        ("postgres://u@h/d", "postgresql+psycopg"),
        ("mysql://u@h/d", "mysql+pymysql"),
        ("mariadb://u@h/d", "mysql+pymysql"),
        ("oracle://u@h/d", None),
    ],
)
def test_a_database_url_chooses_its_driver(url: str, driver: str | None) -> None:
    if driver is None:
        with pytest.raises(ValueError, match="sqlite:, postgresql: or mysql:"):
            database_url(url)
    else:
        assert database_url(url).drivername == driver


def test_a_runtime_reads_the_real_clock_and_real_randomness() -> None:
    runtime = make_runtime(Settings(issuer="http://localhost:9000"))
    assert runtime.now().tzinfo is not None
    assert runtime.new_secret(16) != runtime.new_secret(16)
    assert runtime.settings.is_loopback
    assert make_settings(issuer="https://a.example/auth").mount == "/auth"


def test_a_cache_loads_once_in_its_lifetime_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, loads = Clock(), []
    cache: Cache[str, int] = Cache(clock.now, timedelta(seconds=5))

    def load() -> int:
        loads.append(1)
        return len(loads)

    assert [cache.get("a", load), cache.get("a", load)] == [1, 1]
    clock.advance(seconds=5)
    assert cache.get("a", load) == 2
    assert (cache.stale("a"), cache.stale("b")) == (2, None)
    clock.advance(hours=-1)
    assert cache.get("a", load) == 3, "a clock that went back does not keep a value for an hour"
    monkeypatch.setattr("authserver.runtime.cache.MOST_ENTRIES", 1)
    cache.put("b", 9)
    assert cache.stale("a") is None
    cache.clear()
    assert cache.stale("b") is None
    never: Cache[str, int] = Cache(clock.now, timedelta(0))
    assert (never.get("a", load), never.get("a", load)) == (4, 5)


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.77:4711", "192.0.2.0/24"),
        ("[2001:db8:1:2::5]:4711", "2001:db8:1:2::/64"),
        ("unix", ""),
        ("", ""),
    ],
)
def test_an_address_is_shortened_to_its_network(address: str, prefix: str) -> None:
    assert address_prefix(address) == prefix
