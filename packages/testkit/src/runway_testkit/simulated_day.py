"""A day of the sync engine in virtual time: the production code over the memory store, with sources that misbehave.

Companies change at random; rails are slow, refuse, fall silent, hang and lose access; webhooks come late or never. What
is measured is how long each change took to be mirrored, from when its source could have shown it, and how many calls a
strict vendor would have metered: those that were answered; one for news, one more for balances where money
moved, two a day for the company itself, and those of comparisons. Equal plans and seeds give equal days:
`DayReport.trace` is a hash of every call and when it was made.
"""

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, Collection, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from msgspec import json
from pydantic import SecretStr
from runway_core.domain.changes import Cause, ChangePage, Cursor
from runway_core.domain.company import Connection
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, RecordKind
from runway_core.errors import RailAccessLost, RailThrottled, RailUnavailable
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.ledger_rail import LedgerRail, RailContext
from runway_core.ports.sweeping import KindRows
from runway_core.services.coverage import CoverageService
from runway_core.services.engines import Keeper, make_engine
from runway_core.services.pacing import PacingService
from runway_core.services.scope import Scope
from runway_core.services.webhooks import WebhookService
from runway_core.sync.engine import Beat, EngineSettings, SyncEngine
from runway_core.sync.health import ServiceSettings
from runway_core.sync.nudges import SETTLE
from runway_core.sync.orchestrator import PullRequest, SyncOrchestrator
from runway_core.sync.schedule import Intervals
from runway_core.sync.smart_sync import SmartSyncService

from runway_testkit.invariants import Violation, find_broken_books, find_differences, say
from runway_testkit.invariants_of_work import find_work_out_of_order
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory
from runway_testkit.memory_store import MemoryStore
from runway_testkit.memory_webhooks import sign_webhook, write_webhook
from runway_testkit.remains import read_memory
from runway_testkit.store_desk import BY, StoreDesk, make_bill
from runway_testkit.virtual_time import VirtualClock, run_virtual

MORNING = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)
KEPT_BILLS = 20
BAD_NEIGHBOURS = ("throttled", "revoked", "hanging", "flooding")
FLOOD_PAGES = 1_000
SWEPT_KINDS = tuple(kind for kind in tuple(RecordKind)[:16] if kind is not RecordKind.COMPANY_INFO)
"""What a ledger shows kind by kind: fifteen kinds, each of one page here."""
_FIRST_LOAD = timedelta(minutes=15)
"""Before the day begins, everything is read once and in peace."""
_DUSK = timedelta(minutes=1)
_SELDOM = timedelta(minutes=10)
"""What an engine does each second or minute: so often here, because each time everyone is looked at."""
_EVENING = timedelta(minutes=45)
"""After it, faults have stopped: everything must be mirrored within this time."""


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What kind of day it is."""

    companies: int = 100
    hours: int = 24
    changes_a_day: int = 12  # of each company; every tenth comes with four more within seconds
    webhooks_lost_percent: int = 0
    silent_from_hour: int | None = None  # from then on no webhook comes any more
    has_trouble: bool = True
    neighbours: tuple[str, ...] = ()  # companies beside them that misbehave all day: of `BAD_NEIGHBOURS`
    at_once: int = 16


@dataclass(frozen=True, slots=True)
class DayReport:
    """How the day went, without the neighbours. Ages are seconds from when a change could be seen to its mirroring."""

    seed: int
    changes: int
    never_mirrored: int
    age_p50: int
    age_p95: int
    age_p99: int
    within_15_minutes_permille: int
    calls: int
    calls_per_company: int
    metered_permille: int  # metered calls of a company in 24 hours, by a thousand
    dead_letters: int
    broken: tuple[str, ...]  # invariants that did not hold at the end
    trace: str
    steps: int

    def forecast(self, *, companies: int, days: int = 30) -> int:
        """The metered calls of so many companies in a month of such days."""
        return self.metered_permille * companies * days // 1000

    @property
    def is_sound(self) -> bool:
        """Whether every change was mirrored in the end and every invariant held."""
        return not self.never_mirrored and not self.broken and not self.dead_letters


@dataclass(slots=True)
class _Source:
    """One company's books at the vendor, what is wrong with it when, and what was mirrored of it."""

    name: str
    ledger: MemoryLedger
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    lost_access: tuple[datetime, datetime] | None = None
    seen_from: list[datetime] = field(default_factory=list)  # by event: when it could be seen
    mirrored_to: int = 0
    metered: int = 0  # calls that were answered
    ages: list[timedelta] = field(default_factory=list)
    is_flooded: bool = False
    company_at: datetime = MORNING  # when the company's own record was read

    def is_out(self, now: datetime) -> bool:
        """Whether it gives no answer."""
        return any(first <= now < last for first, last in self.outages)

    def has_lost_access(self, now: datetime) -> bool:
        """Whether a person must connect it again."""
        return self.lost_access is not None and self.lost_access[0] <= now < self.lost_access[1]

    def change(self, now: datetime, memo: str) -> None:
        """Someone edits a bill."""
        self.ledger.now = max(self.ledger.now, now)
        self.ledger.put(make_bill(str(len(self.ledger.events) % KEPT_BILLS), memo=memo))
        silent = [*self.outages, *([self.lost_access] if self.lost_access is not None else [])]
        self.seen_from.append(max([now, *(last for first, last in silent if first <= now < last)]))

    def mark_mirrored(self, page: ChangePage, now: datetime) -> None:
        """A page was committed."""
        token = json.decode(page.next_cursor.token)
        if token["whole_from"] is None:
            self.ages += [now - since for since in self.seen_from[self.mirrored_to : token["read_to"]]]
            self.mirrored_to = max(self.mirrored_to, token["read_to"])


