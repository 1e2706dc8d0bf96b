"""A process with a sync engine that works until it is killed, over a source that outlives it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from runway_core.domain.jobs import ClaimedJob, Job, Work
from runway_core.ports.job_queue import JobQueue
from runway_core.ports.ledger_rail import LedgerRail, RailContext
from runway_core.runway import Runway
from runway_core.sync.engine import Alive, EngineSettings, Handler, SyncEngine
from runway_store_sql import SqlStore
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory
from runway_testkit.store_desk import START, make_bill

PAGE_SIZE = 4
KEPT_BILLS = 11


class Source:
    """Books that follow from how often they were changed, which a file says."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "changes"

    @property
    def changes(self) -> int:
        return int(self._file.read_text()) if self._file.exists() else 0

    def change(self, times: int) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self.changes + times))
        fresh.replace(self._file)

    def ledger(self) -> MemoryLedger:
        ledger = MemoryLedger(now=START - timedelta(days=1))
        for number in range(self.changes):
            ledger.put(make_bill(str(number % KEPT_BILLS), memo=f"change {number}"))
        return ledger


class SourceFactory(MemoryRailFactory):
    """Opens the source as it stands."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def open(self, context: RailContext) -> LedgerRail:
        del context
        return MemoryRail(self._source.ledger(), page_size=PAGE_SIZE)


class LaterClock:
    """A clock that stands so many minutes after the start: after the leases of all workers before."""

    def __init__(self, minutes: int) -> None:
        self._now = START + timedelta(minutes=minutes)

    def now(self) -> datetime:
        return self._now


class EagerQueue:
    """A job table used wrongly: a job is called done before its work is. Here for the checker to find."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue: Any = queue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    async def claim(self, *, now: datetime, **asked: Any) -> Sequence[ClaimedJob]:
        claims: Sequence[ClaimedJob] = await self._queue.claim(now=now, **asked)
        for claim in claims:
            await self._queue.finish(claim, now=now)
        return claims

    async def finish(self, claim: ClaimedJob, *, now: datetime) -> None:
        """It was said before."""


def tell(handler: Handler, sending: Connection) -> Handler:
    """The same handler, telling the parent when its work begins and is done."""

    async def work(job: Job, alive: Alive) -> datetime | None:
        sending.send("begun")
        again_at = await handler(job, alive)
        sending.send("done")
        return again_at

    return work


def open_runway(url: str, folder: Path, minutes: int) -> Runway:
    return Runway.open(store=SqlStore(url), rails=[SourceFactory(Source(folder))], clock=LaterClock(minutes))


def make_engine(runway: Runway, name: str) -> SyncEngine:
    return runway.engine(name, settings=EngineSettings(at_once=3, look_every=timedelta(milliseconds=20)), plans=False)


async def work_until_killed(url: str, folder: Path, minutes: int, *, is_eager: bool, sending: Connection) -> None:
    async with open_runway(url, folder, minutes) as runway:
        engine = make_engine(runway, f"worker {minutes}")
        engine.handlers = {**engine.handlers, Work.PULL: tell(engine.handlers[Work.PULL], sending)}
        if is_eager:
            engine.queue = cast("JobQueue", EagerQueue(engine.queue))
        await engine.start()
        await asyncio.Event().wait()


def run(url: str, folder: str, minutes: int, is_eager: bool, sending: Connection) -> None:
    asyncio.run(work_until_killed(url, Path(folder), minutes, is_eager=is_eager, sending=sending))
