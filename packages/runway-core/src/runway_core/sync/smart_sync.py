"""The one door to the rails for people and jobs: many companies side by side, each pulled once at a time.

What people ask for at the same moment is done once. A rail that keeps not answering costs nothing but a look at its
breaker: the run is reported as failed, the labelled mirror answers.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.breakers import BreakerKey
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.errors import LeaseHeld, LeaseLost, NotFound, RailError, RailUnavailable, RunwayError
from runway_core.ports.breakers import Breakers
from runway_core.ports.clock import Clock
from runway_core.sync.freshness import CRITICAL_KINDS, USUAL_TIME_TO_LIVE, Freshness, TimeToLive, find_overdue
from runway_core.sync.orchestrator import PullRequest, SyncOrchestrator
from runway_core.sync.reports import ProgressListener, SyncReport, ignore_progress

COMPANIES_AT_ONCE = 16
"""How many companies are pulled side by side: vendors limit calls per company, so neighbours never wait."""

ROUTINE = PullRequest()
"""The pull that the schedule makes."""

FOR_A_READER = PullRequest(cause=Cause.PERSON)
"""The pull that a reader waits for."""


@dataclass(slots=True)
class Flight:
    """A pull that one person or several wait for."""

    task: "asyncio.Task[SyncReport]"
    waiting: int = 0


FlightKey = tuple[CompanyId, tuple[ConnectionId, ...], bool, bool, bool, tuple[RecordKey, ...]]
Flights = dict[FlightKey, Flight]
"""Pulls under way that people wait for; shared by whoever works on one store in one process."""


AfterPull = Callable[[CompanyId, bool], Awaitable[object]]
"""What is due after a company's pulls, told whether its mirror moved: its position is kept in step."""


