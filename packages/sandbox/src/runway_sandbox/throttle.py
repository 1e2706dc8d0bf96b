"""Counts calls per company against the vendor's limits (facts/qbo.md 7.1), by the sandbox's clock."""

from __future__ import annotations

from collections import deque

from runway_sandbox.settings import ThrottleLimits

_MINUTE = 60.0
_SECOND = 1.0


class Throttle:
    """One company's windows: calls in the last minute and second, batches, and calls at once."""

    def __init__(self, limits: ThrottleLimits) -> None:
        self._limits = limits
        self._calls: deque[float] = deque(maxlen=limits.calls_per_minute + 1)
        self._batches: deque[float] = deque(maxlen=limits.batches_per_minute + 1)
        self._at_once = 0

    def enter(self, at: float, *, is_batch: bool) -> bool:
        """Admit a call that begins at `at` (epoch seconds); `False` means 429. Refused calls do not count."""
        limits = self._limits
        if limits.enabled:
            if self._at_once >= limits.at_once:
                return False
            if _count_since(self._calls, at - _MINUTE) >= limits.calls_per_minute:
                return False
            if sum(1 for moment in self._calls if moment > at - _SECOND) >= limits.calls_per_second:
                return False
            if is_batch and _count_since(self._batches, at - _MINUTE) >= limits.batches_per_minute:
                return False
            self._calls.append(at)
            if is_batch:
                self._batches.append(at)
        self._at_once += 1
        return True

    def leave(self) -> None:
        """End a call that was admitted."""
        self._at_once -= 1


def _count_since(moments: deque[float], earliest: float) -> int:
    while moments and moments[0] <= earliest:
        moments.popleft()
    return len(moments)
