"""The engine keeps companies fresh, whatever becomes of rails, jobs and workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from runway_core.domain.changes import Cause
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.identity import DEFAULT_FIRM
from runway_core.domain.jobs import Job, JobState, Lane, Work
from runway_core.errors import (
    RailAccessLost,
    RailMisconfigured,
    RailThrottled,
    RailUnavailable,
    RunwayError,
    StaleRevision,
)
from runway_core.ports.clock import Clock
from runway_core.ports.job_queue import JobQueue
from runway_core.runway import Runway
from runway_core.sync.engine import Alive, EngineSettings, Handler, SyncEngine
from runway_core.sync.pull_work import NEWS_APART
from runway_core.sync.schedule import INTERVAL, make_pull
from runway_testkit.clock import FixedClock
from runway_testkit.job_queue_contract import add_companies, make_job
from runway_testkit.memory_rail import MemoryLedger, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.store_desk import make_account, make_bill
from runway_testkit.virtual_time import VirtualClock, pass_time, run_virtual

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@dataclass
class Firm:
    """Three connected companies."""

    runway: Runway
    store: MemoryStore
    clock: FixedClock
    ledgers: dict[str, MemoryLedger]

    def engine(self, name: str = "one", settings: EngineSettings | None = None) -> SyncEngine:
        return self.runway.engine(name, settings=settings)

    async def connections(self) -> dict[str, Connection]:
        names = {company.company_id: company.name for company in await self.runway.companies.list()}
        return {names[c.company_id]: c for c in await self.runway.connections.list()}

    def calls(self) -> dict[str, int]:
        return {name: ledger.calls for name, ledger in self.ledgers.items()}

    async def jobs(self, what: str) -> int:
        return (await self.store.jobs.depths(DEFAULT_FIRM, now=self.clock.now())).count(what)


@asynccontextmanager
async def open_firm(clock: Clock) -> AsyncIterator[tuple[Runway, MemoryStore, dict[str, MemoryLedger]]]:
    ledgers = {name: MemoryLedger(name=name, now=START - timedelta(minutes=1)) for name in ("ada", "bob", "cyd")}
    store = MemoryStore()
    numbers = count(1)  # equal ids have equal places in the interval, and in the day of sweeps, in every run
    async with Runway.open(
        store=store, rails=[MemoryRailFactory(ledgers)], clock=clock, new_id=lambda: f"id-{next(numbers)}"
    ) as runway:
        for name, ledger in ledgers.items():
            ledger.put(make_account("35"), make_bill("145"))
            company = await runway.companies.add(name, home_currency="USD", time_zone="America/Chicago")
            await runway.connections.add(company.company_id, rail="memory", settings={"books": name}, secrets={})
        yield runway, store, ledgers


@pytest.fixture
async def firm() -> AsyncIterator[Firm]:
    clock = FixedClock(START)
    async with open_firm(clock) as (runway, store, ledgers):
        yield Firm(runway, store, clock, ledgers)


async def test_what_is_due_is_pulled_once(firm: Firm) -> None:
    engine = firm.engine()
    await engine.run_due()
    await engine.run_due()
    first = firm.calls()
    firm.clock.advance(INTERVAL)
    await engine.run_due()

    assert (engine.counts.pulls, engine.counts.failures) == (6, 0)
    assert {name: calls - first[name] for name, calls in firm.calls().items()} == {"ada": 1, "bob": 1, "cyd": 1}
    assert len(await firm.runway.positions.all()) == 3


async def test_two_engines_on_one_database_do_no_work_twice(firm: Firm) -> None:
    one, two = firm.engine("one"), firm.engine("two")
    for _ in range(3):
        await asyncio.gather(one.run_due(), two.run_due())
        firm.clock.advance(INTERVAL)

    runs = await asyncio.gather(
        *(firm.store.registry.runs(DEFAULT_FIRM, company.company_id) for company in await firm.runway.companies.list())
    )

    assert one.counts.pulls + two.counts.pulls == 9
    assert [len(of_company) for of_company in runs] == [3, 3, 3]


async def test_one_companys_trouble_delays_no_neighbour(firm: Firm) -> None:
    firm.ledgers["ada"].fail_next(RailUnavailable("down", rail="memory"))
    engine = firm.engine()
    await engine.run_due()
    failing = await firm.connections()
    firm.clock.advance(timedelta(seconds=30))
    await engine.run_due()
    mended = await firm.connections()

    assert {name: c.state.value for name, c in failing.items()} == {"ada": "failing", "bob": "active", "cyd": "active"}
    assert mended["ada"].state is ConnectionState.ACTIVE
    assert list(await firm.store.jobs.dead_letters(DEFAULT_FIRM)) == []


async def test_an_outage_costs_no_more_calls_than_polling(firm: Firm) -> None:
    """What will be polled again anyway is not retried for long."""
    engine = firm.engine()
    await engine.run_due()
    firm.ledgers["ada"].fail_next(*[RailThrottled("wait", rail="memory")] * 1000)
    before = firm.calls()["ada"]
    for _ in range(24 * 60):
        firm.clock.advance(timedelta(minutes=1))
        await engine.run_due()

    assert 80 <= firm.calls()["ada"] - before <= 24 * 4 + 6


async def test_a_lost_access_parks_the_connection_and_costs_no_further_call(firm: Firm) -> None:
    firm.ledgers["bob"].fail_next(RailAccessLost("gone", rail="memory"))
    engine = firm.engine()
    await engine.run_due()
    after = firm.calls()["bob"]
    bob = (await firm.connections())["bob"]
    for _ in range(8):
        firm.clock.advance(INTERVAL)
        await firm.store.jobs.enqueue([make_pull(bob, lane=Lane.WEBHOOK, run_at=firm.clock.now())], now=START)
        await engine.run_due()

    assert (await firm.connections())["bob"].state is ConnectionState.RECONNECT_NEEDED
    assert firm.calls()["bob"] == after
    assert list(await firm.store.jobs.dead_letters(DEFAULT_FIRM)) == []


async def test_what_fails_for_good_is_one_dead_letter_and_heals_when_it_is_mended(firm: Firm) -> None:
    firm.ledgers["ada"].fail_next(*[RailMisconfigured("wrong key", rail="memory")] * 3)
    engine = firm.engine()
    for _ in range(4):
        await engine.run_due()
        firm.clock.advance(INTERVAL)
    during = await firm.store.jobs.dead_letters(DEFAULT_FIRM)
    firm.clock.advance(timedelta(hours=2))
    await engine.run_due()

    assert [(letter.error_code, letter.rail, letter.attempts) for letter in during] == [
        ("rail-misconfigured", "memory", 3)
    ]
    assert list(await firm.store.jobs.dead_letters(DEFAULT_FIRM)) == []
    assert (await firm.connections())["ada"].state is ConnectionState.ACTIVE


async def test_a_replayed_letter_is_pulled_at_once(firm: Firm) -> None:
    firm.ledgers["ada"].fail_next(RailMisconfigured("wrong key", rail="memory"))
    engine = firm.engine()
    await engine.run_due()
    (letter,) = await firm.store.jobs.dead_letters(DEFAULT_FIRM)
    firm.clock.advance(timedelta(seconds=1))
    await firm.store.jobs.replay(DEFAULT_FIRM, [letter.job_id], actor="ann", now=firm.clock.now())
    await engine.run_due()

    assert (await firm.store.jobs.job(DEFAULT_FIRM, letter.job_id)).state is JobState.DONE
    assert (await firm.connections())["ada"].state is ConnectionState.ACTIVE


async def test_news_waits_for_whoever_pulls_and_then_looks_again(firm: Firm) -> None:
    """If this fails: news that arrived while a person pulled would not be seen until the next poll."""
    engine = firm.engine()
    await engine.run_due()
    ada = (await firm.connections())["ada"]
    firm.clock.advance(NEWS_APART)
    now = firm.clock.now()
    lease = await firm.store.registry.take_lease(ada, holder="a person", now=now, lasts_seconds=5)
    await firm.store.jobs.enqueue([make_pull(ada, lane=Lane.WEBHOOK, run_at=now, cause_id="delivery-1")], now=now)
    await engine.run_due()
    held_off = engine.counts.again
    firm.clock.advance(timedelta(seconds=15))
    await engine.run_due()
    runs = await firm.store.registry.runs(DEFAULT_FIRM, ada.company_id)

    assert (held_off, lease.holder) == (1, "a person")
    assert runs[0].cause is Cause.WEBHOOK


async def test_a_poll_that_ended_without_a_try_is_planned_again(firm: Firm) -> None:
    """If this fails: a connection whose pull was refused once, by a lease or a breaker, would never be read again."""
    engine = firm.engine()
    await engine.run_due()
    ada = (await firm.connections())["ada"]
    before = firm.calls()["ada"]
    firm.clock.advance(INTERVAL)
    await firm.store.registry.take_lease(ada, holder="a person", now=firm.clock.now(), lasts_seconds=30)
    await engine.run_due()
    refused = firm.calls()["ada"]
    firm.clock.advance(timedelta(minutes=1))
    await engine.run_due()

    assert (refused - before, firm.calls()["ada"] - before) == (0, 1)


async def test_a_company_may_set_how_often_it_is_pulled(firm: Firm) -> None:
    company = await firm.runway.companies.find("ada")
    await firm.runway.companies.change_settings(company.company_id, {"pull_minutes": 60}, actor="ann")
    engine = firm.engine()
    await engine.run_due()
    before = firm.calls()
    for _ in range(12):
        firm.clock.advance(timedelta(minutes=5))
        await engine.run_due()

    assert {name: calls - before[name] for name, calls in firm.calls().items()} == {"ada": 1, "bob": 4, "cyd": 4}


async def test_a_new_local_day_moves_every_position_even_without_access(firm: Firm) -> None:
    engine = firm.engine()
    await engine.run_due()
    for ledger in firm.ledgers.values():
        ledger.fail_next(*[RailUnavailable("down", rail="memory")] * 500)
    firm.clock.advance(timedelta(hours=16))  # past midnight UTC, not yet in Chicago
    await engine.run_due()
    same = {position.as_of.day for position in await firm.runway.positions.all()}
    firm.clock.advance(timedelta(hours=2))
    await engine.run_due()

    assert same == {4}
    assert {position.as_of.day for position in await firm.runway.positions.all()} == {5}


def test_a_started_engine_pulls_by_itself_and_stops_cleanly() -> None:
    async def main() -> tuple[int, int]:
        clock = VirtualClock(START)
        async with open_firm(clock) as (runway, store, _):
            engine = runway.engine("one")
            await engine.start()
            await pass_time(3600)
            await engine.stop()
            await engine.stop()
            depths = await store.jobs.depths(DEFAULT_FIRM, now=clock.now())
            return engine.counts.pulls, depths.count("running")

    pulls, running = run_virtual(main())

    assert 3 + 3 * 3 <= pulls <= 3 + 3 * 4 + 3  # a sweep of each company may fall into the hour
    assert running == 0


async def test_the_log_is_anchored_while_chains_move(firm: Firm) -> None:
    engine = firm.engine()
    await engine.run_due()
    first = await firm.store.anchors.last()
    firm.clock.advance(timedelta(minutes=15))
    firm.ledgers["ada"].put(make_bill("146"))
    await engine.run_due()
    firm.clock.advance(timedelta(minutes=15))
    await engine.run_due()
    last = await firm.store.anchors.last()

    assert first is not None
    assert last is not None
    assert last.number > first.number


# --- jobs of any kind ---


def make_engine(
    store: MemoryStore, clock: Clock, handler: Handler, settings: EngineSettings | None = None
) -> SyncEngine:
    return SyncEngine(
        queue=store.jobs,
        clock=clock,
        name="w",
        handlers={Work.POSITION: handler},
        settings=settings or EngineSettings(),
        pick_up_to=lambda most: most,
    )


async def fill(store: MemoryStore) -> None:
    await add_companies(store, "acme")
    await store.jobs.enqueue([make_job("position", run_at=START)], now=START)


@pytest.fixture
async def desk() -> tuple[MemoryStore, FixedClock]:
    store = MemoryStore()
    await fill(store)
    return store, FixedClock(START)


def failing(error: BaseException) -> Handler:
    async def fail(job: Job, alive: Alive) -> datetime | None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (StaleRevision("changed"), JobState.WAITING, "stale-revision"),
        (RailMisconfigured("key"), JobState.DEAD, "rail-misconfigured"),
        (RunwayError("odd"), JobState.DEAD, "runway-error"),
        (ZeroDivisionError("bug"), JobState.DEAD, "runway-error"),
        (RailAccessLost("gone"), JobState.DONE, None),
    ],
)
async def test_a_failed_job_ends_by_the_class_of_its_error(
    desk: tuple[MemoryStore, FixedClock], error: Exception, state: JobState, code: str | None
) -> None:
    store, clock = desk
    await make_engine(store, clock, failing(error)).run_due()
    job = await store.jobs.job(DEFAULT_FIRM, "job-000000001")

    assert (job.state, job.error_code) == (state, code)


async def test_a_job_of_unknown_work_is_buried_and_not_lost(desk: tuple[MemoryStore, FixedClock]) -> None:
    store, clock = desk
    engine = make_engine(store, clock, failing(RunwayError("never called")))
    engine.handlers = {}
    await engine.run_due()
    (letter,) = await store.jobs.dead_letters(DEFAULT_FIRM)

    assert letter.error_code == "not-supported"


@dataclass
class Hanging:
    """Work that goes on until it is let go."""

    begun: asyncio.Event
    go_on: asyncio.Event
    is_alive: bool = False

    @classmethod
    def make(cls, *, is_alive: bool = False) -> "Hanging":
        return cls(asyncio.Event(), asyncio.Event(), is_alive)

    async def __call__(self, job: Job, alive: Alive) -> datetime | None:
        self.begun.set()
        while self.is_alive:
            await pass_time(10)
            alive()
        await self.go_on.wait()
        return None


def test_a_silent_job_is_stopped_and_tried_again() -> None:
    async def main() -> tuple[Job, SyncEngine]:
        store, hanging = MemoryStore(), Hanging.make()
        await fill(store)
        engine = make_engine(store, VirtualClock(START), hanging)
        await engine.start()
        await pass_time(150)
        await engine.stop()
        return await store.jobs.job(DEFAULT_FIRM, "job-000000001"), engine

    job, engine = run_virtual(main())

    assert (job.error_code, engine.counts.retried) == ("rail-unavailable", 1)


def test_work_that_shows_signs_of_life_keeps_its_lease_for_hours() -> None:
    async def main() -> Job:
        store, working = MemoryStore(), Hanging.make(is_alive=True)
        await fill(store)
        engine = make_engine(store, VirtualClock(START), working)
        await engine.start()
        await pass_time(3 * 3600)
        held = await store.jobs.job(DEFAULT_FIRM, "job-000000001")
        await engine.stop()
        return held

    held = run_virtual(main())

    assert (held.state, held.attempts, held.error_code) == (JobState.RUNNING, 1, None)


class StumblingQueue:
    """A job table whose first claims and renewals fail as nobody foresaw."""

    def __init__(self, queue: JobQueue, *, stumbles: int) -> None:
        self._queue: Any = queue
        self._left = {"claim": stumbles, "renew": stumbles}

    def __getattr__(self, name: str) -> Any:
        if self._left.get(name, 0):
            self._left[name] -= 1
            raise ValueError(f"{name} stumbles")
        return getattr(self._queue, name)


def test_faults_that_nobody_foresaw_end_neither_work_nor_leases() -> None:
    async def main() -> tuple[Job, SyncEngine]:
        store, working = MemoryStore(), Hanging.make(is_alive=True)
        await fill(store)
        engine = make_engine(store, VirtualClock(START), working)
        stumbling: Any = StumblingQueue(store.jobs, stumbles=2)
        engine.queue = stumbling
        await engine.start()
        await pass_time(600)
        held = await store.jobs.job(DEFAULT_FIRM, "job-000000001")
        await engine.stop()
        return held, engine

    held, engine = run_virtual(main())

    assert (held.state, held.attempts, held.error_code) == (JobState.RUNNING, 1, None)
    assert engine.counts.lost == 0


def test_a_stop_gives_back_what_takes_too_long() -> None:
    async def main() -> tuple[Job, float]:
        store, hanging = MemoryStore(), Hanging.make()
        await fill(store)
        engine = make_engine(store, VirtualClock(START), hanging)
        await engine.start()
        await hanging.begun.wait()
        await engine.stop()
        return await store.jobs.job(DEFAULT_FIRM, "job-000000001"), asyncio.get_running_loop().time()

    job, seconds = run_virtual(main())

    assert (job.state, job.attempts) == (JobState.WAITING, 0)
    assert seconds <= 26


def test_a_stop_lets_running_work_end() -> None:
    async def main() -> Job:
        store, working = MemoryStore(), Hanging.make()
        await fill(store)
        engine = make_engine(store, VirtualClock(START), working)
        await engine.start()
        await working.begun.wait()
        stopping = asyncio.create_task(engine.stop())
        await pass_time(10)
        working.go_on.set()
        await stopping
        return await store.jobs.job(DEFAULT_FIRM, "job-000000001")

    job = run_virtual(main())

    assert (job.state, job.attempts) == (JobState.DONE, 1)


def test_a_worker_that_lost_its_job_leaves_it_to_the_other() -> None:
    async def main() -> tuple[Job, SyncEngine]:
        store, clock, hanging = MemoryStore(), VirtualClock(START), Hanging.make()
        await fill(store)
        engine = make_engine(store, clock, hanging)
        await engine.start()
        await hanging.begun.wait()
        later = clock.now() + timedelta(hours=1)
        await store.jobs.reap(now=later, most_attempts=8)
        (other,) = await store.jobs.claim(worker="other", now=later, limit=1, lease_seconds=60)
        await pass_time(30)
        held = await store.jobs.job(DEFAULT_FIRM, other.job.job_id)
        await engine.stop()
        return held, engine

    held, engine = run_virtual(main())

    assert (held.state, held.attempts) == (JobState.RUNNING, 2)
    assert engine.counts.lost == 1
