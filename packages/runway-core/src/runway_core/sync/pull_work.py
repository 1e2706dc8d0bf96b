"""The work of a pull job: look whether it is still wanted, pull, and say what becomes of the job."""

from datetime import datetime, timedelta

from runway_core.domain.changes import Cause
from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId
from runway_core.domain.jobs import Job, Lane, Work
from runway_core.domain.sync_run import SyncRun
from runway_core.errors import LeaseHeld, LeaseLost, RunwayError
from runway_core.ports.clock import Clock
from runway_core.ports.store import Store
from runway_core.sync.engine import Alive, EngineCounts
from runway_core.sync.orchestrator import PullRequest
from runway_core.sync.retries import Remedy, find_remedy
from runway_core.sync.schedule import PULLABLE
from runway_core.sync.smart_sync import SmartSyncService

NEWS_APART = timedelta(seconds=10)
"""A connection is not pulled again for news before so long: a burst is read by few pulls."""

LOOK_AGAIN = timedelta(seconds=15)
"""So much later a pull that news asked for looks again, when someone else was pulling that connection."""

CAUSES = {
    Lane.PERSON: Cause.PERSON,
    Lane.WEBHOOK: Cause.WEBHOOK,
    Lane.POLL: Cause.PULL,
    Lane.SWEEP: Cause.SWEEP,
}


class PullWork:
    """Runs pull jobs, and counts them."""

    def __init__(self, store: Store, sync: SmartSyncService, clock: Clock, counts: EngineCounts) -> None:
        self._store = store
        self._sync = sync
        self._clock = clock
        self._counts = counts

    async def __call__(self, job: Job, alive: Alive) -> datetime | None:
        """Pull the job's connection; returns when to look again, or `None` when it is done.

        What will be polled again anyway is done, however it ended: the planner sees the connection's state, and comes
        back sooner or later for it. A connection that waits for a person costs no call.

        Raises:
            RunwayError: the class of the run's error, where trying again does not mend it.
            StoreUnavailable: the database does not answer.
        """
        company = await self._store.registry.company(job.firm_id, job.company_id)
        connection = await self._find(job)
        if connection is None or connection.state not in PULLABLE or _was_tried(job, connection):
            return None
        if job.lane is Lane.WEBHOOK and job.depth == 0 and (quiet_until := _find_quiet(connection)) > self._clock.now():
            return quiet_until
        cause = CAUSES[job.lane] if job.depth == 0 else Cause.CASCADE
        is_sweep = job.work is Work.SWEEP
        request = PullRequest(cause=cause, correlation_id=job.correlation_id, sweep=is_sweep, by_turn=is_sweep)
        report = await self._sync.sync_company(company, [connection], request, lambda _: alive())
        if report.ask_again_at is not None:  # the planner has done its part for this moment: the job waits
            return report.ask_again_at
        (run,) = report.runs
        return self._judge(job, run)

    async def _find(self, job: Job) -> Connection | None:
        held = await self._store.registry.connections(job.firm_id, CompanyId(job.company_id))
        return next((one for one in held if one.connection_id == job.connection_id), None)

    def _judge(self, job: Job, run: SyncRun) -> datetime | None:
        if run.error_code in (LeaseHeld.code, LeaseLost.code):
            # Whoever pulls may have read what this news is about before it happened.
            return None if job.lane is Lane.POLL else self._clock.now() + LOOK_AGAIN
        self._counts.pulls += 1
        if run.error_code is None:
            return None
        self._counts.failures += 1
        error = make_error(run.error_code, run.error or "")
        # No poll compares: a sweep is tried again by itself.
        if find_remedy(error) is Remedy.BURY or job.work is Work.SWEEP:
            raise error
        return None


def _was_tried(job: Job, connection: Connection) -> bool:
    """Whether a poll has been overtaken: its connection was tried since it came due."""
    tried = connection.last_attempt_at
    return job.lane is Lane.POLL and tried is not None and tried >= job.run_at


def _find_quiet(connection: Connection) -> datetime:
    """Until when news of a connection waits, because it was read just now."""
    read_at = connection.last_attempt_at
    return connection.created_at if read_at is None else read_at + NEWS_APART


def _codes(of: type[RunwayError]) -> dict[str, type[RunwayError]]:
    found = {of.code: of}
    for below in of.__subclasses__():
        found = _codes(below) | found
    return found


def make_error(code: str, message: str) -> RunwayError:
    """The error that a stored code and message came from; of the family's own class where no class has that code."""
    return _codes(RunwayError).get(code, RunwayError)(message)
