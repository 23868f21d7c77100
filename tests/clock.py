"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)


class Clock:
    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **span: float) -> datetime:
        """Move by timedelta's arguments: `advance(days=31)`."""
        self._now += timedelta(**span)
        return self._now

    def timestamp(self) -> int:
        return int(self.now().timestamp())


class RealTime(Clock):
    """The time of servers in other processes."""

    def now(self) -> datetime:
        return datetime.now(UTC)
