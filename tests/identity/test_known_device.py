"""The cookie that says to which accounts a browser has signed in before."""

from hypothesis import given
from hypothesis import strategies as st

from authserver.identity.known_device import MOST_ACCOUNTS, find_device, remember
from authserver.runtime import Runtime
from authserver.runtime.keys import encode_dev_key
from tests.clock import Clock
from tests.factories import make_settings, make_test_runtime


def device_runtime(*keys: bytes) -> Runtime:
    return make_test_runtime(make_settings(secret_key=tuple(map(encode_dev_key, keys))), Clock())


RUNTIME = device_runtime(b"k" * 32)


def test_a_device_is_known_to_the_accounts_that_signed_in_there_alone() -> None:
    token = remember(RUNTIME, None, "alice@example.com")
    device = find_device(RUNTIME, token, "alice@example.com")
    assert device
    assert find_device(RUNTIME, token, "bob@example.com") is None
    both = remember(RUNTIME, token, "bob@example.com")
    assert find_device(RUNTIME, both, "alice@example.com") == find_device(RUNTIME, both, "bob@example.com") == device


def test_the_cookie_names_no_account() -> None:
    assert "alice" not in remember(RUNTIME, None, "alice@example.com")


def test_signing_in_again_does_not_make_the_cookie_longer() -> None:
    token = remember(RUNTIME, None, "alice@example.com")
    assert remember(RUNTIME, token, "alice@example.com") == token


def test_only_the_last_accounts_are_remembered() -> None:
    token: str | None = None
    for number in range(MOST_ACCOUNTS + 2):
        token = remember(RUNTIME, token, f"{number}@example.com")
    known = [find_device(RUNTIME, token, f"{number}@example.com") is not None for number in range(MOST_ACCOUNTS + 2)]
    assert known == [False, False] + [True] * MOST_ACCOUNTS
    assert len(str(token)) < 400


def test_a_mark_does_not_move_to_another_device() -> None:
    mine, theirs = remember(RUNTIME, None, "alice@example.com"), remember(RUNTIME, None, "mallory@example.com")
    stolen = "~".join([theirs.split("~")[0], mine.split("~")[1]])
    assert find_device(RUNTIME, stolen, "alice@example.com") is None


def test_a_cookie_outlives_a_change_of_the_secret_key() -> None:
    before, after, gone = device_runtime(b"1" * 32), device_runtime(b"2" * 32, b"1" * 32), device_runtime(b"2" * 32)
    token = remember(before, None, "alice@example.com")
    assert find_device(after, token, "alice@example.com")
    assert find_device(gone, token, "alice@example.com") is None


@given(st.one_of(st.none(), st.text(max_size=300)))
def test_no_other_text_is_taken_for_a_device(token: str | None) -> None:
    assert find_device(RUNTIME, token, "alice@example.com") is None
    assert find_device(RUNTIME, remember(RUNTIME, token, "alice@example.com"), "alice@example.com")
