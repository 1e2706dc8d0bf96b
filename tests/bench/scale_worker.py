"""The processes of the scale measurement: workers and a scheduler; books change by the clock alone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.log_entry import from_microseconds
from runway_core.ports.ledger_rail import LedgerRail, RailContext
from runway_core.runway import Runway
from runway_core.sync.engine import EngineSettings
from runway_core.sync.schedule import find_phase
from runway_store_sql import SqlStore
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory, MemorySettings
from runway_testkit.store_desk import make_account, make_bill

from tests.bench.machine import SECRET_KEY
from tests.kills.actors import end_with_parent
from tests.kills.source import LeapingClock

BILLS = 40
ANSWERS_AFTER_SECONDS = 0.25
CHANGES_EVERY = timedelta(hours=2)  # of a company, so that one poll of eight brings something


@dataclass(frozen=True)
class Place:
    """What each process needs to take part. `began` is in microseconds since 1970."""

    url: str
    folder: Path
    began: int
    key: str = SECRET_KEY

    def open_runway(self) -> Runway:
        """A process's own `Runway`."""
        factory = ScaleFactory(from_microseconds(self.began))
        clock = LeapingClock(self.folder)
        return Runway.open(store=SqlStore(self.url, secret_key=self.key), rails=[factory], clock=clock)


class ScaleRail(MemoryRail):
    """Books at a vendor that answers as vendors do: after a while."""

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        async with aclosing(super().changes_since(cursor)) as pages:
            async for page in pages:
                await asyncio.sleep(ANSWERS_AFTER_SECONDS)
                yield page


class ScaleFactory(MemoryRailFactory):
    """Opens books as they stand at this time; every process finds the same."""

    def __init__(self, began: datetime) -> None:
        super().__init__()
        self._began = began

    def open(self, context: RailContext) -> LedgerRail:
        name = MemorySettings.model_validate(dict(context.settings)).books
        ledger = self.ledgers.get(name)
        if ledger is None:
            ledger = self.ledgers[name] = MemoryLedger(name=name, now=self._began - timedelta(days=1))
            ledger.put(make_account(), *(make_bill(str(number), memo=name) for number in range(BILLS)))
        passed = context.clock.now() - self._began + find_phase(name, CHANGES_EVERY)
        wanted = BILLS + 1 + passed // CHANGES_EVERY
        while len(ledger.events) < wanted:
            number = len(ledger.events)
            ledger.put(make_bill(str(number % BILLS), memo=f"change {number}"))
        return ScaleRail(ledger)


def be(name: str, place: Place, at_once: int) -> None:
    """Plan, if that is the name, or work, until killed."""
    end_with_parent()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors alone

    async def work() -> None:
        async with place.open_runway() as runway:
            plans = name == "scheduler"
            engine = runway.engine(name, settings=EngineSettings(at_once=at_once), works=not plans, plans=plans)
            await engine.start()
            await asyncio.Event().wait()

    asyncio.run(work())
