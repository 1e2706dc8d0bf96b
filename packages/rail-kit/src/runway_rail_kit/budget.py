"""A call budget: so many calls in any stretch of time, and so many at once.

The vendor counts per company, so a budget belongs to one company at one vendor and is shared by every rail object of
this process that speaks to it. Time and sleep come in through the door.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Window:
    """At most `calls` in any `seconds` that one may pick."""

    calls: int
    seconds: float

    def __post_init__(self) -> None:
        assert self.calls > 0
        assert self.seconds > 0


class CallBudget:
    """Lets a call through when every window and the number at once allow it; callers wait in turn."""

    def __init__(
        self,
        windows: Sequence[Window],
        *,
        at_once: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._windows = tuple(windows)
        self._sent: deque[float] = deque(maxlen=max((window.calls for window in windows), default=1))
        self._slots = asyncio.Semaphore(at_once)
        self._turn = asyncio.Lock()
        self._monotonic = monotonic
        self._sleep = sleep

    @asynccontextmanager
    async def spend_one(self) -> AsyncIterator[None]:
        """Wait until one more call may be sent, and count it; it is under way until the block ends."""
        async with self._slots:
            async with self._turn:
                while (wait_seconds := self._compute_wait(self._monotonic())) > 0:
                    await self._sleep(wait_seconds)
                self._sent.append(self._monotonic())
            yield

    def _compute_wait(self, now: float) -> float:
        waits = (
            self._sent[-window.calls] + window.seconds - now
            for window in self._windows
            if len(self._sent) >= window.calls
        )
        return max(waits, default=0.0)
