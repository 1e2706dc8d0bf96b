"""A worker that calls as fast as its shared budget lets it, and tells when each call was sent and answered."""

import asyncio
import contextlib
from multiprocessing.connection import Connection

from runway_core.domain.call_budget import BudgetAsk, CallLimit, CallWindow
from runway_core.domain.log_entry import to_microseconds
from runway_core.ports.clock import SystemClock
from runway_rail_kit import CallBudget, SharedBudget, Window
from runway_store_sql import SqlStore

LIMIT = CallLimit((CallWindow(24, 300), CallWindow(40, 1_000)), at_once=8)


async def call_much(url: str, calls: int, sending: Connection) -> None:
    clock = SystemClock()
    async with SqlStore(url) as store:
        shared = SharedBudget(store.calls, [BudgetAsk("acme/app", LIMIT)], clock=clock)
        budget = CallBudget(
            [Window(window.calls, window.milliseconds / 1000) for window in LIMIT.windows],
            at_once=LIMIT.at_once,
            shared=shared,
        )
        times: list[tuple[int, int]] = []

        async def once() -> None:
            async with budget.spend_one():
                begun = to_microseconds(clock.now())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), 0.01)  # the vendor answers
                times.append((begun, to_microseconds(clock.now())))

        await asyncio.gather(*(once() for _ in range(calls)))
        sending.send((times, shared.trips))


def run(url: str, calls: int, sending: Connection) -> None:
    asyncio.run(call_much(url, calls, sending))
