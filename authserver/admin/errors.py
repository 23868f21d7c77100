"""What can go wrong when an operator asks for something; a skin shows it as a problem, a form error or an exit code."""

from authserver.oauth.client_registration import Invalid

__all__ = ["Conflict", "Invalid", "NotFound"]


class NotFound(Exception):
    """There is no such thing; the text says which."""


class Conflict(Exception):
    """It cannot be done as things are: a name is taken, or somebody else changed the same thing meanwhile."""