class SmartSyncService:
    """Pulls companies, side by side and within bounds, and has each one's position computed afterwards."""

    def __init__(
        self,
        orchestrator: SyncOrchestrator,
        clock: Clock,
        new_id: Callable[[], str],
        after: AfterPull,
        *,
        breakers: Breakers | None = None,
        time_to_live: TimeToLive = USUAL_TIME_TO_LIVE,
        flights: Flights | None = None,
    ) -> None:
        self._orchestrator = orchestrator
        self._clock = clock
        self._new_id = new_id
        self._after = after
        self._breakers = breakers
        self._time_to_live = time_to_live
        self._flights = {} if flights is None else flights

    async def freshen(
        self,
        company: Company,
        connections: Sequence[Connection],
        freshness: Freshness,
        *,
        kinds: Collection[RecordKind] = CRITICAL_KINDS,
    ) -> SyncReport | None:
        """Pull what a reader of these kinds wants pulled first; `None` when the mirror is fresh enough for it.

        A rail's trouble is in the report, never raised: the labelled mirror answers.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if freshness is Freshness.CACHED_OK:
            return None
        if freshness is Freshness.WITHIN_TTL:
            connections = find_overdue(connections, kinds, self._clock.now(), self._time_to_live)
        if not connections:
            return None
        return await self.sync_company(company, connections, FOR_A_READER)

    async def sync_company(
        self,
        company: Company,
        connections: Sequence[Connection],
        request: PullRequest = ROUTINE,
        on_progress: ProgressListener = ignore_progress,
    ) -> SyncReport:
        """Pull a company's connections one after the other, then compute its position.

        A connection that another worker is pulling is reported as a run that failed with `lease-held`: its news is on
        the way. One that cannot be opened at all is reported likewise, so that it stops no neighbour. Equal requests of
        people that are under way are one pull: whoever comes later waits for it.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if request.cause is not Cause.PERSON:
            return await self._sync_company(company, connections, request, on_progress)
        ids = tuple(connection.connection_id for connection in connections)
        key = (company.company_id, ids, request.full, request.accept_missing, request.sweep, request.read_again)
        flight = self._flights.get(key)
        if flight is None:
            work = self._sync_company(company, connections, request, on_progress)
            flight = self._flights[key] = Flight(asyncio.create_task(work))
            flight.task.add_done_callback(lambda _: self._take_off(key, flight))
        return await self._wait_for(key, flight)

    def _take_off(self, key: FlightKey, flight: Flight) -> None:
        """Nobody joins this pull any more; another that began since under the same key stays."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _wait_for(self, key: FlightKey, flight: Flight) -> SyncReport:
        """Wait with others for one pull; who goes away last stops it, and who comes while it stops begins another."""
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.waiting == 1 and not flight.task.done():
                self._take_off(key, flight)
                flight.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await flight.task
            raise
        finally:
            flight.waiting -= 1

    async def _sync_company(
        self,
        company: Company,
        connections: Sequence[Connection],
        request: PullRequest,
        on_progress: ProgressListener,
    ) -> SyncReport:
        runs: list[SyncRun] = []
        ask_again_at: datetime | None = None
        for connection in connections:
            try:
                await self._ask_breakers(connection, request)
                runs.append(await self._pull(company, connection, request, on_progress))
            except _LeftAloneError as left_alone:
                runs.append(self._failed_run(connection, request, left_alone.error))
                ask_again_at = max(ask_again_at or left_alone.until, left_alone.until)
        report = SyncReport(company=company, runs=tuple(runs), ask_again_at=ask_again_at)
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
        except BaseExceptionGroup as failures:
            # The others were stopped with it: callers know one error, with what to do, not a tree of them. (`except*`
            # would wrap what is raised here into a group again, on Python up to 3.11.3.)
            known, others = failures.split(RunwayError)
            if others is not None or known is None:
                raise
            raise _first_of(known) from failures
        return [task.result() for task in tasks]

    async def _pull(
        self, company: Company, connection: Connection, request: PullRequest, on_progress: ProgressListener
    ) -> SyncRun:
        try:
            run = await self._orchestrator.pull(company, connection, request, on_progress)
            await self._tell_breakers(connection, run)
        except (LeaseHeld, LeaseLost, RailError, NotFound) as error:
            return self._failed_run(connection, request, error)
        return run

    def _failed_run(self, connection: Connection, request: PullRequest, error: RunwayError) -> SyncRun:
        """A pull that did not even begin; it is reported and not kept."""
        now = self._clock.now()
        return SyncRun(
            run_id=self._new_id(),
            company_id=connection.company_id,
            connection_id=connection.connection_id,
            rail=connection.rail,
            cause=request.cause,
            started_at=now,
            ended_at=now,
            outcome=RunOutcome.FAILED,
            error_code=error.code,
            error=str(error),
        )

    async def _ask_breakers(self, connection: Connection, request: PullRequest) -> None:
        if self._breakers is None:
            return
        is_live = request.cause is Cause.PERSON
        admission = await self._breakers.admit(_breakers_of(connection), now=self._clock.now(), is_live=is_live)
        if admission.until is not None and not admission.is_open:
            raise _LeftAloneError(connection.rail, admission.until)

    async def _tell_breakers(self, connection: Connection, run: SyncRun) -> None:
        if self._breakers is not None:
            failed = connection.connection_id if run.error_code == RailUnavailable.code else None
            await self._breakers.note(_breakers_of(connection), failed=failed, now=self._clock.now())


class _LeftAloneError(Exception):
    """Nothing was asked, because a breaker is open."""

    def __init__(self, rail: str, until: datetime) -> None:
        super().__init__(rail)
        self.until = until
        self.error = RailUnavailable(
            f"{rail} keeps giving no answer and is left alone until {until:%H:%M:%S} UTC; "
            "what is shown is what was read last",
            rail=rail,
        )


def _breakers_of(connection: Connection) -> list[BreakerKey]:
    return [BreakerKey(connection.rail), BreakerKey(connection.rail, connection.connection_id)]


def _first_of(failures: BaseExceptionGroup[RunwayError]) -> RunwayError:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
