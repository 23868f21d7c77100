"""Secrets by reference: a file that is kept in version control says where a secret is, never the secret."""

import re
from dataclasses import dataclass
from pathlib import Path

from authserver.runtime.settings import environ

MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is. `text` is as in the file; nothing of the secret is in it."""

    text: str


def check_reference(value: object) -> Reference:
    """Read a reference. ValueError says how one is written, without repeating what may be the secret itself."""
    if not isinstance(value, str) or not re.fullmatch(r"env:\w+|file:[^\x00-\x1f\x7f]+|generate", value):
        raise ValueError("must be env:NAME, file:PATH or generate; the secret itself does not belong into this file")
    return Reference(value)


def find_secret(reference: Reference, folder: Path) -> str | None:
    """Return the secret that a reference leads to, None where it is to be made; a path begins in `folder`.

    ValueError says what is missing.
    """
    kind, _, name = reference.text.partition(":")
    if kind == "env":
        secret = environ().get(name, "")
        if not secret:
            raise ValueError(f"is {reference.text}, but there is no such variable, or it is empty")
        return secret
    return _read(reference, folder / name) if kind == "file" else None


def _read(reference: Reference, path: Path) -> str:
    try:
        with path.open("rb") as file:
            secret = file.read(MOST_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"is {reference.text}, which cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None
    if not secret:
        raise ValueError(f"is {reference.text}, which is empty")
    return secret
