"""What a firm's engine looks at again and again, and what it does: pulls that are due, days that begin, positions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.domain.jobs import Job, Lane, NewJob, Work
from runway_core.services.pacing import PacingService
from runway_core.services.scope import Scope, local_day
from runway_core.sync.engine import Alive, Beat, EngineCounts, EngineSettings, Handler, SyncEngine
from runway_core.sync.pull_work import PullWork
from runway_core.sync.schedule import Intervals, plan_polls
from runway_core.sync.smart_sync import SmartSyncService

LOOK_EVERY = timedelta(minutes=1)
MONTHS_EVERY = timedelta(hours=6)
"""Months of the log are made three ahead, so that one look that fails harms nothing."""

PLAN_AGAIN = timedelta(minutes=1)
POSITION_KEY = "position"


class _Planned(NamedTuple):
    """For which moment a pull was planned, and when."""

    run_at: datetime
    at: datetime


class Keeper:
    """Finds what a firm's companies need, and puts it into the job table."""

    def __init__(self, scope: Scope, intervals: Intervals, pacing: PacingService) -> None:
        self.scope = scope
        self._set_intervals = self._intervals = intervals
        self._pacing = pacing
        self._companies: Mapping[CompanyId, timedelta] = {}
        self._planned: dict[ConnectionId, _Planned] = {}
        self._behind: frozenset[CompanyId] = frozenset()

    async def plan_pulls(self) -> int:
        """Enqueue a pull for each connection that is due; returns how many were added.

        What was planned for a moment is in the table, so it is not planned again for it at every beat; but it is after
        a while, for a job may have ended without a try, as while a rail's breaker is open.
        """
        now = self.scope.clock.now()
        connections = await self.scope.connections()
        intervals = replace(self._intervals, companies=self._companies)
        planned = plan_polls(connections, now=now, intervals=intervals, paused=await self._pacing.paused())
        held, self._planned = self._planned, {}
        fresh: list[NewJob] = []
        for job in planned:
            assert job.connection_id is not None, "a pull is of a connection"
            before = held.get(job.connection_id)
            if before is None or before.run_at != job.run_at or now - before.at >= PLAN_AGAIN:
                before = _Planned(job.run_at, now)
                fresh.append(job)
            self._planned[job.connection_id] = before
        receipt = await self.scope.store.jobs.enqueue(fresh, now=now)
        return receipt.added

    async def pace(self) -> None:
        """Find out how far apart pulls are to be from now on: by what rails tell, and by what quotas leave."""
        self._intervals = await self._pacing.stretch(self._set_intervals, await self.scope.connections())

    async def look_at_companies(self) -> None:
        """Read what companies set for themselves and what quotas leave; enqueue positions that are behind.

        A new day, or a pull that was cut off, leaves a position behind.
        """
        now = self.scope.clock.now()
        await self.pace()
        companies = {one.company_id: one for one in await self.scope.companies()}
        self._companies = {
            company_id: timedelta(minutes=company.settings.pull_minutes)
            for company_id, company in companies.items()
            if company.settings.pull_minutes is not None
        }
        positions = await self.scope.positions()
        begun = {
            held.company_id
            for held in positions
            if held.company_id in companies and held.as_of != local_day(now, companies[held.company_id])
        }
        behind = frozenset(await self.scope.companies_due())
        # A pull that runs leaves its company behind for a moment: only one that stays so is looked after here.
        wanted = begun | (behind & self._behind)
        self._behind = behind
        jobs = [self._make_position(company_id, now) for company_id in sorted(wanted)]
        await self.scope.store.jobs.enqueue(jobs, now=now)

    def _make_position(self, company_id: CompanyId, now: datetime) -> NewJob:
        return NewJob(
            firm_id=self.scope.firm_id,
            company_id=company_id,
            work=Work.POSITION,
            lane=Lane.POLL,
            run_at=now,
            dedupe_key=POSITION_KEY,
        )


def make_engine(
    keeper: Keeper,
    sync: SmartSyncService,
    keep_in_step: Callable[[CompanyId], Awaitable[object]],
    *,
    name: str,
    settings: EngineSettings,
    works: bool,
    plans: bool,
    more_beats: Sequence[Beat] = (),
    more_handlers: Mapping[Work, Handler] | None = None,
) -> SyncEngine:
    """An engine for one firm; `keep_in_step` computes a company's position when it is behind."""
    scope = keeper.scope
    counts = EngineCounts()

    async def compute_position(job: Job, alive: Alive) -> datetime | None:
        del alive
        await keep_in_step(job.company_id)
        return None

    pull = PullWork(scope.store, sync, scope.clock, counts)
    handlers: dict[Work, Handler] = {
        Work.PULL: pull,
        Work.SWEEP: pull,  # a pull that compares everything afterwards
        Work.POSITION: compute_position,
        **(more_handlers or {}),
    }
    engine = SyncEngine(
        queue=scope.store.jobs,
        clock=scope.clock,
        name=name,
        handlers=handlers,
        settings=settings,
        works=works,
        firm_id=scope.firm_id,
        counts=counts,
    )

    async def plan() -> None:
        if await keeper.plan_pulls():
            engine.wake()

    beats: Sequence[Beat] = (
        Beat("companies", LOOK_EVERY, keeper.look_at_companies),
        Beat("pulls", settings.plan_every, plan),
        Beat("log months", MONTHS_EVERY, scope.store.keep_months),
        *more_beats,
    )
    engine.beats = beats if plans else ()
    return engine
