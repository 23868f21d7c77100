"""Authorization code grant (RFC 6749 section 4.1.3): a code is redeemed once; a replay ends what it gave."""

from datetime import datetime, timedelta
from typing import NoReturn

from authserver.oauth import pkce
from authserver.oauth.access_token import shape
from authserver.oauth.errors import InvalidGrantError, refuse
from authserver.oauth.grant import Grant
from authserver.oauth.issuance import Authorization
from authserver.oauth.refresh_token import make
from authserver.oauth.resource_indicators import narrowed
from authserver.oauth.scope import scope_at
from authserver.store.audit import Happening, record
from authserver.store.authorization_code import AuthorizationCode, authorization_codes, find_code
from authserver.store.base import consume
from authserver.store.browser_session import BrowserSession, find_session_by_id
from authserver.store.grant import Grant as GrantRow
from authserver.store.grant import insert_grant, revoke_grant, surplus_families
from authserver.store.user import User, find_user

MOST_FAMILIES = 100
"""Live refresh families of one user with one client; the oldest beyond are ended."""


class AuthorizationCodeGrant(Grant):
    """Check everything, then spend the code, then begin the grant."""

    GRANT_TYPE = "authorization_code"

    def prove(self) -> Authorization:
        """Redeem the code."""
        code = self._presented()
        user, session = self._people(code)
        resources = narrowed(self.request.client, self.request.payload, code.resources)
        lifetime = shape(self.server, resources)[0].lifetime
        if not consume(self.server.db, authorization_codes, authorization_codes.c.digest, code.digest, self.server.now):
            self._replayed(code)
        grant = self._begin(code, session, lifetime)
        return Authorization(
            client=self.request.client,
            grant_type=self.GRANT_TYPE,
            scope=scope_at(self.server, self.request.client, code.scope, resources),
            resources=resources,
            user=user,
            grant=grant,
            refresh_token=self._refresh_token(grant),
            nonce=code.nonce,
        )

    def _presented(self) -> AuthorizationCode:
        """Find the code: unknown, foreign, expired or with a wrong verifier it is refused, and not burned."""
        code = find_code(self.server.db, self.required("code"))
        if code is None:
            refuse(InvalidGrantError(), because="unknown code")
        if code.client_id != self.request.client.client_id:
            refuse(InvalidGrantError(), because="code of another client")
        if self.request.payload.redirect_uri != code.redirect_uri:
            refuse(InvalidGrantError(), because="redirect_uri differs from the authorization request's")
        pkce.verify(self.request.payload.get("code_verifier"), code.code_challenge)
        if code.consumed_at is not None:
            self._replayed(code)
        if not code.is_live(self.server.now):
            refuse(InvalidGrantError(), because="code expired")
        return code

    def _replayed(self, code: AuthorizationCode) -> NoReturn:
        """End what the code gave (section 4.1.2)."""
        if revoke_grant(self.server.db, code.grant_id, self.server.now, "code replayed"):
            event = Happening(action="code.replay", outcome="revoked", client_id=code.client_id, because="its grant is revoked")
            record(self.server.db, self.server.runtime, event)
        refuse(InvalidGrantError(), because="code replayed; its grant is revoked")

    def _people(self, code: AuthorizationCode) -> tuple[User, BrowserSession]:
        user = find_user(self.server.db, code.user_id)
        session = find_session_by_id(self.server.db, code.session_id)
        if user is None or not user.is_enabled:
            refuse(InvalidGrantError(), because="user disabled or deleted since")
        if session is None or not session.is_live(self.server.now):
            refuse(InvalidGrantError(), because="browser session ended since")
        return user, session

    def _begin(self, code: AuthorizationCode, session: BrowserSession, lifetime: timedelta) -> GrantRow:
        now = self.server.now
        offline = "offline_access" in code.scope
        idle_at, expires_at = self._ends(offline, session) if self._may_refresh() else (now, now)
        grant = GrantRow(
            id=code.grant_id,
            client_id=code.client_id,
            user_id=code.user_id,
            session_id=code.session_id,
            scope=code.scope,
            resources=code.resources,
            claims=code.claims,
            authenticated_at=code.authenticated_at,
            acr=code.acr,
            amr=code.amr,
            offline=int(offline),
            generation=0,
            seed=self.server.runtime.new_secret(16),
            created_at=now,
            rotated_at=None,
            idle_at=idle_at,
            expires_at=expires_at,
            retained_until=max(idle_at, now + lifetime),
            revoked_at=None,
            revoked_because=None,
        )
        insert_grant(self.server.db, {name: getattr(grant, name) for name in GrantRow.__slots__})
        return grant

    def _ends(self, offline: bool, session: BrowserSession) -> tuple[datetime, datetime]:
        """Return when the refresh family ends if unused, and in any case."""
        settings, now, client = self.server.settings, self.server.now, self.request.client
        if not offline:
            end = min(session.expires_at, now + settings.session_refresh_token_lifetime)
            return end, end
        longest = settings.session_refresh_token_lifetime if client.kind == "spa" else settings.refresh_token_lifetime
        chosen = client.metadata.get("refresh_token_lifetime")
        end = now + (timedelta(seconds=chosen) if chosen else longest)
        return min(end, now + settings.refresh_token_idle_lifetime), end

    def _may_refresh(self) -> bool:
        return bool(self.request.client.has_grant_type("refresh_token"))

    def _refresh_token(self, grant: GrantRow) -> str | None:
        if not self._may_refresh():
            return None
        for surplus in surplus_families(self.server.db, grant.user_id, grant.client_id, self.server.now, MOST_FAMILIES):
            revoke_grant(self.server.db, surplus, self.server.now, "more than 100 refresh families")
        return make(self.server, grant, 0)
