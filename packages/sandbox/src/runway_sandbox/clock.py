"""The sandbox's clock: real time moved by an offset, so that a day can pass in a test without waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A running clock that starts at a chosen instant and can be moved forward, never back."""

    def __init__(self, start_at: datetime | None = None) -> None:
        now = datetime.now(UTC)
        self._offset = timedelta() if start_at is None else start_at.astimezone(UTC) - now

    def now(self) -> datetime:
        """Tell the sandbox's present instant, in UTC."""
        return datetime.now(UTC) + self._offset

    def epoch(self) -> float:
        """Tell the present instant in seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and tell the new present.

        Raises:
            ValueError: `seconds` is negative; time in books does not run back.
        """
        if seconds < 0:
            raise ValueError("advance_seconds must not be negative")
        self._offset += timedelta(seconds=seconds)
        return self.now()
