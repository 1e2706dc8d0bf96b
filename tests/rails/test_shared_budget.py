"""A budget that several workers share, each with its own stock of permits."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from runway_core.domain.call_budget import BudgetAsk, CallLimit, CallWindow
from runway_core.errors import RailThrottled, StoreUnavailable
from runway_rail_kit import CallBudget, SharedBudget, Window
from runway_testkit.clock import FixedClock
from runway_testkit.memory_calls import MemoryCallLedger
from runway_testkit.store_desk import START

LIMIT = CallLimit((CallWindow(450, 60_000), CallWindow(9, 1_000)), at_once=5)
ASK = BudgetAsk("acme/books-1", LIMIT)


class Town:
    """Workers of one town: one clock for all, which moves on when everybody sleeps."""

    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.ledger = MemoryCallLedger()
        self.sent: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = 0

    def seconds(self) -> float:
        return (self.clock.now() - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._numbers += 1
        self._sleepers.append((self.seconds() + seconds, self._numbers, woken))
        await woken.wait()

    async def run(self, *work: asyncio.Task[None]) -> None:
        """Let the work go on, moving the clock to the next sleeper whenever nobody can."""
        while not all(task.done() for task in work):
            for _ in range(60):
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in work):
                self._sleepers.sort()
                at, _, woken = self._sleepers.pop(0)
                self.clock.advance(timedelta(seconds=max(0.0, at - self.seconds())))
                woken.set()
        for task in work:
            task.result()

    def budget(self, ask: BudgetAsk = ASK) -> tuple[CallBudget, SharedBudget]:
        shared = SharedBudget(self.ledger, [ask], clock=self.clock, sleep=self.sleep, rail="acme")
        windows = [Window(window.calls, window.milliseconds / 1000) for window in ask.limit.windows]
        at_once = ask.limit.at_once
        return CallBudget(windows, at_once=at_once, monotonic=self.seconds, sleep=self.sleep, shared=shared), shared

    async def call(self, budget: CallBudget, *, times: int, lasts: float = 0.3, is_live: bool = False) -> None:
        async def once() -> None:
            async with budget.spend_one(is_live=is_live):
                self.sent.append(self.seconds())
                await self.sleep(lasts)

        await asyncio.gather(*(once() for _ in range(times)))


class ForgetfulLedger(MemoryCallLedger):
    """A ledger whose database is gone when calls are given back."""

    async def release(self, asks: Sequence[BudgetAsk], *, holder: str, now: datetime) -> None:
        raise StoreUnavailable("the database does not answer")


async def test_an_answer_that_came_is_not_lost_with_the_ledger() -> None:
    town = Town()
    town.ledger = ForgetfulLedger()
    budget, _ = town.budget()
    await town.run(asyncio.create_task(town.call(budget, times=1, is_live=True)))

    assert town.sent == [0.0]


def most_within(sent: list[float], seconds: float) -> int:
    return max(sum(1 for at in sent if begin <= at < begin + seconds) for begin in sent)


async def test_three_workers_together_stay_within_the_limit_and_use_most_of_it() -> None:
    town = Town()
    budgets = [town.budget()[0] for _ in range(3)]
    await town.run(*(asyncio.create_task(town.call(budget, times=40)) for budget in budgets))

    assert len(town.sent) == 120
    assert most_within(town.sent, 1) <= 9
    assert town.seconds() < 120 / 9 * 2


async def test_one_call_takes_one_trip_and_a_long_reading_takes_few() -> None:
    town = Town()
    budget, shared = town.budget(BudgetAsk("acme/app", CallLimit((CallWindow(6_000, 60_000),), at_once=10)))
    await town.run(asyncio.create_task(town.call(budget, times=1)))
    first = shared.trips
    await town.run(asyncio.create_task(town.call(budget, times=500, lasts=0.02)))

    assert first == 1
    assert shared.trips <= 25


async def test_a_person_does_not_wait_behind_a_first_load() -> None:
    town = Town()
    bulk, _ = town.budget()
    live, _ = town.budget()
    load = asyncio.create_task(town.call(bulk, times=200))
    asked: list[float] = []

    async def person(budget: CallBudget) -> None:
        await town.sleep(10)
        begun = town.seconds()
        async with budget.spend_one(is_live=True):
            asked.append(town.seconds() - begun)

    await town.run(load, asyncio.create_task(person(live)), asyncio.create_task(person(bulk)))

    assert max(asked) <= 1.5


async def test_a_refusal_pauses_the_key_and_sends_the_worker_to_other_work() -> None:
    town = Town()
    budget, _ = town.budget()
    neighbour, _ = town.budget(BudgetAsk("acme/books-2", LIMIT))
    other_process, _ = town.budget()
    await budget.note_refusal(60)

    with pytest.raises(RailThrottled, match="calls go on in 60 seconds") as raised:
        await other_process.spend_one().__aenter__()
    await town.run(asyncio.create_task(town.call(neighbour, times=1)))

    assert raised.value.retry_after_seconds == 60
    assert len(town.sent) == 1


async def test_a_short_pause_is_waited_for() -> None:
    town = Town()
    budget, _ = town.budget()
    await budget.note_refusal(5)
    await town.run(asyncio.create_task(town.call(budget, times=1)))

    assert town.sent == [5.0]
