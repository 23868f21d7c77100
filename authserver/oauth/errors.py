"""Refusals: a constant text for the wire, a private reason for the log (RFC 6749 sections 4.1.2.1 and 5.2)."""

from typing import NoReturn

from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)

__all__ = [
    "AccessDeniedError",
    "InvalidClientError",
    "InvalidGrantError",
    "InvalidRequestError",
    "InvalidScopeError",
    "InvalidTargetError",
    "OAuth2Error",
    "UnauthorizedClientError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "because",
    "refuse",
]


class InvalidClientError(OAuth2Error):
    """Client authentication failed; unlike Authlib's, the challenge names a realm (RFC 7617 section 2)."""

    error = "invalid_client"
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """Name the scheme that every client may try."""
        return [("WWW-Authenticate", 'Basic realm="authserver", charset="UTF-8"')]


class InvalidGrantError(OAuth2Error):
    """A code or refresh token does not open anything; which of the reasons it is, only the log says."""

    error = "invalid_grant"
    description = "The code or token is unknown, expired, used, revoked, or was issued for another client or request."


class UnauthorizedClientError(OAuth2Error):
    """The client may not do this."""

    error = "unauthorized_client"
    description = "This client is not registered for this."


class UnsupportedGrantTypeError(OAuth2Error):
    """The grant type is not one of ours; unlike Authlib's, it echoes nothing."""

    error = "unsupported_grant_type"
    description = "This grant type is not supported; the metadata document lists those that are."


class UnsupportedResponseTypeError(OAuth2Error):
    """The response type is not `code`; unlike Authlib's, it echoes nothing."""

    error = "unsupported_response_type"
    description = "Only response_type=code is supported; implicit and hybrid flows are not (RFC 9700 section 2.1.2)."


class InvalidTargetError(OAuth2Error):
    """A `resource` is unknown or not for this client (RFC 8707 section 2)."""

    error = "invalid_target"
    description = "The requested resource is unknown, malformed, or not one that this client may ask for."


def refuse(error: OAuth2Error, *, because: str) -> NoReturn:
    """Raise `error`; `because` goes to the log with the request id, never to the wire."""
    error.because = because
    raise error


def because(error: OAuth2Error) -> str:
    """Return the private reason of a refusal."""
    return str(getattr(error, "because", "") or error.error)
