"""The processes of a kill trial: workers under Celery, one that looks for itself, and the scheduler, as they are run.

They differ from `runway worker` and `runway scheduler` by their rail and their clock alone.
"""

import asyncio
import multiprocessing
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from runway_app_http.brokers import JOBS_A_WORD, add_beat, announce_beat
from runway_app_http.logs import configure_logs
from runway_core.ports.broker import WorkDue
from runway_core.runway import Runway
from runway_core.sync.engine import EngineSettings
from runway_queue_celery import CeleryBroker

from tests.kills.broken import STORES
from tests.kills.source import LeapingClock, SourceFactory

KEY = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
AT_ONCE = 4


@dataclass(frozen=True)
class Place:
    """Where a trial is: what every process needs to take part."""

    url: str
    broker_url: str
    folder: Path
    seed: int
    broken: str = ""  # what of the database is used wrongly

    def open_runway(self) -> Runway:
        """A process's own `Runway`."""
        store = STORES[self.broken](self.url, secret_key=KEY)
        return Runway.open(store=store, rails=[SourceFactory(self.folder, self.seed)], clock=LeapingClock(self.folder))


def be(role: str, name: str, place: Place) -> None:
    """Play a part until killed. Everything that is written goes to a file of the trial."""
    os.setsid()
    end_with_parent()
    log = os.open(place.folder / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    configure_logs(level="info", form="json")
    if role == "celery":
        CeleryBroker(place.broker_url).run_worker(lambda: _open_work(name, place), processes=1)
    else:
        asyncio.run(_run_engine(name, place, works=role == "worker"))


def end_with_parent() -> None:
    """End when whoever started this process is gone, so that nothing outlives a trial that was killed itself."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@asynccontextmanager
async def _open_work(name: str, place: Place) -> AsyncIterator[WorkDue]:
    async with place.open_runway() as runway:
        engine = runway.engine(name, settings=EngineSettings(at_once=AT_ONCE), plans=False)

        async def work_due() -> None:
            await engine.run_due(most=JOBS_A_WORD)

        yield work_due


async def _run_engine(name: str, place: Place, *, works: bool) -> None:
    async with place.open_runway() as runway:
        engine = runway.engine(name, settings=EngineSettings(at_once=AT_ONCE), works=works, plans=not works)
        if not works:
            add_beat(engine, announce_beat(runway, CeleryBroker(place.broker_url)))
        await engine.start()
        await asyncio.Event().wait()
