"""Rounds of kills under load: worker, scheduler, Redis and PostgreSQL end at random instants, and everything must hold.

A round: companies' books change and their rail says so, all processes work, one of them is killed, started again, and
what the database holds at that moment is checked. Then the clock leaps by more than any lease, so that whatever the
dead held is taken over, also from those who live: they are found to be late. Every few rounds nothing more happens
until all is done, and then mirror and sources must agree as well.

The moments and victims of a seed are the same each time; what the processes did up to there is not.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from pydantic import SecretStr
from runway_core.domain.call_budget import CallWindow
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey
from runway_core.domain.jobs import JobState
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.position import Position
from runway_core.domain.webhooks import DeliveryKey
from runway_core.errors import StoreUnavailable
from runway_core.runway import Runway
from runway_store_sql import SqlStore
from runway_testkit.invariants import (
    Version,
    Violation,
    find_broken_books,
    find_cursors_gone_back,
    find_differences,
    find_place,
    find_uncovered_cursors,
)
from runway_testkit.invariants_of_edges import (
    compute_anew,
    find_inexact_amounts,
    find_overruns,
    find_secrets,
    find_strangers,
    find_unequal_totals,
    find_wrong_positions,
)
from runway_testkit.invariants_of_work import News, find_lost_jobs, find_lost_news, find_work_out_of_order
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.remains import Remains

from tests.kills.actors import Place, be
from tests.kills.servers import PostgresServer
from tests.kills.source import WINDOWS, CallRecord, LeapingClock, Source, name_canary
from tests.kills.sql_remains import SqlReader
from tests.processes import processes
from tests.queue.conftest import RedisServer

ACTORS = {"celery-1": "celery", "celery-2": "celery", "worker": "worker", "scheduler": "scheduler"}
WORKERS = ("celery-1", "celery-2", "worker")
VICTIMS = ("a worker", "scheduler", "redis", "postgres")
CALM_VICTIMS = VICTIMS[1:3]  # beside these a worker sleeps, as on a machine that is suspended, and wakes up late
LEAP_SECONDS = 150  # more than the lease of a pull
SIGNING = "signing-canary-77f0"
TOKEN = "token-canary-5c1e"
STANDSTILL_SECONDS = 1.5
PATIENCE_SECONDS = 300


@dataclass
class Figures:
    """What happened in a trial."""

    kills: Counter[str] = field(default_factory=Counter)
    kills_under_load: int = 0  # while jobs ran
    acknowledged: int = 0
    unanswered: int = 0  # deliveries that met no database, and are the rail's to send again
    changes: int = 0
    entries: int = 0
    jobs: int = 0
    retaken: int = 0  # jobs that were taken more than once
    dead: int = 0
    sleeps: int = 0  # of workers, for longer than their leases
    revived: int = 0  # processes that ended by themselves
    calls: int = 0
    checks: int = 0
    drains: list[float] = field(default_factory=list)  # seconds until all was done
    seconds: float = 0.0


class Trial:
    """One database, one Redis, four processes, and the companies whose books they keep."""

    def __init__(self, folder: Path, *, seed: int, companies: int, broken: str = "", nap_seconds: float = 2.0) -> None:
        self.folder = folder
        self.seed = seed
        self.chance = random.Random(seed)
        self.nap_seconds = nap_seconds
        self.clock = LeapingClock(folder)
        self.postgres = PostgresServer(folder)
        (folder / "redis").mkdir()
        self.redis = RedisServer(folder / "redis")
        self.place = Place(self.postgres.url, self.redis.url, folder, seed, broken)
        self.sources = {f"company-{number}": Source(folder, f"company-{number}", seed) for number in range(companies)}
        self.ids: dict[str, CompanyId] = {}
        self.connections: dict[ConnectionId, str] = {}
        self.acknowledged: dict[DeliveryKey, News] = {}
        self.violations: list[Violation] = []
        self.figures = Figures()
        self.before: Remains | None = None
        self._actors: dict[str, BaseProcess] = {}
        self._context = processes()
        self._runway: Runway = replace(self.place, broken="").open_runway()

    @property
    def store(self) -> SqlStore:
        """The trial's own way into the database."""
        store = self._runway.scope.store
        assert isinstance(store, SqlStore)
        return store

    def run(self, rounds: int, *, settle_every: int, on_round: Callable[[int, str], None] = lambda *_: None) -> None:
        """Live through so many rounds; `violations` has what was found broken."""
        began = time.monotonic()
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live(rounds, settle_every, on_round))
        finally:
            self.figures.seconds = time.monotonic() - began
            for name in self._actors:
                self._end(name)
            self.redis.kill()
            self.postgres.close()

    async def _live(self, rounds: int, settle_every: int, on_round: Callable[[int, str], None]) -> None:
        await SqlStore(self.place.url).upgrade()
        async with self._runway:
            self.reader = SqlReader(self.store)
            await self._connect_companies()
            for name in ACTORS:
                self._begin(name)
            await self._settle()
            for number, victim in enumerate(self._pick_victims(rounds), start=1):
                await self._live_through_a_round(victim)
                on_round(number, victim)
                if self.place.broken and self.violations:
                    break
                if number % settle_every == 0 or number == rounds:
                    await self._settle()
            self._count(self.before or await self._look())

    async def _connect_companies(self) -> None:
        for name, source in self.sources.items():
            source.change(self.chance.randint(5, 30))
            company = await self._runway.companies.add(name, home_currency="USD", time_zone="America/Chicago")
            connection = await self._runway.connections.add(
                company.company_id,
                rail="memory",
                settings={"books": name},
                secrets={"token": SecretStr(f"{TOKEN} of {name}")},
            )
            self.ids[name] = company.company_id
            self.connections[connection.connection_id] = name

    def _pick_victims(self, rounds: int) -> Sequence[str]:
        """Each kind in every four rounds, in an order drawn by the seed."""
        picked: list[str] = []
        while len(picked) < rounds:
            picked += self.chance.sample(VICTIMS, len(VICTIMS))
        return [self.chance.choice(WORKERS) if victim == VICTIMS[0] else victim for victim in picked[:rounds]]

    # --- a round ---

    async def _live_through_a_round(self, victim: str) -> None:
        self._revive()
        until = asyncio.Event()
        load = asyncio.create_task(self._keep_changing(until))
        await asyncio.sleep(self.chance.uniform(0.05, 1.0))
        sleeper = self.chance.choice(WORKERS) if victim in CALM_VICTIMS else None
        self._tell(sleeper, signal.SIGSTOP)
        self.figures.kills[VICTIMS[0] if victim in WORKERS else victim] += 1
        await asyncio.to_thread(self._kill, victim)
        await asyncio.sleep(self.chance.uniform(0.0, 0.2))
        await asyncio.to_thread(self._start_again, victim)
        remains = await self._look()
        self.figures.kills_under_load += any(held.job.state is JobState.RUNNING for held in remains.jobs)
        if sleeper is not None:
            await self._wake_later(sleeper)
        until.set()
        await load
        self.clock.leap(LEAP_SECONDS)

    async def _wake_later(self, sleeper: str) -> None:
        """A worker slept beyond its leases: others have taken over when it goes on."""
        self.figures.sleeps += 1
        self.clock.leap(LEAP_SECONDS)
        await asyncio.sleep(self.nap_seconds)
        await self._look()
        self._tell(sleeper, signal.SIGCONT)
        await asyncio.sleep(self.nap_seconds / 4)
        await self._look()

    def _tell(self, name: str | None, what: signal.Signals) -> None:
        process = None if name is None else self._actors[name]
        if process is not None and process.pid is not None and process.is_alive():
            os.kill(process.pid, what)

    def _kill(self, victim: str) -> None:
        if victim == "redis":
            self.redis.kill()
        elif victim == "postgres":
            self.postgres.kill()
        else:
            self._end(victim)

    def _start_again(self, victim: str) -> None:
        if victim == "redis":
            self.redis.start()
        elif victim == "postgres":
            self.postgres.start()
        else:
            self._begin(victim)

    def _begin(self, name: str) -> None:
        process = self._context.Process(target=be, args=(ACTORS[name], name, self.place))
        process.start()
        self._actors[name] = process

    def _revive(self) -> None:
        """Start again who ended by himself, as a supervisor does: whoever finds no database at its start ends."""
        for name in [name for name, process in self._actors.items() if not process.is_alive()]:
            self.figures.revived += 1
            self._begin(name)

    def _end(self, name: str) -> None:
        process = self._actors[name]
        process.kill()
        process.join()

    async def _keep_changing(self, until: asyncio.Event) -> None:
        """Edit books, and say so as the rail does: sometimes twice, sometimes not at all."""
        chance = random.Random(self.chance.random())
        while not until.is_set():
            name = chance.choice(sorted(self.sources))
            source, times = self.sources[name], chance.randint(1, 6)
            source.change(times)
            self.figures.changes += times
            for _ in range(chance.choice((0, 1, 1, 1, 2))):
                await self._deliver(name)
            await asyncio.sleep(chance.uniform(0.01, 0.12))

    async def _deliver(self, name: str) -> None:
        ledger = self.sources[name].ledger
        place = len(ledger.events)
        key, version = ledger.events[-1], ledger.versions[-1]
        assert version is not None
        delivery = f"{name}-{place}"
        body = write_webhook(name, key, name=delivery)
        try:
            await self._runway.webhooks.receive(
                "memory", sign_webhook(body, SIGNING), body, secrets=[SecretStr(SIGNING)]
            )
        except StoreUnavailable:
            self.figures.unanswered += 1
        else:
            self.acknowledged[DeliveryKey("memory", delivery)] = News(self.ids[name], {key: version})

    # --- looking ---

    async def _look(self) -> Remains:
        """Check all that holds at every moment, on one snapshot."""
        acknowledged = dict(self.acknowledged)  # what is acknowledged from here on need not be in it
        remains = await _again(self.reader.read)
        found = find_broken_books(remains)
        found += find_work_out_of_order(remains)
        found += find_lost_news(remains, acknowledged, self._was_deleted)
        found += find_inexact_amounts(remains)
        places = _find_places(remains)
        promised = {one: self.sources[self.connections[one]].ledger.versions_at(place) for one, place in places.items()}
        found += find_uncovered_cursors(remains, promised, self._was_deleted)
        if self.before is not None:
            found += find_lost_jobs(self.before, remains)
            found += find_cursors_gone_back(_find_places(self.before), places)
        windows = [CallWindow(window.calls, int(1000 * window.seconds)) for window in WINDOWS]
        found += find_overruns({"memory/app": CallRecord(self.folder).read()}, windows)
        self.before = remains
        self.violations += found
        self.figures.checks += 1
        return remains

    async def _settle(self) -> None:
        """Nothing more happens: wait until all is done, then compare with the sources and look everywhere."""
        began = moved = time.monotonic()
        seen: object = None
        while not self._is_quiet(remains := await self._look()):
            assert time.monotonic() - began < PATIENCE_SECONDS, "it does not come to rest"
            self._revive()
            stands = [(held.job.job_id, held.job.state, held.job.attempts) for held in remains.jobs]
            if seen != (stands, places := _find_places(remains)):
                seen, moved = (stands, places), time.monotonic()
            elif time.monotonic() - moved > STANDSTILL_SECONDS:  # what is left is held by the dead, or is for later
                self.clock.leap(LEAP_SECONDS)
                moved = time.monotonic()
            await asyncio.sleep(0.2)
        self.figures.drains.append(time.monotonic() - began)
        ledgers = {self.ids[name]: source.ledger for name, source in self.sources.items()}
        shown = {one: {k: r.content() for k, r in held.records.items()} for one, held in ledgers.items()}
        found = list(find_differences(remains, shown))
        found += find_unequal_totals(remains, {one: list(held.records.values()) for one, held in ledgers.items()})
        found += find_wrong_positions(remains, {one: await self._recompute(remains, one) for one in ledgers})
        found += find_strangers(
            {one: await self._show(one) for one in ledgers},
            {one: name_canary(name).encode() for name, one in self.ids.items()},
        )
        logs = {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.log"))}
        texts = await self.reader.dump() | logs | {"postgres": self.postgres.read_log()}
        found += find_secrets(texts, [TOKEN.encode(), SIGNING.encode()])
        self.violations += found
        self.reader.forget()

    def _was_deleted(self, company_id: CompanyId, key: RecordKey, version: Version) -> bool:
        (name,) = (name for name, one in self.ids.items() if one == company_id)
        return self.sources[name].ledger.was_deleted(key, version)

    def _is_quiet(self, remains: Remains) -> bool:
        """Whether all that is due is done: nothing waits or runs, and every company was read to its end."""
        busy = [h for h in remains.jobs if h.job.state in (JobState.WAITING, JobState.RUNNING)]
        unread = [delivery for delivery in remains.deliveries if delivery.read_at is None]
        places = _find_places(remains)
        behind = [n for c, n in self.connections.items() if places.get(c, -1) < len(self.sources[n].ledger.events)]
        due = [one for one in remains.companies.values() if one.is_due or one.position is None]
        return not (busy or unread or behind or due)

    async def _recompute(self, remains: Remains, company_id: CompanyId) -> Position:
        held = remains.companies[company_id].position
        books = await self._runway.books.read(company_id, as_of=None if held is None else held.as_of)
        return compute_anew(books, await self.store.positions.findings(company_id))

    async def _show(self, company_id: CompanyId) -> bytes:
        """All that a company's readers are shown."""
        store, firm_id = self.store, self._runway.scope.firm_id
        found = [
            held for kind in RECORD_CLASSES for held in await store.mirror.find_records(company_id, kind, limit=1000)
        ]
        entries = [entry.canonical async for entry in store.log.entries(company_id)]
        told: Sequence[object] = (
            await store.registry.runs(firm_id, company_id, limit=1000),
            await store.registry.connections(firm_id, company_id),
            await store.positions.findings(company_id),
            await store.positions.position(firm_id, company_id),
        )
        return b"\n".join(
            [*(h.record.content() for h in found), *(h.raw for h in found), *entries, repr(told).encode()]
        )

    def _count(self, remains: Remains) -> None:
        figures = self.figures
        figures.acknowledged = len(self.acknowledged)
        figures.entries = sum(len(company.entries) for company in remains.companies.values())
        figures.jobs = len(remains.jobs)
        figures.retaken = sum(held.job.attempts > 1 for held in remains.jobs)
        figures.dead = sum(held.job.state is JobState.DEAD for held in remains.jobs)
        figures.calls = len(CallRecord(self.folder).read())


def _find_places(remains: Remains) -> dict[ConnectionId, int]:
    """How far each connection was read; those are absent that are within a whole reading."""
    tokens = [pair for company in remains.companies.values() for pair in company.cursors.items()]
    return {connection_id: place for connection_id, token in tokens if (place := find_place(token)) is not None}


async def _again(read: Callable[[], Awaitable[Remains]]) -> Remains:
    """Read though a server that was killed has left dead lines behind."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await read()
        except StoreUnavailable:
            assert time.monotonic() < until, "the database did not come back"
            await asyncio.sleep(0.05)
