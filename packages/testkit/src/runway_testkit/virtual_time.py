"""A seeded event loop in which waiting takes no time: a day of the real code in seconds, the same for the same seed.

When nothing can run, time jumps to the next timer. What can run at one moment runs in an order drawn by the seed, so
that another seed tries another interleaving, and a seed that failed fails again in the same way.
"""

import asyncio
import gc
import random
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Given = TypeVarTuple("Given")

RARELY = 100_000
"""So many objects are made before it is looked for circles among them: a day makes millions, few of them in circles."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """An event loop over its own time, which begins at nil. Nothing in it may wait for the world outside.

    It runs what `asyncio.BaseEventLoop` keeps as `_ready`, unchanged from Python 3.4 on, and keeps timers itself.
    """

    _ready: "deque[asyncio.Handle]"

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seconds = 0.0
        self._chance = random.Random(seed)
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self.steps = 0  # callbacks that ran

    def time(self) -> float:
        """The loop's own time, in seconds."""
        return self._seconds

    def call_at(
        self, when: float, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Have something called at a moment of the loop's time."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def call_soon(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """Have something called at the moment at which the loop stands."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heappop(timers)
            if not timers:
                raise RuntimeError("everything waits for something that nobody will do")
            self._seconds = max(self._seconds, timers[0][0])
        while timers and timers[0][0] <= self._seconds:
            ready.append(heappop(timers)[2])
        if len(ready) > 1:
            order = list(ready)
            self._chance.shuffle(order)
            ready.clear()
            ready.extend(order)
        self.steps += len(ready)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as the loop itself does


class VirtualClock:
    """The time of the loop that runs, counted from a moment."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start
        self._seconds = 0.0

    def now(self) -> datetime:
        """The moment the running loop stands at."""
        seconds = asyncio.get_running_loop().time()
        if seconds != self._seconds:
            self._seconds, self._now = seconds, self._start + timedelta(seconds=seconds)
        return self._now


def run_virtual(work: Coroutine[Any, Any, T], *, seed: int = 0) -> T:
    """Run `work` to its end in a loop of its own."""
    thresholds = gc.get_threshold()
    gc.freeze()  # what is there already, the modules of a whole test suite, is not gone through again and again
    gc.set_threshold(RARELY)
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(seed)) as runner:
            return runner.run(work)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def pass_time(seconds: float) -> None:
    """Let so much of the running loop's time pass; only within `run_virtual`."""
    assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop), "time passes by itself here"
    await asyncio.sleep(seconds)
