"""Hashes that other servers made: verified against vectors of theirs, and refused where they would cost a sign-in too much."""

import base64
import hashlib

import argon2
import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.crypto import foreign_hash
from authserver.crypto.foreign_hash import decoy, firebase_scrypt, from_base64, is_foreign, matches, pbkdf2, read_hash, scheme_of
from authserver.crypto.password_hash import PasswordHash
from tests.factories import make_settings

SALT = b"$2b$04$" + b"saltsaltsaltsaltsaltsu"
"""The same in each process, since hashes name tests."""
PASSWORD = "pässword of some length"
SIGNER_KEY = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
FIREBASE = {
    "signer_key": base64.b64decode(SIGNER_KEY),
    "separator": base64.b64decode("Bw=="),
    "rounds": 8,
    "memory_cost": 14,
    "salt": base64.b64decode("42xEC+ixf3L2lw=="),
    "hashed": base64.b64decode("lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="),
}


def django(digest: str, iterations: int = 1000, salt: str = "seasalt", password: str = PASSWORD) -> str:
    made = hashlib.pbkdf2_hmac(digest, password.encode(), salt.encode(), iterations)
    return f"pbkdf2_{digest}${iterations}${salt}${base64.b64encode(made).decode()}"


def of_bcrypt(prefix: bytes = b"2b", password: bytes = PASSWORD.encode()) -> str:
    return bcrypt.hashpw(password, SALT).replace(b"2b", prefix, 1).decode()


def of_argon2(kind: argon2.Type = argon2.Type.ID) -> str:
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2, type=kind).hash(PASSWORD, salt=b"sixteen bytes of")


TEXTS = {
    "bcrypt-2a": of_bcrypt(b"2a"),
    "bcrypt-2b": of_bcrypt(),
    "bcrypt-2y": of_bcrypt(b"2y"),
    "argon2id": of_argon2(),
    "argon2i": of_argon2(argon2.Type.I),
    "argon2d": of_argon2(argon2.Type.D),
    "argon2-django": f"argon2{of_argon2()}",
    "pbkdf2-sha1": django("sha1"),
    "pbkdf2-sha256": django("sha256"),
    "pbkdf2-sha512": django("sha512"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_hashes_of_other_libraries_know_their_password_and_no_other(text: str) -> None:
    stored = read_hash(text)
    assert is_foreign(stored)
    assert len(stored) <= 255
    assert stored.isascii()
    assert matches(stored, PASSWORD.encode())
    for wrong in ("", "wrong", PASSWORD + "x", PASSWORD[:-1], PASSWORD.upper()):
        assert not matches(stored, wrong.encode())


@pytest.mark.parametrize(
    ("stored", "password"),
    [
        (read_hash("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), "U*U"),
        pytest.param(
            pbkdf2("sha1", 4096, b"salt", bytes.fromhex("4b007901b765489abead49d926f721d065a429c1")),
            "password",
            marks=pytest.mark.spec("RFC 6070", "2"),
        ),
        pytest.param(
            pbkdf2(
                "sha256",
                1,
                b"salt",
                bytes.fromhex(
                    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                    "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
                ),
            ),
            "passwd",
            marks=pytest.mark.spec("RFC 7914", "11"),
        ),
        (firebase_scrypt(**FIREBASE), "user1password"),
    ],
    ids=["crypt_blowfish", "RFC 6070", "RFC 7914", "firebase/scrypt"],
)
def test_published_vectors_are_verified(stored: str, password: str) -> None:
    assert matches(stored, password.encode())
    assert not matches(stored, b"wrong")


def test_firebases_signer_key_is_not_kept() -> None:
    stored = firebase_scrypt(**FIREBASE)
    assert SIGNER_KEY[:20] not in stored
    assert stored.startswith("$firebase-scrypt$ln=14,r=8$")


def test_bcrypt_counts_72_bytes_as_it_always_did() -> None:
    stored = of_bcrypt(password=b"x" * 72)
    assert matches(stored, b"x" * 100)
    assert not matches(stored, b"x" * 71)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (of_bcrypt().replace("$04$", "$17$"), "cost"),
        (of_bcrypt().replace("$04$", "$03$"), "cost"),
        (of_argon2().replace("m=64", "m=65537"), "64 MB"),
        (of_argon2().replace("t=1", "t=11"), "passes"),
        (of_argon2().replace("p=2", "p=17"), "lanes"),
        (f"pbkdf2_sha256$10000001$salt${'A' * 43}=", "iterations"),
        (f"pbkdf2_sha256$0$salt${'A' * 43}=", "iterations"),
        (f"pbkdf2_sha1$5000001$salt${'A' * 43}=", "iterations"),
        (f"pbkdf2_sha224$1000$salt${'A' * 43}=", "sha1, sha256, sha512"),
        (f"pbkdf2_sha256$1000$salt${'A' * 20}", "16 bytes"),
        (f"pbkdf2_sha256$1000$salt${'A' * 45}", "base64"),
        (f"pbkdf2_sha256$1000${'s' * 90}${'A' * 200}", "too long"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 200}${'A' * 80}", "too long"),
        ("$2x$04$" + "A" * 53, "must be a hash of"),
        ("md5$salt$900150983cd24fb0d6963f7d28e17f72", "must be a hash of"),
        (of_bcrypt() + "\n", "must be a hash of"),
        ("", "must be a hash of"),
    ],
)
def test_a_hash_that_costs_too_much_or_is_none_is_refused_without_showing_it(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        read_hash(text)
    assert not text or text[-10:].strip() not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"memory_cost": 17, "rounds": 8}, "64 MB"),
        ({"memory_cost": 14, "rounds": 33}, "64 MB"),
        ({"memory_cost": 21}, "mem_cost"),
        ({"memory_cost": 0}, "mem_cost"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": -1}, "rounds"),
        ({"hashed": b"x" * 32}, "signer key"),
        ({"hashed": b"x" * 8, "signer_key": b"x" * 8}, "signer key"),
    ],
)
def test_parameters_of_firebases_that_cost_too_much_are_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        firebase_scrypt(**{**FIREBASE, **changes})


