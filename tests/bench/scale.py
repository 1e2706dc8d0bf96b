"""How many companies stay fresh on PostgreSQL: how long one round of polls takes, with one worker and with two.

All companies become due at one moment, because the clock leaps by a quarter of an hour; what is measured is how long it
takes until each was pulled. So many rounds as fit into a quarter of an hour, so many times the companies stay fresh.
"""

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runway_core.domain.log_entry import to_microseconds
from runway_core.runway import Runway
from runway_core.sync.schedule import INTERVAL
from runway_store_sql import SqlStore
from runway_store_sql.tables import connections
from sqlalchemy import func, select

from tests.bench.machine import print_table
from tests.bench.scale_graph import draw_graph
from tests.bench.scale_worker import Place, be
from tests.kills.servers import PostgresServer
from tests.kills.source import LeapingClock

AT_ONCE = 32
ROUNDS = 3
PATIENCE_SECONDS = 600
TICKS = os.sysconf("SC_CLK_TCK")
GRAPH = Path("build") / "scale.svg"


@dataclass(frozen=True)
class Round:
    """One round of pulls of all companies; processor seconds of the workers, and of PostgreSQL and the scheduler."""

    companies: int
    workers: int
    seconds: float
    worker_seconds: float
    other_seconds: float

    @property
    def pulls_a_second(self) -> float:
        """As measured."""
        return self.companies / self.seconds

    @property
    def stay_fresh(self) -> int:
        """How many companies are pulled within the interval at this speed."""
        return int(self.pulls_a_second * INTERVAL.total_seconds())

    @property
    def fit_two_cores(self) -> int:
        """How many would be by processor time alone: one core a worker, two for all."""
        by_workers = self.companies * self.workers / self.worker_seconds
        by_all = self.companies * 2 / (self.worker_seconds + self.other_seconds)
        return int(min(by_workers, by_all) * INTERVAL.total_seconds())


def measure_scale(*, sizes: Sequence[int]) -> None:
    """Add companies up to each size, and measure rounds of all of them with one worker and with two."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        server = PostgresServer(folder, waits_for_disk=True)
        try:
            rounds = asyncio.run(_measure(server, folder, sizes))
        finally:
            server.close()
    rows = [
        (
            str(one.workers),
            f"{one.companies:,}",
            f"{one.seconds:.1f} s",
            f"{one.pulls_a_second:.0f}",
            f"{one.stay_fresh:,}",
            f"{1000 * one.worker_seconds / one.companies:.1f} ms",
            f"{1000 * one.other_seconds / one.companies:.1f} ms",
            f"{one.fit_two_cores:,}",
        )
        for one in rounds
    ]
    columns = (
        *("workers", "companies", "one round", "pulls/s", "stay fresh", "worker's time a pull", "others'"),
        "by processor time, 2 cores",
    )
    print_table("Companies that stay fresh, a poll each 15 minutes, one in eight with a change", columns, rows)
    GRAPH.parent.mkdir(exist_ok=True)
    points = {n: [(one.companies, one.seconds) for one in rounds if one.workers == n] for n in (1, 2)}
    GRAPH.write_text(draw_graph(points, limit_seconds=INTERVAL.total_seconds()), encoding="utf-8")
    print(f"drawn into {GRAPH}")


async def _measure(server: PostgresServer, folder: Path, sizes: Sequence[int]) -> list[Round]:
    await SqlStore(server.url).upgrade()
    clock = LeapingClock(folder)
    place = Place(server.url, folder, to_microseconds(clock.now()))
    found: list[Round] = []
    async with place.open_runway() as runway:
        held = 0
        for size in sizes:
            for number in range(held, size):
                company = await runway.companies.add(f"Company {number}", home_currency="USD", time_zone="UTC")
                await runway.connections.add(
                    company.company_id, rail="memory", settings={"books": f"books-{number}"}, secrets={}
                )
            held = size
            for workers in (1, 2):
                with _processes(place, workers) as pids:
                    await _wait_for_all(runway, size, clock.now())  # those that are new are read, all are at rest
                    rounds = [await _live_round(runway, clock, pids, (size, workers, server)) for _ in range(ROUNDS)]
                found.append(sorted(rounds, key=lambda one: one.seconds)[ROUNDS // 2])
    return found


@contextmanager
def _processes(place: Place, workers: int) -> Iterator[Mapping[str, int]]:
    """A scheduler and so many workers; yields their process ids by name."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.scale_worker"])
    names = ["scheduler", *(f"worker {number}" for number in range(workers))]
    processes = {name: context.Process(target=be, args=(name, place, AT_ONCE)) for name in names}
    for process in processes.values():
        process.start()
    try:
        yield {name: process.pid or 0 for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.join()


async def _live_round(
    runway: Runway, clock: LeapingClock, pids: Mapping[str, int], what: tuple[int, int, PostgresServer]
) -> Round:
    size, workers, server = what
    of_workers = [pid for name, pid in pids.items() if name != "scheduler"]
    before = _processor_seconds(of_workers), _processor_seconds([pids["scheduler"], *server.family()])
    began = time.perf_counter()
    clock.leap(int(INTERVAL.total_seconds()))
    await _wait_for_all(runway, size, clock.now())
    seconds = time.perf_counter() - began
    after = _processor_seconds(of_workers), _processor_seconds([pids["scheduler"], *server.family()])
    return Round(size, workers, seconds, after[0] - before[0], after[1] - before[1])


async def _wait_for_all(runway: Runway, size: int, since: datetime) -> None:
    """Until every company was pulled since a moment, less the quarter of an hour of its own."""
    store = runway.scope.store
    assert isinstance(store, SqlStore)
    query = select(func.count()).where(connections.c.last_success_at > to_microseconds(since - INTERVAL))
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if await store.database.read(lambda connection: connection.scalar(query)) == size:
            return
        await asyncio.sleep(0.25)
    raise TimeoutError("not every company was pulled in time")


def _processor_seconds(pids: Sequence[int]) -> float:
    """What processes have used so far, with their children that ended."""
    used = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used += sum(map(int, fields[11:15]))
    return used / TICKS
