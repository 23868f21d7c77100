"""Whether a verified access token is still good: not revoked, its grant, user and client in order (RFC 7662 section 4)."""

from dataclasses import dataclass

from authserver.crypto.jose import TokenRefused, VerifiedClaims
from authserver.oauth.access_token import verify_access_token
from authserver.oauth.server import Server
from authserver.store.access_token import is_jti_revoked
from authserver.store.base import read_id
from authserver.store.client import Client
from authserver.store.grant import Grant, Standing, find_standing
from authserver.store.user import User


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A good access token: its claims, its client, and its grant with the user where a user gave it."""

    claims: VerifiedClaims
    client: Client
    standing: Standing | None

    @property
    def grant(self) -> Grant:
        """The grant of a user's token; a client's own has none."""
        assert self.standing is not None
        return self.standing.grant

    @property
    def user(self) -> User:
        """The user of a user's token; a client's own has none."""
        assert self.standing is not None
        assert self.standing.user is not None
        return self.standing.user

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes that it carries."""
        return tuple(str(self.claims.get("scope", "")).split())

    @property
    def audience(self) -> tuple[str, ...]:
        """The APIs that it is for."""
        aud = self.claims["aud"]
        return tuple(aud) if isinstance(aud, list) else (aud,)


def live_token(server: Server, token: str) -> LiveToken:
    """Return a good access token. Raises TokenRefused."""
    claims = verify_access_token(server, token)
    client = server.query_client(claims["client_id"])
    if client is None:
        raise TokenRefused("client disabled or deleted")
    standing = _standing(server, claims)
    if standing.token_is_revoked if standing else is_jti_revoked(server.db, claims["jti"]):
        raise TokenRefused("revoked")
    return LiveToken(claims, client, standing)


def _standing(server: Server, claims: VerifiedClaims) -> Standing | None:
    if "grant_id" not in claims:
        return None
    identifier = read_id(claims["grant_id"])
    standing = find_standing(server.db, identifier, server.now, claims["jti"]) if identifier else None
    if standing is None or not standing.is_good:
        raise TokenRefused("grant revoked, or its user or session is gone")
    return standing
