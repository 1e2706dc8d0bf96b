"""Time under the test's control."""

from datetime import datetime, timedelta


class FixedClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock's time carries its zone")
        self._now = at

    def now(self) -> datetime:
        """The moment the clock stands at."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward, or back with a negative step, and return the new moment."""
        self._now += by
        return self._now