class _Rail(MemoryRail):
    """A rail of the day."""

    def __init__(self, source: _Source, day: "_Day") -> None:
        super().__init__(source.ledger)
        self._source = source
        self._day = day

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        async with aclosing(super().changes_since(cursor)) as pages:
            async for page in pages:
                await self._day.meet(self._source)
                if self._source.is_flooded and page.is_last and self._day.has_begun:
                    for _ in range(FLOOD_PAGES):
                        await self._day.meet(self._source)
                for _ in range(self._count_more_calls(page)):
                    await self._day.meet(self._source)
                yield page  # what follows runs once it was committed
                self._source.mark_mirrored(page, self._day.clock.now())

    def _count_more_calls(self, page: ChangePage) -> int:
        """What has to be asked besides: balances when money moved, and the company each day."""
        now, calls = self._day.clock.now(), 1 if page.changes else 0
        if now - self._source.company_at >= timedelta(days=1):
            self._source.company_at = now
            calls += 2
        return calls

    @property
    def swept_kinds(self) -> Collection[RecordKind]:
        return SWEPT_KINDS

    async def count_kind(self, kind: RecordKind) -> int:
        await self._day.meet(self._source)
        return await super().count_kind(kind)

    async def read_kind(self, kind: RecordKind) -> AsyncGenerator[KindRows]:
        async for rows in super().read_kind(kind):
            await self._day.meet(self._source)
            yield rows


class _RailFactory(MemoryRailFactory):
    """Opens the sources of the day by name."""

    def __init__(self, day: "_Day") -> None:
        super().__init__()
        self._day = day

    def open(self, context: RailContext) -> LedgerRail:
        return _Rail(self._day.sources[str(context.company_id)], self._day)


