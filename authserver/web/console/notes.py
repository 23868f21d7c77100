"""Notes from one page of the console to the next, in a cookie: sealed, for this browser alone, minutes old at most, read once."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response, after_this_request

from authserver.crypto.digest import decode, encode
from authserver.crypto.sealing import SealBroken, seal, unseal
from authserver.web import cookies
from authserver.web.context import runtime

LIFETIME = timedelta(minutes=10)
MOST_CHARACTERS = 3800
"""What browsers keep of a cookie is 4096 bytes with its name."""


def leave(response: Response, role: str, content: Mapping[str, Any], lifetime: timedelta = LIFETIME) -> None:
    """Leave a note for the next page; one that is too large for a cookie is left out."""
    until = runtime().now() + lifetime
    text = json.dumps({"until": int(until.timestamp()), **content}).encode()
    sealed = encode(seal(runtime().keys, runtime().new_secret, _sealed_as(role), text))
    if len(sealed) <= MOST_CHARACTERS:
        cookies.set_note(response, role, sealed, lifetime)


def take(role: str) -> dict[str, Any]:
    """Read a note and take it away; empty where there is none."""
    content = look(role)
    if cookies.note(role) is not None:
        after_this_request(lambda response: _remove(response, role))
    return content


def look(role: str) -> dict[str, Any]:
    """Read a note and leave it there; empty where there is none."""
    written = cookies.note(role)
    try:
        content: dict[str, Any] = json.loads(unseal(runtime().keys, _sealed_as(role), decode(written or "")))
    except (SealBroken, ValueError):
        return {}
    return content if runtime().now().timestamp() < content.pop("until") else {}


def _remove(response: Response, role: str) -> Response:
    cookies.set_note(response, role, "", timedelta(0))
    return response


def _sealed_as(role: str) -> str:
    return f"note {role}"
