"""What all grants share (RFC 6749 section 4.5): client authentication, the allowed grant type, the mint.

A grant answers one question, `prove()`: what does this request prove?
"""

from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from authserver.oauth.errors import InvalidRequestError, UnauthorizedClientError, refuse
from authserver.oauth.issuance import Authorization, issue
from authserver.oauth.request import AsRequest
from authserver.oauth.server import Server


class Grant(BaseGrant, TokenEndpointMixin):
    """One grant type at the token endpoint."""

    GRANT_TYPE: str = ""
    server: Server
    request: AsRequest

    def __init__(self, request: AsRequest, server: Server) -> None:
        """Serve one request; Authlib's hooks are not used."""
        self.request = request
        self.server = server

    def validate_token_request(self) -> None:
        """Authenticate the client and check that it may use this grant."""
        client = self.server.authenticate_client(self.request)
        if not client.has_grant_type(self.GRANT_TYPE):
            error = UnauthorizedClientError("This client is not registered for this grant type.")
            refuse(error, because=f"grant type {self.GRANT_TYPE} is not the client's")

    def create_token_response(self) -> tuple[int, dict[str, Any], tuple[tuple[str, str], ...]]:
        """Prove, then mint."""
        return 200, issue(self.server, self.prove()), ()

    def prove(self) -> Authorization:
        """Return what the request proves. Raises OAuth2Error."""
        raise AssertionError("unreachable")

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.request.payload.get(name)
        if value is None:
            refuse(InvalidRequestError(f"The parameter {name} is missing."), because=f"no {name}")
        return value
