"""What could not be processed: jobs that failed for good, and records that nobody understood, listed alike."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from pydantic import AwareDatetime, Field

from runway_core.domain.identity import CompanyId
from runway_core.domain.jobs import Job, JobState
from runway_core.domain.people import Need
from runway_core.domain.record import Value
from runway_core.domain.sync_run import QuarantinedRecord
from runway_core.errors import InvalidRequest, NotFound, RecordRejected
from runway_core.services.scope import Scope

MOST_LISTED = 500
LONGEST_REASON = 500


class LetterKind(StrEnum):
    """What could not be processed."""

    JOB = "job"  # may be replayed or discarded
    RECORD = "record"  # comes back understood when its cause is mended, or is discarded in quarantine


class DeadLetter(Value):
    """One thing that could not be processed."""

    letter_id: str
    kind: LetterKind
    company_id: CompanyId
    company_name: str
    rail: str | None
    what: str  # the work, or the record's kind and id
    error_code: str
    reason: str  # for a person
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    attempts: int
    correlation_id: str = ""
    payload: dict[str, str] = Field(default_factory=dict)


class DeadLetterService:
    """Lists, replays and discards dead letters of a firm."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def list(
        self,
        *,
        company_id: CompanyId | None = None,
        rail: str | None = None,
        error_code: str | None = None,
    ) -> Sequence[DeadLetter]:
        """What could not be processed, the last seen first, at most 500 jobs and 500 records; filters narrow it.

        Three queries, whatever the number of companies.

        Raises:
            NotFound: no such company in this firm.
        """
        names = {company.company_id: company.name for company in await self._scope.companies()}
        if company_id is not None and company_id not in names:
            raise NotFound(f"no company {company_id!r} in this firm")
        wanted, store = list(names) if company_id is None else [company_id], self._scope.store
        jobs = await store.jobs.dead_letters(
            self._scope.firm_id, company_ids=wanted, rail=rail, error_code=error_code, limit=MOST_LISTED
        )
        letters = [_of_job(job, names[job.company_id]) for job in jobs]
        if error_code in (None, RecordRejected.code):
            records = await store.mirror.quarantine_of(wanted, rail=rail, limit=MOST_LISTED)
            letters += [_of_record(record, names[record.company_id]) for record in records]
        return sorted(letters, key=lambda letter: (letter.last_seen_at, letter.letter_id), reverse=True)

    async def get(self, letter_id: str) -> DeadLetter:
        """One job that failed for good, or did so once and was replayed or closed since.

        Raises:
            NotFound: no such job in this firm.
        """
        (job,) = await self._visible([letter_id])
        return _of_job(job, (await self._scope.company(job.company_id)).name)

    async def replay(self, letter_ids: Collection[str], *, actor: str) -> Sequence[str]:
        """Let dead jobs wait again, all of them or none, and log it; repeating changes nothing.

        Returns:
            The ids of those that were dead.

        Raises:
            NotFound: one that is not in this firm.
            NotAllowed: the caller may only look.
        """
        self._scope.demand(Need.DECIDE)
        await self._visible(letter_ids)
        replayed = await self._scope.store.jobs.replay(
            self._scope.firm_id, letter_ids, actor=self._scope.name_actor(actor), now=self._scope.clock.now()
        )
        return [job.job_id for job in replayed]

    async def discard(self, letter_ids: Collection[str], *, reason: str, actor: str) -> Sequence[str]:
        """Close dead jobs without running them, all of them or none, and log the reason; repeating changes nothing.

        Returns:
            The ids of those that were dead.

        Raises:
            InvalidRequest: no reason, or one of more than 500 characters.
            NotFound: one that is not in this firm.
            NotAllowed: the caller may only look.
        """
        self._scope.demand(Need.DECIDE)
        said = " ".join(reason.split())
        if not said or len(said) > LONGEST_REASON:
            raise InvalidRequest(f"say in 1 to {LONGEST_REASON} characters why it is discarded")
        await self._visible(letter_ids)
        closed = await self._scope.store.jobs.discard(
            self._scope.firm_id,
            letter_ids,
            actor=self._scope.name_actor(actor),
            reason=said,
            now=self._scope.clock.now(),
        )
        return [job.job_id for job in closed]

    async def chain(self, correlation_id: str) -> Sequence[Job]:
        """The jobs of one chain of causes, in the order they came; those of companies the caller may see."""
        found = await self._scope.store.jobs.correlated(self._scope.firm_id, correlation_id)
        return [job for job in found if self._scope.sees(job.company_id)]

    async def _visible(self, job_ids: Collection[str]) -> Sequence[Job]:
        jobs = await self._scope.store.jobs.find(self._scope.firm_id, job_ids)
        for job in jobs:
            if not self._scope.sees(job.company_id) or (job.state is not JobState.DEAD and job.error_code is None):
                raise NotFound(f"no dead letter {job.job_id!r} in this firm")
        return jobs


def _of_job(job: Job, company_name: str) -> DeadLetter:
    return DeadLetter(
        letter_id=job.job_id,
        kind=LetterKind.JOB,
        company_id=job.company_id,
        company_name=company_name,
        rail=job.rail,
        what=job.work.value,
        error_code=job.error_code or "",
        reason=job.error or "",
        first_seen_at=job.enqueued_at,
        last_seen_at=job.ended_at or job.last_attempt_at or job.enqueued_at,
        attempts=job.attempts,
        correlation_id=job.correlation_id,
        payload=job.payload,
    )


def _of_record(record: QuarantinedRecord, company_name: str) -> DeadLetter:
    return DeadLetter(
        letter_id=record.quarantine_id,
        kind=LetterKind.RECORD,
        company_id=record.company_id,
        company_name=company_name,
        rail=record.rail,
        what=f"{record.kind or '?'}:{record.external_id or '?'}",
        error_code=RecordRejected.code,
        reason=record.reason,
        first_seen_at=record.first_seen_at,
        last_seen_at=record.last_seen_at,
        attempts=record.times_seen,
    )
