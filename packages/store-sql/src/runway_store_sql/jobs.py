"""The job table on SQL. Taking jobs is in `job_claims.py`, putting them back in `job_returns.py`."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

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
    coalesce_jobs,
)
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.people import firm_chain
from runway_core.errors import LeaseLost, NotFound
from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
    update,
)

from runway_store_sql.bulk import among, is_postgres
from runway_store_sql.chain import append_acts
from runway_store_sql.engine import Database
from runway_store_sql.job_claims import Asked, find_due, take_jobs
from runway_store_sql.job_returns import Return, put_back
from runway_store_sql.job_rows import IS_KNOWN, count_added, encode_new, read_claim, read_job
from runway_store_sql.tables import IS_DEAD, IS_DONE, IS_RUNNING, IS_WAITING, companies, jobs

_NOBODY = {"lease_token": None, "lease_until": None, "worker": None}


def _is_held(claim: ClaimedJob) -> Any:
    return and_(
        jobs.c.company_id == claim.job.company_id,
        jobs.c.job_id == claim.job.job_id,
        jobs.c.lease_token == claim.lease_token,
        IS_RUNNING,
    )


def _is_dead_twin(claim: ClaimedJob) -> Any:
    return and_(jobs.c.company_id == claim.job.company_id, jobs.c.dedupe_key == claim.job.dedupe_key, IS_DEAD)


def _lost(claim: ClaimedJob) -> LeaseLost:
    return LeaseLost(f"job {claim.job.job_id!r} of company {claim.job.company_id!r} is another worker's by now")


def _locked(connection: Connection, query: Select[Any]) -> Select[Any]:
    return query.with_for_update() if is_postgres(connection) else query


def add_jobs(connection: Connection, new: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
    """Add jobs within the caller's transaction.

    Raises:
        NotFound: a company that is not in the job's firm.
    """
    if not new:
        return EnqueueReceipt(added=0, coalesced=0)
    _demand_owned(connection, {(job.company_id, job.firm_id) for job in new})
    added = count_added(connection, *encode_new(coalesce_jobs(new), now))
    return EnqueueReceipt(added=added, coalesced=len(new) - added)


class SqlJobQueue:
    """The `JobQueue` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, new: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Add jobs; see the port."""
        if not new:
            return EnqueueReceipt(added=0, coalesced=0)
        return await self._database.write(lambda connection: add_jobs(connection, new, now=now))

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
        """Take jobs that are due; where there are none, nothing is written."""
        asked = Asked(now=now, limit=limit, lanes=LANES if lanes is None else lanes, firm_id=firm_id)
        if limit < 1 or not await self._database.read(lambda sql: find_due(sql, asked)):
            return []
        until = now + timedelta(seconds=lease_seconds)
        return await self._database.write(lambda sql: take_jobs(sql, asked, worker=worker, until=until))

    async def renew(self, claims: Sequence[ClaimedJob], *, now: datetime, lease_seconds: int) -> Sequence[ClaimedJob]:
        """Extend leases; returns those that are still ours."""
        if not claims:
            return []
        until = to_microseconds(now + timedelta(seconds=lease_seconds))
        held = [(claim.job.company_id, claim.job.job_id, claim.lease_token) for claim in claims]
        statement = (
            update(jobs)
            .where(tuple_(jobs.c.company_id, jobs.c.job_id, jobs.c.lease_token).in_(held), IS_RUNNING)
            .values(lease_until=until)
            .returning(jobs)
        )
        rows = await self._database.write(lambda sql: sql.execute(statement).all())
        return sorted((read_claim(row) for row in rows), key=lambda claim: claim.lease_token)

    async def finish(self, claim: ClaimedJob, *, now: datetime) -> None:
        """The job is done, and dead ones of its key with it."""
        at = to_microseconds(now)
        done = {"state": JobState.DONE.value, "ended_at": at}
        ended = update(jobs).where(_is_held(claim)).values(done | _NOBODY | {"error_code": None, "error": None})
        healed = update(jobs).where(_is_dead_twin(claim)).values(done | {"note": HEALED})

        def write(connection: Connection) -> None:
            if connection.execute(ended).rowcount == 0:
                raise _lost(claim)
            connection.execute(healed)

        await self._database.write(write)

    async def bury(self, claim: ClaimedJob, *, error_code: str, error: str, now: datetime) -> None:
        """The job failed for good; one letter a key."""
        at = to_microseconds(now)
        failure = {"ended_at": at, "error_code": error_code, "error": error}
        held = _is_held(claim)
        twin = select(jobs.c.job_id).where(_is_dead_twin(claim)).limit(1)

        def write(connection: Connection) -> None:
            letter = connection.scalar(twin)
            ending = (
                {"state": JobState.DEAD.value} if letter is None else {"state": JobState.DONE.value, "note": COALESCED}
            )
            if connection.execute(update(jobs).where(held).values(failure | _NOBODY | ending)).rowcount == 0:
                raise _lost(claim)
            if letter is not None:
                again = {"attempts": jobs.c.attempts + claim.job.attempts, "last_attempt_at": at}
                is_letter = and_(jobs.c.company_id == claim.job.company_id, jobs.c.job_id == letter)
                connection.execute(update(jobs).where(is_letter).values(failure | again))

        await self._database.write(write)

    async def retry(self, claim: ClaimedJob, *, run_at: datetime, error_code: str, error: str, now: datetime) -> None:
        """The attempt failed: the job waits until `run_at`."""

        def back(job: Job) -> Return:
            return Return(job, run_at=run_at, attempts=job.attempts, error_code=error_code, error=error)

        await self._put_back(claim, back, now)

    async def release(self, claim: ClaimedJob, *, now: datetime, run_at: datetime | None = None) -> None:
        """Put the job back as if it had not been taken."""

        def back(job: Job) -> Return:
            return Return(
                job,
                run_at=run_at or job.run_at,
                attempts=job.attempts - 1,
                error_code=job.error_code,
                error=job.error,
            )

        await self._put_back(claim, back, now)

    async def _put_back(self, claim: ClaimedJob, back: Any, now: datetime) -> None:
        def write(connection: Connection) -> None:
            row = connection.execute(_locked(connection, select(jobs).where(_is_held(claim)))).first()
            if row is None:
                raise _lost(claim)
            put_back(connection, [back(read_job(row))], now=now)

        await self._database.write(write)

    async def reap(self, *, now: datetime, most_attempts: int) -> Reaped:
        """Take back jobs whose lease has run out."""
        at = to_microseconds(now)
        expired = select(jobs).where(IS_RUNNING, IS_KNOWN, jobs.c.lease_until <= at).order_by(jobs.c.job_id)

        def write(connection: Connection) -> Reaped:
            query = expired.with_for_update(skip_locked=True) if is_postgres(connection) else expired
            lost = [read_job(row) for row in connection.execute(query)]
            dead = [job for job in lost if job.attempts >= most_attempts]
            back = [job for job in lost if job.attempts < most_attempts]
            if dead:
                values = {"state": JobState.DEAD.value, "ended_at": at, "error_code": WORKER_LOST}
                connection.execute(_of(connection, dead).values(values | _NOBODY | {"error": WORKER_LOST_MESSAGE}))
            if back:
                put_back(
                    connection,
                    [Return(job, now, job.attempts, WORKER_LOST, WORKER_LOST_MESSAGE) for job in back],
                    now=now,
                )
            return Reaped(returned=len(back), buried=len(dead))

        if await self._database.read(lambda sql: sql.execute(expired.limit(1)).first()) is None:
            return Reaped(returned=0, buried=0)
        return await self._database.write(write)

    async def depths(self, firm_id: FirmId, *, now: datetime) -> QueueDepths:
        """How much of a firm's work stands in each lane."""
        is_due = jobs.c.run_at <= to_microseconds(now)
        parts = [
            select(
                jobs.c.lane,
                literal(state.value).label("state"),
                func.count().label("jobs"),
                (func.sum(case((is_due, 1), else_=0)) if state is JobState.WAITING else literal(0)).label("due"),
                (func.min(jobs.c.run_at) if state is JobState.WAITING else null()).label("first_at"),
            )
            .where(condition, jobs.c.firm_id == firm_id)
            .group_by(jobs.c.lane)
            for state, condition in (
                (JobState.WAITING, IS_WAITING),
                (JobState.RUNNING, IS_RUNNING),
                (JobState.DEAD, IS_DEAD),
            )
        ]
        rows = await self._database.read(lambda sql: sql.execute(union_all(*parts)).all())
        return _read_depths(rows)

    async def prune(self, *, done_before: datetime) -> int:
        """Forget jobs that were done before a moment."""
        statement = delete(jobs).where(IS_DONE, jobs.c.ended_at < to_microseconds(done_before))
        return await self._database.write(lambda sql: sql.execute(statement).rowcount)

    async def job(self, firm_id: FirmId, job_id: str) -> Job:
        """One job, whatever its state."""
        return (await self.find(firm_id, [job_id]))[0]

    async def find(self, firm_id: FirmId, job_ids: Collection[str]) -> Sequence[Job]:
        """Several jobs, by id."""
        return await self._database.read(lambda sql: _read_owned(sql, firm_id, job_ids, for_update=False))

    async def correlated(self, firm_id: FirmId, correlation_id: str) -> Sequence[Job]:
        """The jobs of one chain of causes, in the order they came."""
        query = (
            select(jobs)
            .where(jobs.c.firm_id == firm_id, jobs.c.correlation_id == correlation_id, IS_KNOWN)
            .order_by(jobs.c.job_id)
        )
        return [read_job(row) for row in await self._database.read(lambda sql: sql.execute(query).all())]

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
        query = select(jobs).where(jobs.c.firm_id == firm_id, IS_DEAD, IS_KNOWN)
        for column, wanted in ((jobs.c.rail, rail), (jobs.c.error_code, error_code)):
            if wanted is not None:
                query = query.where(column == wanted)
        if after is not None:
            query = query.where(jobs.c.job_id < after)
        query = query.order_by(jobs.c.job_id.desc()).limit(limit)

        def read(connection: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
            of = [] if company_ids is None else [among(connection, jobs.c.company_id, list(company_ids))]
            return connection.execute(query.where(*of)).all()

        return [read_job(row) for row in await self._database.read(read)]

    async def replay(self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, now: datetime) -> Sequence[Job]:
        """Let dead jobs wait again, and log it."""

        def write(connection: Connection) -> Sequence[Job]:
            dead = _lock_dead(connection, firm_id, job_ids)
            put_back(connection, [Return(job, now, 0, job.error_code, job.error) for job in dead], now=now)
            _log(connection, [(job.company_id, draft_replay(job, actor=actor, at=now)) for job in dead])
            return _read_owned(connection, firm_id, [job.job_id for job in dead], for_update=False) if dead else []

        return await self._database.write(write)

    async def discard(
        self, firm_id: FirmId, job_ids: Collection[str], *, actor: str, reason: str, now: datetime
    ) -> Sequence[Job]:
        """Close dead jobs without running them, and log the reason."""

        def write(connection: Connection) -> Sequence[Job]:
            dead = _lock_dead(connection, firm_id, job_ids)
            if not dead:
                return []
            values = {"state": JobState.DONE.value, "ended_at": to_microseconds(now), "note": f"discarded: {reason}"}
            connection.execute(_of(connection, dead).values(values))
            _log(connection, [(job.company_id, draft_discard(job, actor=actor, reason=reason, at=now)) for job in dead])
            return _read_owned(connection, firm_id, [job.job_id for job in dead], for_update=False)

        return await self._database.write(write)


def _of(connection: Connection, held: Sequence[Job]) -> Any:
    """An update of these jobs."""
    return update(jobs).where(
        among(connection, jobs.c.company_id, sorted({job.company_id for job in held})),
        among(connection, jobs.c.job_id, sorted(job.job_id for job in held)),
    )


def _demand_owned(connection: Connection, owners: Collection[tuple[CompanyId, FirmId]]) -> None:
    wanted = sorted({company_id for company_id, _ in owners})
    query = select(companies.c.company_id, companies.c.firm_id).where(among(connection, companies.c.company_id, wanted))
    known = {(row.company_id, row.firm_id) for row in connection.execute(query)}
    for company_id, firm_id in sorted(owners):
        if (company_id, firm_id) not in known and company_id != firm_chain(firm_id):
            raise NotFound(f"no company {company_id!r} in the firm {firm_id!r}")


def _read_owned(
    connection: Connection, firm_id: FirmId, job_ids: Collection[str], *, for_update: bool
) -> Sequence[Job]:
    wanted = sorted(set(job_ids))
    known = [job_id.replace("\x00", "") for job_id in wanted]
    query = select(jobs).where(jobs.c.firm_id == firm_id, among(connection, jobs.c.job_id, known), IS_KNOWN)
    query = query.order_by(jobs.c.job_id)
    found = [read_job(row) for row in connection.execute(_locked(connection, query) if for_update else query)]
    missing = sorted(set(wanted) - {job.job_id for job in found})
    if missing:
        raise NotFound(f"no job {missing[0]!r} in this firm")
    return found


def _lock_dead(connection: Connection, firm_id: FirmId, job_ids: Collection[str]) -> Sequence[Job]:
    found = _read_owned(connection, firm_id, job_ids, for_update=True) if job_ids else []
    return [job for job in found if job.state is JobState.DEAD]


def _log(connection: Connection, drafts: Sequence[tuple[CompanyId, LogDraft]]) -> None:
    """Log acts, companies in order, so that two who do the same never wait for one another in a ring."""
    by_company: dict[CompanyId, list[LogDraft]] = {}
    for company_id, draft in drafts:
        by_company.setdefault(company_id, []).append(draft)
    for company_id in sorted(by_company):
        append_acts(connection, company_id, by_company[company_id])


def _read_depths(rows: Sequence[Any]) -> QueueDepths:
    counts = {(Lane(row.lane), JobState(row.state)): row for row in rows}

    def depth(lane: Lane) -> LaneDepth:
        waiting = counts.get((lane, JobState.WAITING))
        due = 0 if waiting is None else int(waiting.due)
        return LaneDepth(
            waiting=0 if waiting is None else waiting.jobs - due,
            due=due,
            running=_count(counts.get((lane, JobState.RUNNING))),
            dead=_count(counts.get((lane, JobState.DEAD))),
            oldest_due_at=from_microseconds(waiting.first_at) if waiting is not None and due else None,
        )

    return QueueDepths({lane: depth(lane) for lane in LANES})


def _count(row: Any) -> int:
    return 0 if row is None else int(row.jobs)
