"""An engine killed at any moment loses no job, does none in vain, and says of none that it is done before it is.

Checked after each kill: the mirror is what its log says and the chain holds (I1, I2); each job that was accepted is
waiting, running, done or dead (G7); a connection without open jobs mirrors all that its source held when they came
(G1, G2). At the end everything is mirrored and done (G6), and no change was logged twice (G4).
`RUNWAY_ENGINE_KILLS` sets how many kills; each run draws the same moments for the same number.
"""

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from runway_core.domain.identity import DEFAULT_FIRM, RecordKind
from runway_core.domain.jobs import Lane, NewJob
from runway_core.sync.schedule import make_pull
from runway_store_sql import SqlStore
from runway_store_sql.tables import jobs
from runway_testkit.store_desk import BY, StoreDesk
from sqlalchemy import func, select

from tests.processes import processes
from tests.store.engine_worker import LaterClock, Source, make_engine, open_runway, run

KILLS = int(os.environ.get("RUNWAY_ENGINE_KILLS", "12"))
COMPANIES = 4
MINUTES_A_ROUND = 5  # more than a pull's lease


class Broken(AssertionError):
    """A promise did not hold."""


class Trial:
    """One database, one source, and what was put into the job table."""

    def __init__(self, url: str, folder: Path, *, is_eager: bool = False) -> None:
        self.url = url
        self.folder = folder
        self.source = Source(folder)
        self.is_eager = is_eager
        self.accepted = 0
        self.chance = random.Random(20260302)

    def desks(self, store: SqlStore) -> Sequence[StoreDesk]:
        return [StoreDesk(store, company=f"company-{number}", rail="memory") for number in range(COMPANIES)]

    async def set_up(self) -> None:
        async with SqlStore(self.url) as store:
            for desk in self.desks(store):
                await store.registry.add_company(desk.company, attribution=BY)
                await store.registry.add_connection(desk.connection, attribution=BY)

    async def begin_round(self, minutes: int) -> None:
        """Change the source, then say so: what is enqueued from here on must see it."""
        self.source.change(self.chance.randint(1, 9))
        now = LaterClock(minutes).now()
        async with SqlStore(self.url) as store:
            new: list[NewJob] = [
                make_pull(desk.connection, lane=Lane.WEBHOOK, run_at=now) for desk in self.desks(store)
            ]
            self.accepted += (await store.jobs.enqueue(new, now=now)).added

    async def check(self) -> None:
        async with SqlStore(self.url) as store:
            rows = await store.database.read(
                lambda sql: sql.execute(
                    select(jobs.c.connection_id, jobs.c.state, func.count()).group_by(
                        jobs.c.connection_id, jobs.c.state
                    )
                ).all()
            )
            if sum(row[2] for row in rows) != self.accepted:
                raise Broken(f"{self.accepted} jobs were accepted: {rows}")
            if any(row[1] == "running" and row[2] > 1 for row in rows):
                raise Broken(f"two jobs of one connection run: {rows}")
            open_connections = {row[0] for row in rows if row[1] != "done"}
            for desk in self.desks(store):
                if await desk.read_mirror() != await desk.fold_log():
                    raise Broken(f"the log of {desk.id} does not explain its mirror")
                await desk.check_chain()
                if desk.connection.connection_id not in open_connections:
                    await self.check_mirrored(desk)

    async def check_mirrored(self, desk: StoreDesk) -> None:
        held = await desk.store.mirror.find_records(desk.id, RecordKind.BILL, limit=1000)
        mirrored = {one.record.external_id: one.record.content() for one in held}
        shown = {key.external_id: record.content() for key, record in self.source.ledger().records.items()}
        if mirrored != shown:
            raise Broken(f"{desk.id} has no open job and lacks what its source held when the last one came")

    async def check_log(self) -> None:
        """No change is logged twice: each entry of a record differs from the one before."""
        async with SqlStore(self.url) as store:
            for desk in self.desks(store):
                last: dict[str, bytes] = {}
                async for entry in store.log.entries(desk.id):
                    if entry.draft.kind == RecordKind.BILL.value:
                        if last.get(entry.draft.external_id) == entry.draft.content:
                            raise Broken(f"entry {entry.sequence} of {desk.id} repeats what was logged")
                        last[entry.draft.external_id] = entry.draft.content

    async def drain(self, minutes: int) -> None:
        async with open_runway(self.url, self.folder, minutes) as runway:
            await make_engine(runway, "last").run_due()

    def kill_one(self, minutes: int) -> None:
        context = processes()
        telling, sending = context.Pipe(duplex=False)
        arguments = (self.url, str(self.folder), minutes, self.is_eager, sending)
        process = context.Process(target=run, args=arguments)
        process.start()
        sending.close()
        for _ in range(self.chance.randint(1, 2 * COMPANIES - 1)):
            telling.recv()
        for _ in range(self.chance.randint(0, 300_000)):  # some time, so that the kill meets every part of the work
            pass
        process.kill()
        process.join()

    def run(self, kills: int) -> None:
        asyncio.run(self.set_up())
        for number in range(kills):
            minutes = number * MINUTES_A_ROUND
            asyncio.run(self.begin_round(minutes))
            self.kill_one(minutes)
            asyncio.run(self.check())
        minutes = kills * MINUTES_A_ROUND
        asyncio.run(self.drain(minutes))
        asyncio.run(self.check())
        asyncio.run(self.check_log())
        asyncio.run(self.check_drained(minutes))

    async def check_drained(self, minutes: int) -> None:
        async with SqlStore(self.url) as store:
            depths = await store.jobs.depths(DEFAULT_FIRM, now=LaterClock(minutes).now())
        if any(depths.count(what) for what in ("waiting", "due", "running", "dead")):
            raise Broken(f"not everything is done: {depths}")


def test_an_engine_killed_on_sqlite_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    asyncio.run(SqlStore(url).upgrade())

    Trial(url, tmp_path).run(KILLS)


def test_an_engine_killed_on_postgres_loses_nothing(postgres: Callable[..., str], tmp_path: Path) -> None:
    Trial(postgres(), tmp_path).run(KILLS)


def test_the_checker_finds_an_engine_that_calls_work_done_too_early(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    asyncio.run(SqlStore(url).upgrade())

    with pytest.raises(Broken, match="lacks what its source held"):
        Trial(url, tmp_path, is_eager=True).run(20)
