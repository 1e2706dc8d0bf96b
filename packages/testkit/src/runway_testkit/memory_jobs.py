"""The job table in memory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.job_changes import WORKER_LOST, WORKER_LOST_MESSAGE, draft_discard, draft_replay
from runway_core.domain.jobs import (
    COALESCED,
    HEALED,
    LANES,
    ClaimedJob,
    EnqueueReceipt,
    Job,
    JobState,
    Lane,
    LaneDepth,
    NewJob,
    QueueDepths,
    Reaped,
    Work,
    coalesce_jobs,
    merge_jobs,
    plan_claims,
)
from runway_core.domain.people import firm_chain
from runway_core.errors import LeaseLost, NotFound

from runway_testkit.memory_state import CompanyState
from runway_testkit.memory_waiting import JobRow, WaitingJobs

_JOB_DEFAULTS = {name: field.get_default() for name, field in Job.model_fields.items() if not field.is_required()}


class MemoryJobQueue:
    """The `JobQueue` in memory. Jobs that wait and jobs that run are held apart, so that a long day stays fast."""

    def __init__(self, states: dict[CompanyId, CompanyState]) -> None:
        self._states = states
        self._jobs: dict[str, JobRow] = {}
        self._waiting = WaitingJobs()
        self._running: dict[str, JobRow] = {}
        self._dead: dict[str, JobRow] = {}
        self._added = 0
        self._claims = 0
        self._since_poll = 0

    def everything(self) -> Sequence[tuple[Job, ClaimedJob | None]]:
        """Every job, with the claim of whoever works on it."""
        return [(held.job, held.claim) for held in self._jobs.values()]

    async def enqueue(self, new: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Add jobs; those of a key that waits join that one."""
        for job in new:
            state = self._states.get(job.company_id)
            is_firms = job.company_id == firm_chain(job.firm_id)
            if not is_firms and (state is None or state.company.firm_id != job.firm_id):
                raise NotFound(f"no company {job.company_id!r} in the firm {job.firm_id!r}")
        added = 0
        for job in coalesce_jobs(new):
            held = self._waiting.find(job.company_id, job.dedupe_key)
            if held is None:
                self._add(job, now)
                added += 1
            else:
                self._fold(held, job)
        return EnqueueReceipt(added=added, coalesced=len(new) - added)

    def _add(self, job: NewJob, now: datetime) -> None:
        self._added += 1
        job_id = f"job-{self._added:09}"
        own = {"job_id": job_id, "state": JobState.WAITING, "enqueued_at": now}
        own |= {"correlation_id": job.correlation_id or job_id}
        made = Job.trusted(_JOB_DEFAULTS | job.__dict__ | own)
        held = self._jobs[made.job_id] = JobRow(made, job.run_at)
        self._waiting.add(held)

    def _fold(self, held: JobRow, news: NewJob) -> None:
        merged = merge_jobs(held.job, news)
        self._waiting.take_out(held)
        held.turn_at = min(held.turn_at, news.run_at)
        held.change(
            run_at=merged.run_at,
            lane=merged.lane,
            cause_id=merged.cause_id,
            correlation_id=merged.correlation_id,
            depth=merged.depth,
            payload=merged.payload,
        )
        self._waiting.add(held)

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
        """Take jobs that are due."""
        busy = {held.job.connection_id for held in self._running.values()} - {None}
        due = self._waiting.first(
            limit,
            now=now,
            lanes=LANES if lanes is None else lanes,
            is_free=lambda held: held.job.connection_id not in busy and firm_id in (None, held.job.firm_id),
        )
        if not due:
            return []
        plan = plan_claims(due, limit=limit, since_poll=self._since_poll, now=now)
        self._since_poll = plan.since_poll
        until = now + timedelta(seconds=lease_seconds)
        claims = [self._take(self._jobs[one.job_id], worker, now, until) for one in plan.chosen]
        for company_id, lane in {(one.company_id, one.lane) for one in plan.chosen}:
            self._let_others_go_first(company_id, lane, now)
        return claims

    def _let_others_go_first(self, company_id: CompanyId, lane: Lane, now: datetime) -> None:
        """A company that was served stands behind the others of that lane."""
        for held in self._waiting.of(company_id, lane):
            if held.turn_at < now:
                self._waiting.take_out(held)
                held.turn_at = now
                self._waiting.add(held)

    def _take(self, held: JobRow, worker: str, now: datetime, until: datetime) -> ClaimedJob:
        self._claims += 1
        self._waiting.take_out(held)
        self._running[held.job.job_id] = held
        job = held.change(state=JobState.RUNNING, attempts=held.job.attempts + 1, last_attempt_at=now)
        held.claim = ClaimedJob(job, self._claims, until, worker)
        return held.claim

    async def renew(self, claims: Sequence[ClaimedJob], *, now: datetime, lease_seconds: int) -> Sequence[ClaimedJob]:
        """Extend leases; returns those that are still ours."""
        ours = [held for claim in claims if (held := self._running.get(claim.job.job_id)) and _is_of(held, claim)]
        until = now + timedelta(seconds=lease_seconds)
        renewed = []
        for held in ours:
            assert held.claim is not None
            held.claim = replace(held.claim, lease_until=until)
            renewed.append(held.claim)
        return renewed

    def _held_by(self, claim: ClaimedJob) -> JobRow:
        held = self._running.get(claim.job.job_id)
        if held is None or not _is_of(held, claim):
            raise LeaseLost(f"job {claim.job.job_id!r} is another worker's by now")
        return held

    async def finish(self, claim: ClaimedJob, *, now: datetime) -> None:
        """The job is done."""
        self._end(self._held_by(claim), JobState.DONE, now, error_code=None, error=None)
        for letter in self._letters(claim.job):
            self._end(letter, JobState.DONE, now, note=HEALED)

    def _letters(self, job: Job) -> list[JobRow]:
        """Dead jobs of a key."""
        key = (job.company_id, job.dedupe_key)
        return [held for held in self._dead.values() if (held.job.company_id, held.job.dedupe_key) == key]

    async def bury(self, claim: ClaimedJob, *, error_code: str, error: str, now: datetime) -> None:
        """The job failed for good."""
        held, failure = self._held_by(claim), {"error_code": error_code, "error": error}
        letters = self._letters(held.job)
        if not letters:
            self._end(held, JobState.DEAD, now, **failure)
            return
        self._end(held, JobState.DONE, now, note=COALESCED, **failure)
        attempts = letters[0].job.attempts + held.job.attempts
        letters[0].change(attempts=attempts, last_attempt_at=now, ended_at=now, **failure)

    def _end(self, held: JobRow, state: JobState, now: datetime, **values: object) -> None:
        self._running.pop(held.job.job_id, None)
        self._dead.pop(held.job.job_id, None)
        if state is JobState.DEAD:
            self._dead[held.job.job_id] = held
        held.claim = None
        held.change(state=state, ended_at=now, **values)

    async def retry(self, claim: ClaimedJob, *, run_at: datetime, error_code: str, error: str, now: datetime) -> None:
        """The attempt failed: the job waits until `run_at`."""
        held = self._held_by(claim)
        held.change(error_code=error_code, error=error)
        self._put_back(held, run_at, held.job.attempts, now)

    async def release(self, claim: ClaimedJob, *, now: datetime, run_at: datetime | None = None) -> None:
        """Put the job back as if it had not been taken."""
        held = self._held_by(claim)
        self._put_back(held, run_at or held.job.run_at, held.job.attempts - 1, now)

    def _put_back(self, held: JobRow, run_at: datetime, attempts: int, now: datetime) -> None:
        twin = self._waiting.find(held.job.company_id, held.job.dedupe_key)
        if twin is None:
            self._running.pop(held.job.job_id, None)
            self._dead.pop(held.job.job_id, None)
            held.claim, held.turn_at = None, run_at
            held.change(state=JobState.WAITING, run_at=run_at, attempts=attempts, ended_at=None)
            self._waiting.add(held)
            return
        self._fold(twin, held.job.model_copy(update={"run_at": run_at}))
        failure = {"error_code": held.job.error_code, "error": held.job.error}
        twin.change(attempts=max(twin.job.attempts, attempts), **failure)
        self._end(held, JobState.DONE, now, note=COALESCED)

    async def reap(self, *, now: datetime, most_attempts: int) -> Reaped:
        """Take back jobs whose lease has run out."""
        lost = [held for held in self._running.values() if held.claim is not None and held.claim.lease_until <= now]
        dead = [held for held in lost if held.job.attempts >= most_attempts]
        for held in lost:
            held.change(error_code=WORKER_LOST, error=WORKER_LOST_MESSAGE)
            if held.job.attempts >= most_attempts:
                self._end(held, JobState.DEAD, now)
            else:
                self._put_back(held, now, held.job.attempts, now)
        return Reaped(returned=len(lost) - len(dead), buried=len(dead))

    async def depths(self, firm_id: FirmId, *, now: datetime) -> QueueDepths:
        """How much of a firm's work stands in each lane."""
        mine = [held.job for held in self._jobs.values() if held.job.firm_id == firm_id]
        return QueueDepths({lane: self._depth([job for job in mine if job.lane is lane], now) for lane in LANES})

    @staticmethod
    def _depth(held: Sequence[Job], now: datetime) -> LaneDepth:
        due = [job.run_at for job in held if job.state is JobState.WAITING and job.run_at <= now]
        return LaneDepth(
            waiting=sum(job.state is JobState.WAITING for job in held) - len(due),
            due=len(due),
            running=sum(job.state is JobState.RUNNING for job in held),
            dead=sum(job.state is JobState.DEAD for job in held),
            oldest_due_at=min(due, default=None),
        )

    async def prune(self, *, done_before: datetime) -> int:
        """Forget jobs that were done before a moment."""
        old = [
            held.job.job_id
            for held in self._jobs.values()
            if held.job.state is JobState.DONE and held.job.ended_at is not None and held.job.ended_at < done_before
        ]
        for job_id in old:
            del self._jobs[job_id]
        return len(old)

    async def job(self, firm_id: FirmId, job_id: str) -> Job:
        """One job, whatever its state."""
        return self._owned(firm_id, [job_id])[0].job

    async def find(self, firm_id: FirmId, job_ids: Collection[str]) -> Sequence[Job]:
        """Several jobs, by id."""
        return [held.job for held in self._owned(firm_id, job_ids)]

    def _owned(self, firm_id: FirmId, job_ids: Iterable[str]) -> list[JobRow]:
        found = []
        for job_id in sorted(set(job_ids)):
            held = self._jobs.get(job_id)
            if held is None or held.job.firm_id != firm_id:
                raise NotFound(f"no job {job_id!r} in this firm")
            found.append(held)
        return found

    async def correlated(self, firm_id: FirmId, correlation_id: str) -> Sequence[Job]:
        """The jobs of one chain of causes, in the order they came."""
        mine = (held.job for held in self._jobs.values() if held.job.firm_id == firm_id)
        return [job for job in mine if job.correlation_id == correlation_id and isinstance(job.work, Work)]

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
        """Dead jobs, the latest first."""
        found = [
            held.job
            for held in self._jobs.values()
            if held.job.firm_id == firm_id
            and held.job.state is JobState.DEAD
            and (company_ids is None or held.job.company_id in company_ids)
            and rail in (None, held.job.rail)
            and error_code in (None, held.job.error_code)
            and (after is None or held.job.job_id < after)
        ]
        return sorted(found, key=lambda job: job.job_id, reverse=True)[:limit]

    async def replay(self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, now: datetime) -> Sequence[Job]:
        """Let dead jobs wait again, and log it."""
        dead = [held for held in self._owned(firm_id, job_ids) if held.job.state is JobState.DEAD]
        for held in dead:
            self._states[held.job.company_id].append([draft_replay(held.job, actor=actor, at=now)])
            self._put_back(held, now, 0, now)
        return [held.job for held in dead]

    async def discard(
        self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, reason: str, now: datetime
    ) -> Sequence[Job]:
        """Close dead jobs without running them, and log the reason."""
        dead = [held for held in self._owned(firm_id, job_ids) if held.job.state is JobState.DEAD]
        for held in dead:
            self._states[held.job.company_id].append([draft_discard(held.job, actor=actor, reason=reason, at=now)])
            self._end(held, JobState.DONE, now, note=f"discarded: {reason}")
        return [held.job for held in dead]


def _is_of(held: JobRow, claim: ClaimedJob) -> bool:
    return held.claim is not None and held.claim.lease_token == claim.lease_token
