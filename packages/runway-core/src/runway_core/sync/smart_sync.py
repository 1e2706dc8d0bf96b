"""The one door to the rails for people and jobs: many companies side by side, each pulled once at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.errors import LeaseHeld, LeaseLost, NotFound, RailError, RunwayError
from runway_core.ports.clock import Clock
from runway_core.sync.orchestrator import PullRequest, SyncOrchestrator
from runway_core.sync.reports import ProgressListener, SyncReport, ignore_progress

COMPANIES_AT_ONCE = 16
"""How many companies are pulled side by side: vendors limit calls per company, so neighbours never wait."""

ROUTINE = PullRequest()
"""The pull that the schedule makes."""

AfterPull = Callable[[CompanyId, bool], Awaitable[object]]
"""What is due after a company's pulls, told whether its mirror moved: its position is kept in step."""


class SmartSyncService:
    """Pulls companies, side by side and within bounds, and has each one's position computed afterwards."""

    def __init__(
        self, orchestrator: SyncOrchestrator, clock: Clock, new_id: Callable[[], str], after: AfterPull
    ) -> None:
        self._orchestrator = orchestrator
        self._clock = clock
        self._new_id = new_id
        self._after = after

    async def sync_company(
        self,
        company: Company,
        connections: Sequence[Connection],
        request: PullRequest = ROUTINE,
        on_progress: ProgressListener = ignore_progress,
    ) -> SyncReport:
        """Pull a company's connections one after the other, then compute its position.

        A connection that another worker is pulling is reported as a run that failed with `lease-held`: its news is on
        the way. One that cannot be opened at all is reported likewise, so that it stops no neighbour.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        runs = [await self._pull(company, connection, request, on_progress) for connection in connections]
        report = SyncReport(company=company, runs=tuple(runs))
        await self._after(company.company_id, report.counts.changed > 0)
        return report

    async def sync_companies(
        self,
        work: Sequence[tuple[Company, Sequence[Connection]]],
        request: PullRequest = ROUTINE,
        on_progress: ProgressListener = ignore_progress,
        at_once: int = COMPANIES_AT_ONCE,
    ) -> Sequence[SyncReport]:
        """Pull many companies side by side, at most `at_once`; reports come in the order of `work`.

        Raises:
            StoreUnavailable: the database does not answer; the other pulls were stopped between pages.
        """
        gate = asyncio.Semaphore(at_once)

        async def one(company: Company, connections: Sequence[Connection]) -> SyncReport:
            async with gate:
                return await self.sync_company(company, connections, request, on_progress)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(company, connections)) for company, connections in work]
        except* RunwayError as failures:
            # The others were stopped with it: callers know one error, with what to do, not a tree of them.
            raise _first_of(failures) from failures
        return [task.result() for task in tasks]

    async def _pull(
        self, company: Company, connection: Connection, request: PullRequest, on_progress: ProgressListener
    ) -> SyncRun:
        try:
            return await self._orchestrator.pull(company, connection, request, on_progress)
        except (LeaseHeld, LeaseLost, RailError, NotFound) as error:
            now = self._clock.now()
            return SyncRun(
                run_id=self._new_id(),
                company_id=company.company_id,
                connection_id=connection.connection_id,
                rail=connection.rail,
                cause=request.cause,
                started_at=now,
                ended_at=now,
                outcome=RunOutcome.FAILED,
                error_code=error.code,
                error=str(error),
            )


def _first_of(failures: BaseExceptionGroup[RunwayError]) -> RunwayError:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
