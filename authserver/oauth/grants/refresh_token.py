"""Refresh token grant (RFC 6749 section 6), rotated on use for public clients (RFC 9700 section 4.14.2).

A token is checked in this order: made by us, this client's, its family alive; only then can an old one end the family.
"""

from datetime import timedelta
from typing import NoReturn

from authserver.oauth.access_token import shape
from authserver.oauth.errors import InvalidGrantError, refuse
from authserver.oauth.grant import Grant
from authserver.oauth.issuance import Authorization
from authserver.oauth.refresh_token import RefreshToken, is_genuine, make, parse, rotates
from authserver.oauth.resource_indicators import narrowed
from authserver.oauth.scope import narrow, scope_at
from authserver.runtime.metrics import reuse_detected
from authserver.store.audit import Happening, record
from authserver.store.grant import Grant as GrantRow
from authserver.store.grant import Standing, advance, find_standing, revoke_grant


class RefreshTokenGrant(Grant):
    """Use the family's current token, or repeat the answer that a client lost."""

    GRANT_TYPE = "refresh_token"

    def prove(self) -> Authorization:
        """Use the refresh token."""
        token = parse(self.required("refresh_token"))
        if token is None:
            refuse(InvalidGrantError(), because="not a refresh token of ours")
        standing = self._standing(token)
        grant = standing.grant
        scope = narrow(self.request.payload.scope, grant.scope)
        resources = narrowed(self.request.client, self.request.payload, grant.resources)
        lifetime = shape(self.server, resources)[0].lifetime
        generation = self._use(token, grant, lifetime)
        return Authorization(
            client=self.request.client,
            grant_type=self.GRANT_TYPE,
            scope=scope_at(self.server, self.request.client, scope, resources),
            resources=resources,
            user=standing.user,
            grant=grant,
            refresh_token=make(self.server, grant, generation),
        )

    def _standing(self, token: RefreshToken) -> Standing:
        standing = find_standing(self.server.db, token.family, self.server.now)
        if standing is None or not is_genuine(self.server, token, standing.grant):
            refuse(InvalidGrantError(), because="not a refresh token of ours")
        if standing.grant.client_id != self.request.client.client_id:
            refuse(InvalidGrantError(), because="refresh token of another client")
        if not standing.is_good or not standing.grant.is_refreshable(self.server.now):
            refuse(InvalidGrantError(), because=f"family ended: {standing.grant.revoked_because or 'expired, user or session gone'}")
        return standing

    def _use(self, token: RefreshToken, grant: GrantRow, lifetime: timedelta) -> int:
        """Return the generation of the token to answer with."""
        rotate = rotates(self.request.client)
        if token.generation == grant.generation and self._advance(grant, lifetime, rotate=rotate):
            return grant.generation + 1 if rotate else grant.generation
        current = self._standing(token).grant
        if not self._is_retry(token, current):
            self._reused(current)
        return current.generation

    def _advance(self, grant: GrantRow, lifetime: timedelta, *, rotate: bool) -> bool:
        settings, now = self.server.settings, self.server.now
        idle_at = min(grant.expires_at, now + settings.refresh_token_idle_lifetime)
        longest = max(idle_at, now + lifetime)
        return advance(self.server.db, grant, now, {"idle_at": idle_at, "retained_until": longest}, rotate=rotate)

    def _is_retry(self, token: RefreshToken, grant: GrantRow) -> bool:
        """Tell whether the client repeats the token before, within the leeway, while the successor is unused."""
        if grant.rotated_at is None or token.generation != grant.generation - 1:
            return token.generation == grant.generation
        return self.server.now - grant.rotated_at <= self.server.settings.refresh_token_leeway

    def _reused(self, grant: GrantRow) -> NoReturn:
        """End the family: an old token of it is in use somewhere."""
        revoke_grant(self.server.db, grant.id, self.server.now, "refresh token reused")
        event = Happening(
            action="refresh_token.reuse",
            outcome="revoked",
            client_id=grant.client_id,
            subject=grant.shown_id,
            because="an old refresh token was used again; its family is revoked",
        )
        record(self.server.db, self.server.runtime, event)
        reuse_detected()
        refuse(InvalidGrantError(), because="refresh token reused; its family is revoked")
