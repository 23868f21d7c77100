"""The Cognito user pool that people come from: whom to ask, and until when (AWS: AdminInitiateAuth)."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

_POOL = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-\d+)_[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class CognitoPool:
    """A user pool, the application client that asks it, and the instant from which nothing is asked any more."""

    user_pool: str
    client_id: str
    client_secret: str = field(repr=False)
    ends_at: datetime

    @property
    def region(self) -> str:
        """The region in which the pool is."""
        return self.user_pool.partition("_")[0]

    def is_asked(self, now: datetime) -> bool:
        """Tell whether the time for people to come over is not up."""
        return now < self.ends_at


def read_pool(user_pool: str, client_id: str, client_secret: str, until: str) -> CognitoPool | None:
    """Return the pool that the settings name, or None where they name none. Raises ValueError beginning with the setting."""
    if not user_pool:
        return None
    if not _POOL.fullmatch(user_pool):
        raise ValueError("COGNITO_USER_POOL must be a user pool's id, like eu-central-1_AbCdEfGhI")
    if not client_id:
        raise ValueError(
            "COGNITO_CLIENT_ID is needed beside AUTHSERVER_COGNITO_USER_POOL: a client of it that allows ADMIN_USER_PASSWORD_AUTH"
        )
    return CognitoPool(user_pool, client_id, client_secret, _end_of(until))


def _end_of(until: str) -> datetime:
    """Return the end of the last day, in UTC."""
    try:
        last = date.fromisoformat(until)
        return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ValueError("COGNITO_UNTIL must be the last day on which Cognito is asked, like 2027-03-31") from None
