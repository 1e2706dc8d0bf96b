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
    """Lets a call through when every window and the number at once allow it; callers wait in turn.

    A call counts from its answer on, not from its sending: the vendor counts when it arrives, which may be any moment
    in between, and calls that were held up on the way arrive together with later ones.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        *,
        at_once: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._windows = tuple(windows)
        self._answered: deque[float] = deque(maxlen=max((window.calls for window in windows), default=1))
        self._under_way = 0
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
                self._under_way += 1
            try:
                yield
            finally:
                self._under_way -= 1
                self._answered.append(self._monotonic())

    def _compute_wait(self, now: float) -> float:
        return max((self._compute_wait_for(window, now) for window in self._windows), default=0.0)

    def _compute_wait_for(self, window: Window, now: float) -> float:
        before = window.calls - self._under_way  # so many answered calls still leave room for one more, when older
        if before <= 0:
            return window.seconds
        if len(self._answered) < before:
            return 0.0
        return self._answered[-before] + window.seconds - now
