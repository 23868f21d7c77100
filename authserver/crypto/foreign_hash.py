"""Password hashes that other servers made: bcrypt, PBKDF2 (RFC 8018 section 5.2), Firebase's scrypt (RFC 7914), argon2 (RFC 9106).

Each is kept as one text of at most 255 characters until its person signs in: bcrypt as it is, argon2 behind the word
`argon2`, the others as `$scheme$parameters$salt$digest` in base64. What would take a sign-in many seconds or much
memory is refused when it is read.
"""

import base64
import binascii
import hashlib
import re
from hmac import compare_digest

MOST_CHARACTERS = 255
OURS = "$argon2id$"
BCRYPT_BYTES = 72
MOST_BCRYPT_COST = 16
MOST_MEMORY = 64 * 1024 * 1024
MOST_ITERATIONS = 10_000_000
MOST_ARGON2_PASSES, MOST_ARGON2_LANES = 10, 16
LEAST_DIGEST_BYTES = 16
DIGESTS = ("sha1", "sha256", "sha512")

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_DJANGO = re.compile(r"pbkdf2_(sha\d{1,3})\$(\d{1,9})\$([^$]{1,100})\$([A-Za-z0-9+/=]+)")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")


def is_foreign(stored: str) -> bool:
    """Tell whether a stored hash was made by another server."""
    return not stored.startswith(OURS)


def scheme_of(stored: str) -> str:
    """Name what made a foreign hash: bcrypt, argon2, pbkdf2-sha256, firebase-scrypt…"""
    first, second = (*stored.split("$", 2), "")[:2]
    return first or ("bcrypt" if second in ("2a", "2b", "2y") else second)


def read_hash(text: str) -> str:
    """Return what is stored of a hash that is one text: bcrypt, argon2 (PHC), or PBKDF2 as Django writes it. Raises ValueError."""
    if bcrypt := _BCRYPT.fullmatch(text):
        _check(4 <= int(bcrypt[1]) <= MOST_BCRYPT_COST, f"has a bcrypt cost that is not between 4 and {MOST_BCRYPT_COST}")
        return text
    if django := _DJANGO.fullmatch(text):
        return pbkdf2(django[1], int(django[2]), django[3].encode(), from_base64(django[4]))
    phc = text.removeprefix("argon2")
    if argon2 := _ARGON2.fullmatch(phc):
        return _argon2(phc, *map(int, argon2.groups()))
    raise ValueError("must be a hash of bcrypt, argon2, or PBKDF2 as Django writes it")


def pbkdf2(digest: str, iterations: int, salt: bytes, hashed: bytes) -> str:
    """Return what is stored of a PBKDF2 hash; `digest` is sha1, sha256 or sha512. Raises ValueError."""
    _check(digest in DIGESTS, f"must be made with {', '.join(DIGESTS)}")
    _check(len(hashed) >= LEAST_DIGEST_BYTES, f"must have at least {LEAST_DIGEST_BYTES} bytes")
    blocks = -(-len(hashed) // hashlib.new(digest).digest_size)
    _check(iterations >= 1 and iterations * blocks <= MOST_ITERATIONS, f"must take between 1 and {MOST_ITERATIONS} iterations")
    return _written(f"pbkdf2-{digest}", f"i={iterations}", salt, hashed)


def firebase_scrypt(*, signer_key: bytes, separator: bytes, rounds: int, memory_cost: int, salt: bytes, hashed: bytes) -> str:
    """Return what is stored of a hash of Firebase's: the key stream that its signer key was encrypted with. The signer key,
    which is the same for everybody, is not kept. Raises ValueError."""
    _check(rounds >= 1 and 1 <= memory_cost <= 20, "must have rounds of at least 1 and a mem_cost between 1 and 20")
    _check(128 * rounds << memory_cost <= MOST_MEMORY, f"must not take more than {MOST_MEMORY // 1024**2} MB of memory")
    _check(len(hashed) == len(signer_key) >= LEAST_DIGEST_BYTES, "must be as long as the signer key, as Firebase writes it")
    stream = bytes(one ^ other for one, other in zip(hashed, signer_key, strict=True))
    return _written("firebase-scrypt", f"ln={memory_cost},r={rounds}", salt + separator, stream)


def matches(stored: str, password: bytes) -> bool:
    """Tell whether a password is the one that was hashed; never for a text that is no such hash."""
    verify = {"bcrypt": _is_bcrypt, "argon2": _is_argon2, "firebase-scrypt": _is_firebase}.get(scheme_of(stored), _is_pbkdf2)
    try:
        return verify(stored, password)
    except ValueError:
        return False


def decoy(stored: str) -> str:
    """Return a hash that costs as much to compare with as `stored`, and that nobody's password has."""
    kept, tail = stored.rpartition("$")[0], stored.rpartition("$")[2]
    salt = tail[:22] if scheme_of(stored) == "bcrypt" else ""
    return f"{kept}${salt}{'A' * (len(tail) - len(salt))}"


def from_base64(text: str) -> bytes:
    """Decode base64 of either alphabet, padded or not. Raises ValueError."""
    bare = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None


def _argon2(phc: str, memory_kib: int, passes: int, lanes: int) -> str:
    _check(memory_kib * 1024 <= MOST_MEMORY, f"must not take more than {MOST_MEMORY // 1024**2} MB of memory")
    _check(passes <= MOST_ARGON2_PASSES, f"must not take more than {MOST_ARGON2_PASSES} passes")
    _check(lanes <= MOST_ARGON2_LANES, f"must not take more than {MOST_ARGON2_LANES} lanes")
    return _short(f"argon2{phc}")


def _is_bcrypt(stored: str, password: bytes) -> bool:
    """Compare as bcrypt always did: what is behind the 72nd byte does not count."""
    import bcrypt

    return bcrypt.checkpw(password[:BCRYPT_BYTES], stored.encode())


def _is_argon2(stored: str, password: bytes) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(stored.removeprefix("argon2"), password)
    except (VerificationError, InvalidHashError):
        return False


def _is_pbkdf2(stored: str, password: bytes) -> bool:
    _, scheme, iterations, salt, hashed = stored.split("$")
    wanted, digest = from_base64(hashed), scheme.removeprefix("pbkdf2-")
    made = hashlib.pbkdf2_hmac(digest, password, from_base64(salt), int(iterations.removeprefix("i=")), len(wanted))
    return compare_digest(made, wanted)


def _is_firebase(stored: str, password: bytes) -> bool:
    """Compare the key stream of AES-256 in counter mode, under the key that scrypt derives (firebase/scrypt)."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    _, _, parameters, salt, stream = stored.split("$")
    cost, rounds = (int(part.partition("=")[2]) for part in parameters.split(","))
    key = hashlib.scrypt(password, salt=from_base64(salt), n=1 << cost, r=rounds, p=1, maxmem=2 * MOST_MEMORY, dklen=32)
    wanted = from_base64(stream)
    return compare_digest(Cipher(AES(key), CTR(bytes(16))).encryptor().update(bytes(len(wanted))), wanted)


def _written(scheme: str, parameters: str, salt: bytes, hashed: bytes) -> str:
    parts = [base64.b64encode(part).decode().rstrip("=") for part in (salt, hashed)]
    return _short("$".join(["", scheme, parameters, *parts]))


def _short(text: str) -> str:
    _check(len(text) <= MOST_CHARACTERS, "is too long: its salt or digest has more bytes than any of these schemes makes")
    return text


def _check(is_good: bool, why: str) -> None:
    if not is_good:
        raise ValueError(why)
