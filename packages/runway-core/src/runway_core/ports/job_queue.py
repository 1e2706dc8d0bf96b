"""The job table as a port: what is due, who works on it, and what failed for good."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.jobs import ClaimedJob, EnqueueReceipt, Job, Lane, NewJob, QueueDepths, Reaped


class JobQueue(Protocol):
    """Keeps jobs beside the mirror, in the same database.

    lease    the right to work on a job until a moment; its token fences every act, so that a worker that was too slow
             changes nothing
    reap     to take back what lost workers held
    dead     failed for good; kept with its error until someone replays or discards it

    Any number of processes may use one queue. Two claimers never get one job, and no two jobs of one connection run at
    the same time. Every method may raise StoreUnavailable and SchemaMismatch.
    """

    async def enqueue(self, new: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Add jobs, in a fixed number of statements whatever their number.

        A job whose `(company_id, dedupe_key)` waits already joins that one: the earlier time and the more urgent lane
        win. One that runs is no obstacle: what came since is looked at afterwards. Repeating adds none.

        Raises:
            NotFound: a company that is not in the job's firm; nothing was added.
        """
        ...

    async def claim(
        self,
        *,
        worker: str,
        now: datetime,
        limit: int,
        lease_seconds: int,
        lanes: Collection[Lane] | None = None,
        firm_id: FirmId | None = None,
    ) -> Sequence[ClaimedJob]:
        """Take at most `limit` jobs that are due, in the order of `domain.jobs.plan_claims`; each counts an attempt.

        `lanes` and `firm_id` leave out the others'. Jobs whose work this release does not know wait for a newer one.
        """
        ...

    async def renew(self, claims: Sequence[ClaimedJob], *, now: datetime, lease_seconds: int) -> Sequence[ClaimedJob]:
        """Extend leases, in one statement; returns those that are still ours."""
        ...

    async def finish(self, claim: ClaimedJob, *, now: datetime) -> None:
        """The job is done; dead jobs of its key are done with it.

        Raises:
            LeaseLost: the job is another's by now.
        """
        ...

    async def retry(self, claim: ClaimedJob, *, run_at: datetime, error_code: str, error: str, now: datetime) -> None:
        """The attempt failed: the job waits until `run_at`. Where another of its key waits already, it joins that one.

        Raises:
            LeaseLost: the job is another's by now.
        """
        ...

    async def bury(self, claim: ClaimedJob, *, error_code: str, error: str, now: datetime) -> None:
        """The job failed for good. Where a dead one of its key is there already, it joins that one: one letter each.

        Raises:
            LeaseLost: the job is another's by now.
        """
        ...

    async def release(self, claim: ClaimedJob, *, now: datetime, run_at: datetime | None = None) -> None:
        """Put the job back as if it had not been taken: the attempt is not counted. `run_at` lets it wait until then.

        Raises:
            LeaseLost: the job is another's by now.
        """
        ...

    async def reap(self, *, now: datetime, most_attempts: int) -> Reaped:
        """Take back jobs whose lease has run out; those with `most_attempts` behind them are dead (`worker-lost`)."""
        ...

    async def depths(self, firm_id: FirmId, *, now: datetime) -> QueueDepths:
        """How much of a firm's work stands in each lane, in one query."""
        ...

    async def prune(self, *, done_before: datetime) -> int:
        """Forget jobs that were done before a moment; returns how many. Dead ones stay."""
        ...

    async def job(self, firm_id: FirmId, job_id: str) -> Job:
        """One job, whatever its state.

        Raises:
            NotFound: no such job in this firm.
        """
        ...

    async def find(self, firm_id: FirmId, job_ids: Collection[str]) -> Sequence[Job]:
        """Several jobs, by id, in one query.

        Raises:
            NotFound: one that is not in this firm.
        """
        ...

    async def correlated(self, firm_id: FirmId, correlation_id: str) -> Sequence[Job]:
        """The jobs of one chain of causes, in the order they came."""
        ...

    async def dead_letters(
        self,
        firm_id: FirmId,
        *,
        company_ids: Collection[CompanyId] | None = None,
        rail: str | None = None,
        error_code: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[Job]:
        """Dead jobs of these companies or of all, the latest first, at most `limit`, after the job `after`."""
        ...

    async def replay(self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, now: datetime) -> Sequence[Job]:
        """Let dead jobs wait again, with all their attempts before them, and log it; all or none.

        Those that are not dead any more are left alone, so repeating changes nothing. Returns the replayed ones.

        Raises:
            NotFound: a job that is not in this firm; none was replayed.
        """
        ...

    async def discard(
        self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, reason: str, now: datetime
    ) -> Sequence[Job]:
        """Close dead jobs without running them, and log the reason; otherwise as `replay`.

        Raises:
            NotFound: a job that is not in this firm; none was discarded.
        """
        ...
