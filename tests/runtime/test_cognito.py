"""The settings of the user pool that people come from."""

from datetime import UTC, datetime

import pytest

from authserver.runtime.settings import SettingsError, read_settings

GOOD = {
    "AUTHSERVER_ISSUER": "https://login.example.com",
    "AUTHSERVER_COGNITO_USER_POOL": "eu-central-1_AbCdEfGhI",
    "AUTHSERVER_COGNITO_CLIENT_ID": "client",
    "AUTHSERVER_COGNITO_CLIENT_SECRET": "a-secret-of-cognitos",
    "AUTHSERVER_COGNITO_UNTIL": "2027-03-31",
}


def test_the_pool_names_its_region_and_the_last_day_is_whole() -> None:
    pool = read_settings(GOOD).cognito
    assert pool is not None
    assert pool.region == "eu-central-1"
    assert pool.is_asked(datetime(2027, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert not pool.is_asked(datetime(2027, 4, 1, tzinfo=UTC))
    assert "a-secret-of-cognitos" not in repr(pool)


def test_without_a_pool_nobody_is_asked() -> None:
    assert read_settings({"AUTHSERVER_ISSUER": "https://login.example.com"}).cognito is None


@pytest.mark.parametrize("pool", ["us-gov-west-1_Abc", "ap-southeast-2_0"])
def test_pools_of_every_partition_are_known(pool: str) -> None:
    found = read_settings({**GOOD, "AUTHSERVER_COGNITO_USER_POOL": pool}).cognito
    assert found is not None
    assert found.region == pool.partition("_")[0]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("USER_POOL", "AbCdEfGhI", "like eu-central-1_AbCdEfGhI"),
        ("USER_POOL", "eu-central-1_AbC/../x", "like eu-central-1_AbCdEfGhI"),
        ("USER_POOL", "evil.example.com#-1_x", "like eu-central-1_AbCdEfGhI"),
        ("CLIENT_ID", "", "ADMIN_USER_PASSWORD_AUTH"),
        ("UNTIL", "", "like 2027-03-31"),
        ("UNTIL", "31.3.2027", "like 2027-03-31"),
        ("UNTIL", "2027-02-30", "like 2027-03-31"),
        ("UNTIL", "9999-12-31", "like 2027-03-31"),
    ],
)
def test_a_setting_that_is_wrong_says_what_to_change(name: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        read_settings({**GOOD, f"AUTHSERVER_COGNITO_{name}": value})
    assert str(refused.value).startswith(f"AUTHSERVER_COGNITO_{name}")
