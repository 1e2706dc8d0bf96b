"""A seeded event loop in which waiting takes no time: a day of the real code in seconds, the same for the same seed.

When nothing can run, time jumps to the next timer. What can run at one moment runs in an order drawn by the seed, so
that another seed tries another interleaving, and a seed that failed fails again in the same way.
"""

import asyncio
import heapq
import random
import selectors
from collections import deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class _DeafSelector(selectors.DefaultSelector):
    """Asks nobody outside whether something has come: nothing ever does."""

    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        del timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop over its own time, which begins at nil. Nothing in it may wait for the world outside.

    It reaches into what `asyncio.BaseEventLoop` keeps: `_ready` and `_scheduled`, unchanged from Python 3.4 on.
    """

    _ready: "deque[asyncio.Handle]"
    _scheduled: "list[asyncio.TimerHandle]"

    def __init__(self, seed: int) -> None:
        super().__init__(_DeafSelector())
        self._seconds = 0.0
        self._chance = random.Random(seed)
        self.steps = 0  # callbacks that ran

    def time(self) -> float:
        """The loop's own time, in seconds."""
        return self._seconds

    def _run_once(self) -> None:
        if not self._ready:
            while self._scheduled and self._scheduled[0].cancelled():
                timer = heapq.heappop(self._scheduled)
                timer._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001 - as the loop itself does
            if self._scheduled:
                self._seconds = max(self._seconds, self._scheduled[0].when())
        elif len(self._ready) > 1:
            order = list(self._ready)
            self._chance.shuffle(order)
            self._ready.clear()
            self._ready.extend(order)
        self.steps += len(self._ready)
        super()._run_once()  # type: ignore[misc]  # a method that only subclasses see


class VirtualClock:
    """The time of the loop that runs, counted from a moment."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        """The moment the running loop stands at."""
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())


def run_virtual(work: Coroutine[Any, Any, T], *, seed: int = 0) -> T:
    """Run `work` to its end in a loop of its own."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(seed)) as runner:
        return runner.run(work)


async def pass_time(seconds: float) -> None:
    """Let so much of the running loop's time pass; only within `run_virtual`."""
    assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop), "time passes by itself here"
    await asyncio.sleep(seconds)
