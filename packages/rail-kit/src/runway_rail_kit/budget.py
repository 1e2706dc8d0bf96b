"""A call budget: so many calls in any stretch of time, and so many at once.

The vendor counts per company, so a budget belongs to one company at one vendor and is shared by every rail object of
this process that speaks to it. Where several processes speak to the vendor it stands before the budget that they share
(`SharedBudget`): each keeps its own windows, and a permit is taken last. Time and sleep come in through the door.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from runway_rail_kit.shared_budget import SharedBudget

Sleep = Callable[[float], Awaitable[None]]

KEPT_FOR_PEOPLE = 5
"""Where workers share the budget, every fifth call is kept for people."""


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
        shared: SharedBudget | None = None,
    ) -> None:
        self._shared = shared
        self._windows = tuple(windows)
        self._answered: deque[float] = deque(maxlen=max((window.calls for window in windows), default=1))
        self._under_way = 0
        self._slots = asyncio.Semaphore(at_once)
        self._patient_slots = asyncio.Semaphore(max(1, at_once - 1))
        self._turns = {True: asyncio.Lock(), False: asyncio.Lock()}
        self._monotonic = monotonic
        self._sleep = sleep

    @asynccontextmanager
    async def spend_one(self, *, is_live: bool = False) -> AsyncIterator[None]:
        """Wait until one more call may be sent, and count it; it is under way until the block ends.

        `is_live`: a person waits for it, and the share that all workers keep for people may be used.

        Raises:
            RailThrottled: the vendor refuses for longer than is worth waiting; only where workers share the budget.
        """
        async with self._lane(is_live=is_live), self._slots:
            async with self._turns[is_live]:
                while (wait_seconds := self._compute_wait(self._monotonic(), is_live=is_live)) > 0:
                    await self._sleep(wait_seconds)
                self._under_way += 1
            try:
                if self._shared is None:
                    yield
                else:
                    async with self._shared.spend_one(is_live=is_live):
                        yield
            finally:
                self._under_way -= 1
                self._answered.append(self._monotonic())

    @asynccontextmanager
    async def _lane(self, *, is_live: bool) -> AsyncIterator[None]:
        """Where the budget is shared, work for which nobody waits leaves one slot to people."""
        if self._shared is None or is_live:
            yield
        else:
            async with self._patient_slots:
                yield

    async def note_refusal(self, retry_after_seconds: int | None) -> None:
        """The vendor refused a call as one too many: all workers that share the budget slow down."""
        if self._shared is not None:
            await self._shared.note_refusal(retry_after_seconds)

    def _compute_wait(self, now: float, *, is_live: bool) -> float:
        return max((self._compute_wait_for(window, now, is_live=is_live) for window in self._windows), default=0.0)

    def _compute_wait_for(self, window: Window, now: float, *, is_live: bool) -> float:
        kept = 0 if is_live or self._shared is None else window.calls // KEPT_FOR_PEOPLE
        before = window.calls - kept - self._under_way  # so many answered calls leave room for one more, when older
        if before <= 0:
            return window.seconds
        if len(self._answered) < before:
            return 0.0
        return self._answered[-before] + window.seconds - now