@pytest.mark.parametrize(
    "stored", ["garbage", "", "$", "$2b$04$short", "argon2$x", "$pbkdf2-sha256$i=x$AA$AA", "$firebase-scrypt$ln=1$A$A"]
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not matches(stored, b"")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_never_a_fault(text: str) -> None:
    for candidate in (text, f"$2b$04${text}", f"pbkdf2_sha256$1${text}", f"$argon2id$m=8,t=1,p=1${text}"):
        try:
            assert len(read_hash(candidate)) <= 255
        except ValueError:
            pass


@pytest.mark.parametrize("text", [*TEXTS.values(), "firebase"], ids=[*TEXTS, "firebase"])
def test_a_decoy_costs_as_much_and_knows_nobody(text: str) -> None:
    stored = firebase_scrypt(**FIREBASE) if text == "firebase" else read_hash(text)
    made = decoy(stored)
    assert (len(made), scheme_of(made)) == (len(stored), scheme_of(stored))
    digest = stored[-31:] if scheme_of(stored) == "bcrypt" else stored.rpartition("$")[2]
    assert made == stored.removesuffix(digest) + "A" * len(digest)
    assert not matches(made, PASSWORD.encode())


def test_a_decoy_is_really_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    real = hashlib.pbkdf2_hmac
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", lambda *args: computed.append(args[3]) or real(*args))
    theirs = read_hash(django("sha256"))
    made = decoy(theirs)
    computed.clear()
    passwords = PasswordHash(make_settings())
    ours = passwords.hash("one of ours")
    for stored, right in ((None, False), (ours, False), (ours, True)):
        assert passwords.verify(stored, "one of ours" if right else "wrong", made) is right
    assert computed == [1000, 1000], "who is refused waits for one hash of each kind"
    assert passwords.verify(theirs, "wrong", made) is False
    assert computed == [1000, 1000, 1000]


def test_each_scheme_has_its_name() -> None:
    names = [scheme_of(read_hash(text)) for text in TEXTS.values()]
    assert names == [*["bcrypt"] * 3, *["argon2"] * 4, "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512"]
    assert scheme_of(firebase_scrypt(**FIREBASE)) == "firebase-scrypt"
    assert not is_foreign(PasswordHash(make_settings()).hash("ours"))


def test_a_foreign_hash_is_verified_under_the_same_bound_and_then_to_be_replaced() -> None:
    passwords = PasswordHash(make_settings(password_hash_concurrency=1))
    stored = read_hash(django("sha256"))
    assert passwords.verify(stored, PASSWORD)
    assert passwords.needs_rehash(stored)
    assert not passwords.verify(stored, "wrong")
    assert passwords.needs_rehash(read_hash(of_argon2()))


def test_a_password_that_is_too_long_is_never_right() -> None:
    stored = read_hash(django("sha256", password=""))
    assert not PasswordHash(make_settings()).verify(stored, "x" * 2000)


@given(st.binary(max_size=40))
def test_both_alphabets_of_base64_are_read(data: bytes) -> None:
    for text in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode().rstrip("=")):
        assert from_base64(text) == data
    assert foreign_hash.MOST_MEMORY == 64 * 1024 * 1024
