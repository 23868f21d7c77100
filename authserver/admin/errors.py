"""What can go wrong when an operator asks for something; a skin shows it as a problem, a form error or an exit code."""

from typing import Any

from authserver.oauth.client_registration import Invalid

__all__ = ["Changed", "Conflict", "Forbidden", "Invalid", "NotFound"]


class NotFound(Exception):
    """There is no such thing; the text says which."""


class Conflict(Exception):
    """It cannot be done as things are: a name is taken, or a file owns the thing."""


class Changed(Conflict):
    """Somebody else changed the same thing meanwhile; `current` is its row as it is now."""

    def __init__(self, text: str, current: Any = None) -> None:
        """Keep both."""
        super().__init__(text)
        self.current = current


class Forbidden(Exception):
    """Who asks may not do this; the text says why."""
