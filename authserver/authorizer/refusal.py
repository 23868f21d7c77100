"""The ways in which an authorizer does not decide in favour: 401, 500, and a setting that is wrong.

No text here ever holds a part of the request: what is raised is written to the log.
"""


class Unauthorized(Exception):
    """The token is not good. API Gateway answers 401 to exactly this text; `because` is for the log."""

    def __init__(self, because: str) -> None:
        super().__init__("Unauthorized")
        self.because = because


class Undecided(Exception):
    """Nothing can be said of the token: keys cannot be had, or an event or set-up is not understood. API Gateway answers 500."""


class SettingsError(Exception):
    """A setting is missing, unknown or wrong; the text names it and says what to change."""
