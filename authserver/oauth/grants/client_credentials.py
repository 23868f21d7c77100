"""Client credentials grant (RFC 6749 section 4.4): a client on its own behalf, without a refresh token."""

from authserver.oauth.errors import InvalidScopeError, UnauthorizedClientError, refuse
from authserver.oauth.grant import Grant
from authserver.oauth.issuance import Authorization
from authserver.oauth.resource_indicators import requested
from authserver.oauth.scope import OPENID_SCOPES, allowed_scopes, check_scope, parse_scope


class ClientCredentialsGrant(Grant):
    """The client's authentication is the whole proof."""

    GRANT_TYPE = "client_credentials"

    def prove(self) -> Authorization:
        """Grant the asked part of what the client may have, or all of it, at the APIs asked for."""
        client = self.request.client
        if client.is_public:
            refuse(UnauthorizedClientError("A public client cannot act on its own behalf."), because="public client")
        resources = requested(self.server, client, self.request.payload)
        asked = self.request.payload.scope
        if set(parse_scope(asked)) & set(OPENID_SCOPES):
            refuse(InvalidScopeError("OpenID Connect's scopes are about people."), because="OpenID scope for a client")
        scope = check_scope(self.server, client, asked, resources)
        scope = scope or tuple(sorted(allowed_scopes(self.server, client, resources) - set(OPENID_SCOPES)))
        return Authorization(client=client, grant_type=self.GRANT_TYPE, scope=scope, resources=resources)
