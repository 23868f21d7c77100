"""Digests, sealed secrets, passwords, and the ring of keys."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.crypto.digest import decode, digest, encode, new_token, same
from authserver.crypto.key_ring import REFRESH, KeyRing, RingKey, state
from authserver.crypto.password_hash import HashingBusy, PasswordHash
from authserver.crypto.sealing import SealBroken, is_current, seal, unseal
from authserver.runtime.keys import KeyEncryptionKeys, encode_dev_key
from tests.clock import START
from tests.factories import make_settings


def bytes_of(number: int) -> bytes:
    return bytes(range(number))


@given(st.binary(max_size=80))
def test_base64url_is_read_back_and_only_as_it_was_written(data: bytes) -> None:
    text = encode(data)
    assert decode(text) == data
    for variant in (text + "=", text + "\n", text + "A===", "é" + text):
        with pytest.raises(ValueError):
            decode(variant)


def test_bits_that_say_nothing_cannot_vary() -> None:
    assert decode("AA") == b"\0"
    with pytest.raises(ValueError, match="base64url"):
        decode("AB")


def test_a_token_has_256_bits_and_its_digest_32_bytes() -> None:
    assert new_token(bytes_of) == encode(bytes(range(32)))
    assert len(digest("any \ud800 text")) == 32
    assert same(digest("a"), digest("a"))


def test_a_sealed_secret_opens_with_any_listed_key_and_under_its_name_alone() -> None:
    old, new = encode_dev_key(b"o" * 32), encode_dev_key(b"n" * 32)
    sealed = seal(KeyEncryptionKeys((old,)), bytes_of, "name", b"secret")
    both = KeyEncryptionKeys((new, old))
    assert unseal(both, "name", sealed) == b"secret"
    assert not is_current(both, sealed)
    assert is_current(both, seal(both, bytes_of, "name", b"secret"))
    for keys, name, what in (
        (KeyEncryptionKeys((new,)), "name", sealed),
        (both, "other", sealed),
        (both, "name", sealed[:-1]),
        (both, "name", sealed[:9]),
    ):
        with pytest.raises(SealBroken):
            unseal(keys, name, what)


@pytest.mark.parametrize("text", ["", "short", "é" * 43, "A" * 44 + "==", "!" * 43])
def test_a_key_that_is_not_32_bytes_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32"):
        KeyEncryptionKeys((text,))


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(LookupError, match="AUTHSERVER_SECRET_KEY"):
        KeyEncryptionKeys(()).current()


def test_passwords_are_hashed_with_the_settings_and_verified() -> None:
    passwords = PasswordHash(make_settings())
    hashed = passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$")
    assert passwords.verify(hashed, "correct horse")
    assert not passwords.verify(hashed, "wrong horse")
    assert not passwords.verify(None, "nobody has this password")
    assert not passwords.verify(None, "again")
    assert not passwords.verify("garbage", "x")
    assert not passwords.verify(hashed, "x" * 2000)
    assert not passwords.verify(hashed, "\ud800")
    assert not passwords.needs_rehash(hashed)
    assert PasswordHash(make_settings(password_hash_iterations=2)).needs_rehash(hashed)
    with pytest.raises(ValueError, match="1024"):
        passwords.hash("x" * 2000)


def test_a_full_queue_of_passwords_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authserver.crypto.password_hash.WAIT_SECONDS", 0.01)
    passwords = PasswordHash(make_settings(password_hash_concurrency=1))
    with passwords._place(), pytest.raises(HashingBusy):
        passwords.hash("correct horse")


def test_a_password_waits_for_its_turn() -> None:
    passwords = PasswordHash(make_settings(password_hash_concurrency=1))
    with ThreadPoolExecutor(1) as pool:
        with passwords._place():
            waiting = pool.submit(passwords.hash, "correct horse")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.05)
        assert passwords.verify(waiting.result(timeout=5), "correct horse")


def key(kid: str, signs: int, removed: int | None = None, alg: str = "ES256") -> RingKey:
    at = START + timedelta(hours=signs)
    gone = None if removed is None else START + timedelta(hours=removed)
    return RingKey(kid=kid, alg=alg, signs_at=at, removed_at=gone, secret=b"", public={"kid": kid})


def test_states_follow_from_time_alone() -> None:
    ring = KeyRing((key("gone", -9, -1), key("old", -5, 4), key("now", -2), key("next", 3), key("secret", -5, alg=REFRESH)), 0)
    assert [state(each, ring.keys, START) for each in ring.keys] == ["removed", "retired", "signing", "announced", "signing"]
    signing, newest = ring.signing_key("ES256", START), ring.newest("ES256")
    assert signing is not None
    assert newest is not None
    assert (signing.kid, newest.kid) == ("now", "next")
    assert ring.signing_key("RS256", START) is None
    assert ring.newest("RS256") is None
    assert [each["kid"] for each in ring.published(START)] == ["old", "now", "next"]
    assert ring.find("gone", START) is None
    assert ring.find("old", START) is ring.keys[1]
    assert ring.find("unknown", START) is None