class _Day:
    """One day under way."""

    def __init__(self, plan: DayPlan, seed: int) -> None:
        self.plan = plan
        self.seed = seed
        self.chance = random.Random(seed)
        self.morning = MORNING + timedelta(days=seed % 21)  # whose turn it is to be compared differs by the day
        self.clock = VirtualClock(self.morning)
        self.store = MemoryStore()
        self.sources: dict[str, _Source] = {}
        self.connections: dict[str, Connection] = {}
        self.calls = 0
        self.has_begun = False
        self.is_over = False
        self._trace = hashlib.sha256()
        self._tasks: list[asyncio.Task[None]] = []
        numbers = count(1)
        scope = Scope(self.store, self.clock, DEFAULT_FIRM, lambda: f"id-{next(numbers)}")
        rails = RailRegistry([_RailFactory(self)])
        orchestrator = SyncOrchestrator(self.store, rails, self.clock, scope.new_id)
        self.sync = SmartSyncService(
            orchestrator, self.clock, scope.new_id, _compute_nothing, breakers=self.store.breakers
        )
        keeper = Keeper(scope, Intervals(), PacingService(scope, rails, ServiceSettings()))
        self.webhooks = WebhookService(scope, rails)
        self.engine: SyncEngine = make_engine(
            keeper,
            self.sync,
            _compute_no_position,
            name="day",
            settings=EngineSettings(
                at_once=plan.at_once, plan_every=timedelta(seconds=30), look_every=timedelta(seconds=30)
            ),
            works=True,
            plans=True,
        )
        # Nothing computes positions here: to look for those that are behind would find everyone, always.
        self.engine.beats = [
            *(beat for beat in self.engine.beats if beat.name == "pulls"),
            Beat("pace", _SELDOM, keeper.pace),
            *(replace(beat, every=_SELDOM) for beat in CoverageService(scope, rails).beats()),
            *(replace(beat, every=_SELDOM) for beat in self.webhooks.beats()),
        ]
        self.engine.pick_up_to = lambda most: self.chance.randint(0, most)

    def note(self, *what: object) -> None:
        """Add to the trace."""
        self._trace.update(f"{self.clock.now().isoformat()} {what}\n".encode())

    async def meet(self, source: _Source) -> None:
        """One call to a rail, with what may happen to it."""
        self.calls += 1
        self.note("call", source.name)
        await asyncio.sleep(self.chance.uniform(0.05, 0.6))
        if self.has_begun and not self.is_over:
            await self._fail_sometimes(source)
            source.metered += 1  # what is refused or not answered is not

    async def _fail_sometimes(self, source: _Source) -> None:
        now = self.clock.now()
        if source.has_lost_access(now) or source.name == "revoked":
            raise RailAccessLost("access was taken back", rail="memory")
        if source.is_out(now):
            raise RailUnavailable("the source does not answer", rail="memory")
        if source.name == "throttled":
            raise RailThrottled("too many calls", rail="memory", retry_after_seconds=60)
        if source.name == "hanging":
            await asyncio.Event().wait()
        if self.plan.has_trouble:
            await self._meet_trouble()

    async def _meet_trouble(self) -> None:
        drawn = self.chance.random()
        if drawn < 0.0002:
            await asyncio.Event().wait()
        elif drawn < 0.01:
            await asyncio.sleep(self.chance.uniform(10, 40))
        elif drawn < 0.02:
            raise RailThrottled("too many calls", rail="memory", retry_after_seconds=30)
        elif drawn < 0.03:
            raise RailUnavailable("503", rail="memory")

    async def run(self) -> DayReport:
        """Live through it."""
        await self._set_up()
        await self.engine.start()
        await asyncio.sleep(_FIRST_LOAD.total_seconds() / 2)
        for source in self.sources.values():  # as on any day before
            source.change(self.clock.now(), "yesterday")
            if self.chance.randrange(100) >= self.plan.webhooks_lost_percent:
                await self._receive(source, len(source.ledger.events))
        await self.webhooks.give_out()
        await asyncio.sleep(_FIRST_LOAD.total_seconds() / 2)
        self.has_begun = True
        for source in self.sources.values():
            self._begin(self._keep_changing(source))
            if source.lost_access is not None:
                self._begin(self._reconnect(source))
        await asyncio.sleep(self.plan.hours * 3600)
        await self._end(self._tasks)
        self.is_over = True
        await asyncio.sleep(_EVENING.total_seconds())
        await self.engine.stop()
        return await self._report()

    async def _set_up(self) -> None:
        ends = self.morning + _FIRST_LOAD
        length = timedelta(hours=self.plan.hours)
        everyone = self._draw_outages(1, ends, length, longest_minutes=20)
        for name in [*(f"company-{number}" for number in range(self.plan.companies)), *self.plan.neighbours]:
            desk = StoreDesk(self.store, company=name, rail="memory")
            connection = desk.connection.model_copy(update={"settings": {"books": name}, "rail_account": name})
            await self.store.registry.add_company(desk.company, attribution=BY)
            await self.store.registry.add_connection(connection, attribution=BY)
            source = self.sources[name] = _Source(name, MemoryLedger(name=name, now=self.morning))
            source.company_at = self.morning - timedelta(hours=self.chance.uniform(0, 24))
            self.connections[name] = connection
            source.is_flooded = name == "flooding"
            if self.plan.has_trouble and name not in self.plan.neighbours:
                source.outages = [*everyone, *self._draw_outages(2, ends, length, longest_minutes=15)]
                if self.chance.random() < 0.01:
                    source.lost_access = self._draw_span(ends, length, longest_minutes=180)

    def _draw_outages(
        self, a_day: int, start: datetime, length: timedelta, *, longest_minutes: int
    ) -> list[tuple[datetime, datetime]]:
        """So many in 24 hours; in a shorter time each of them with that share of a chance."""
        drawn = [self.chance.random() * 24 < self.plan.hours for _ in range(a_day)]
        return [self._draw_span(start, length, longest_minutes=longest_minutes) for is_there in drawn if is_there]

    def _draw_span(self, start: datetime, length: timedelta, *, longest_minutes: int) -> tuple[datetime, datetime]:
        first = start + timedelta(seconds=self.chance.randint(0, length // timedelta(seconds=1)))
        last = first + timedelta(seconds=self.chance.randint(60, longest_minutes * 60))
        return first, min(last, start + length - _DUSK)  # by then everything is mended, and people have connected again

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    @staticmethod
    async def _end(tasks: "Sequence[asyncio.Task[None]]") -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_changing(self, source: _Source) -> None:
        chance = random.Random(f"{self.seed} {source.name}")
        while True:
            await asyncio.sleep(chance.expovariate(self.plan.changes_a_day / 86_400))
            for place in range(5 if chance.random() < 0.1 else 1):
                await asyncio.sleep(place)
                source.change(self.clock.now(), f"change {len(source.seen_from)}")
                self._announce(source, chance)

    def _announce(self, source: _Source, chance: random.Random) -> None:
        """The rail tells of a change, unless that is lost."""
        if chance.randrange(100) >= self.plan.webhooks_lost_percent and not self._is_silent():
            self._begin(self._tell(source, chance.uniform(0.5, 5)))

    def _is_silent(self) -> bool:
        """Whether webhooks have ceased to come."""
        hour = self.plan.silent_from_hour
        return hour is not None and self.clock.now() >= self.morning + _FIRST_LOAD + timedelta(hours=hour)

    async def _tell(self, source: _Source, late_seconds: float) -> None:
        """A webhook is sent, kept, and within a second turned into a job."""
        place = len(source.ledger.events)
        await asyncio.sleep(late_seconds)
        await self._receive(source, place)
        await asyncio.sleep(self.chance.random())
        await self.webhooks.give_out()
        await asyncio.sleep(SETTLE.total_seconds())
        self.engine.wake()

    async def _receive(self, source: _Source, place: int) -> None:
        """The rail tells of the change that was the last one when there were so many."""
        body = write_webhook(source.name, source.ledger.events[place - 1], name=f"{source.name}-{place}")
        await self.webhooks.receive("memory", sign_webhook(body, "verifier"), body, secrets=[SecretStr("verifier")])

    async def _reconnect(self, source: _Source) -> None:
        """A person connects again, which pulls at once."""
        assert source.lost_access is not None
        await asyncio.sleep((source.lost_access[1] - self.clock.now()).total_seconds())
        desk = StoreDesk(self.store, company=source.name, rail="memory")
        by_person = PullRequest(cause=Cause.PERSON)  # who asks though the rail is left alone
        await self.sync.sync_company(desk.company, [self.connections[source.name]], by_person)

    async def _report(self) -> DayReport:
        told = [source for source in self.sources.values() if source.name not in self.plan.neighbours]
        ages = sorted(age for source in told for age in source.ages)
        in_time = sum(age <= timedelta(minutes=15) for age in ages)
        self.note("end", [(source.name, source.mirrored_to) for source in told], ages)
        loop = asyncio.get_running_loop()
        return DayReport(
            seed=self.seed,
            changes=sum(len(source.seen_from) for source in told),
            never_mirrored=sum(len(source.seen_from) - source.mirrored_to for source in told),
            age_p50=_percentile(ages, 50),
            age_p95=_percentile(ages, 95),
            age_p99=_percentile(ages, 99),
            within_15_minutes_permille=1000 * in_time // max(1, len(ages)),
            calls=self.calls,
            calls_per_company=self.calls // len(self.sources),
            metered_permille=sum(source.metered for source in told) * 24_000 // (self.plan.hours * len(told)),
            dead_letters=len(await self.store.jobs.dead_letters(DEFAULT_FIRM)),
            broken=tuple(say([one]) for one in self._find_broken()),
            trace=self._trace.hexdigest(),
            steps=getattr(loop, "steps", 0),
        )

    def _find_broken(self) -> list[Violation]:
        """What the day left, looked at as after a kill."""
        remains = read_memory(self.store)
        found = [*find_broken_books(remains), *find_work_out_of_order(remains)]
        shown = {
            CompanyId(name): {key: record.content() for key, record in source.ledger.records.items()}
            for name, source in self.sources.items()
            if name not in self.plan.neighbours
        }
        return [*found, *find_differences(remains, shown)]


def _percentile(ages: Sequence[timedelta], percent: int) -> int:
    if not ages:
        return 0
    return ages[min(len(ages) - 1, len(ages) * percent // 100)] // timedelta(seconds=1)


async def _compute_nothing(company_id: CompanyId, has_moved: bool) -> None:
    """Positions are not what the day is about."""


async def _compute_no_position(company_id: CompanyId) -> None:
    """Likewise."""


def live_day(plan: DayPlan, *, seed: int) -> DayReport:
    """Live through one day; a seed that failed fails again in the same way."""
    return run_virtual(_start(plan, seed), seed=seed)


async def _start(plan: DayPlan, seed: int) -> DayReport:
    return await _Day(plan, seed).run()
