"""Refresh tokens: `key id . family . generation . MAC`, of which nothing is stored (RFC 9700 section 4.14.2).

The MAC is HMAC-SHA256 over the length-prefixed epoch, family, generation and the family's random seed, so that a
retry within the leeway gets the very same successor, and a restored backup revives nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass

from authserver.crypto.digest import decode, encode, same
from authserver.crypto.key_ring import REFRESH, RingKey
from authserver.oauth.server import Server
from authserver.store.client import Client
from authserver.store.grant import Grant

MOST_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token taken apart; nothing of it is believed yet."""

    kid: str
    family: bytes
    generation: int
    mac: bytes


def parse(token: str) -> RefreshToken | None:
    """Take a refresh token apart; None for anything that `make` does not write."""
    parts = token.split(".")
    if len(parts) != 4 or len(token) > MOST_CHARACTERS:
        return None
    kid, family, generation, mac = parts
    if not generation.isascii() or not generation.isdigit() or str(int(generation)) != generation:
        return None
    try:
        return RefreshToken(kid, decode(family), int(generation), decode(mac))
    except ValueError:
        return None


def make(server: Server, grant: Grant, generation: int) -> str:
    """Return the family's refresh token of that generation."""
    key = server.signing_key(REFRESH)
    mac = _mac(key, server.ring().epoch, grant, generation)
    return f"{key.kid}.{encode(grant.id)}.{generation}.{encode(mac)}"


def is_genuine(server: Server, token: RefreshToken, grant: Grant) -> bool:
    """Tell whether we made the token for this family since the last restore."""
    key = server.find_key(token.kid)
    if key is None or key.alg != REFRESH:
        return False
    return same(token.mac, _mac(key, server.ring().epoch, grant, token.generation))


def rotates(client: Client) -> bool:
    """Tell whether each use of a client's refresh token gives a new one."""
    choice = client.metadata.get("refresh_token_rotation", "auto")
    return choice == "always" or (choice == "auto" and client.is_public)


def _mac(key: RingKey, epoch: int, grant: Grant, generation: int) -> bytes:
    assert isinstance(key.secret, bytes)
    parts = (str(epoch).encode(), grant.id, str(generation).encode(), grant.seed)
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key.secret, message, hashlib.sha256).digest()
