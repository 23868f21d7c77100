"""What the token endpoints beside /token share (RFC 7009 section 2.1, RFC 7662 section 2.1): client first, then token."""

from typing import Any

from authlib.oauth2.rfc6749 import TokenEndpoint

from authserver.oauth.errors import InvalidRequestError, refuse
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server


class Endpoint(TokenEndpoint):
    """An endpoint that takes `token` from an authenticated client. ENDPOINT_NAME is its key in the metadata."""

    server: Server

    def authenticate_endpoint_client(self, request: AsRequest) -> Any:
        """Authenticate the client as at the token endpoint."""
        request.client = self.server.authenticate_client(request, None, self.ENDPOINT_NAME)
        return request.client

    def presented(self, request: AsRequest) -> str:
        """Return the parameter `token`; a `token_type_hint` is a hint and may be anything."""
        token = request.payload.get("token")
        if token is None:
            refuse(InvalidRequestError("The parameter token is missing."), because="no token")
        return token
