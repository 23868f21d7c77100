"""Password hashes of a JSON file: one text, or an object with the parameters (RFC 8018 section 5.2, RFC 7914)."""

import re
from collections.abc import Mapping
from typing import Any

from authserver.admin.errors import Invalid
from authserver.crypto.foreign_hash import firebase_scrypt, from_base64, pbkdf2, read_hash

FIELD = "password_hash"
CONFIG = "hash_config"


def read_password_hash(value: Any, config: Mapping[str, Any]) -> str | None:
    """Return what is stored of a person's hash; `config` has the parameters of the whole file. Raises Invalid."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return read_hash(value)
        if isinstance(value, Mapping):
            return _read_object(value, config)
    except ValueError as fault:
        raise Invalid(FIELD, str(fault)) from None
    raise Invalid(FIELD, "must be a text, or an object with hash and salt")


def _read_object(value: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    algorithm = str(value.get("algorithm") or config.get("algorithm") or "").lower()
    hashed, salt = _bytes(value, "hash"), _bytes(value, "salt")
    if named := re.fullmatch(r"pbkdf2[-_](sha\d{1,3})", algorithm):
        return pbkdf2(named[1], _number({**config, **value}, "iterations"), salt, hashed)
    if algorithm in ("scrypt", "firebase-scrypt"):
        return firebase_scrypt(
            signer_key=_bytes(config, "base64_signer_key"),
            separator=_bytes(config, "base64_salt_separator"),
            rounds=_number(config, "rounds"),
            memory_cost=_number(config, "mem_cost"),
            salt=salt,
            hashed=hashed,
        )
    raise ValueError(
        f"must have an algorithm, its own or that of {CONFIG}: pbkdf2-sha256, pbkdf2-sha512, pbkdf2-sha1 or scrypt (Firebase's)"
    )


def _bytes(values: Mapping[str, Any], name: str) -> bytes:
    text = values.get(name)
    if not isinstance(text, str):
        raise ValueError(f"needs {name}, in base64")
    return from_base64(text)


def _number(values: Mapping[str, Any], name: str) -> int:
    number = values.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError(f"needs {name}, a whole number")
    return number
