"""What the log says of jobs that people revived or closed."""

from datetime import datetime

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.jobs import Job
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import encode_plain

WORKER_LOST = "worker-lost"
"""The error code of a job whose worker let its lease run out."""

WORKER_LOST_MESSAGE = "the worker stopped or hung before it finished this job"


def draft_replay(job: Job, *, actor: str, at: datetime) -> LogDraft:
    """A person let a dead job wait again."""
    return _draft(job, "job_replayed", {"error_code": job.error_code, "attempts": job.attempts}, actor=actor, at=at)


def draft_discard(job: Job, *, actor: str, reason: str, at: datetime) -> LogDraft:
    """A person closed a dead job without running it."""
    return _draft(job, "job_discarded", {"error_code": job.error_code, "reason": reason}, actor=actor, at=at)


def _draft(job: Job, what: str, says: dict[str, object], *, actor: str, at: datetime) -> LogDraft:
    return LogDraft(
        seen_at=at,
        rail=job.rail or "",
        kind="job",
        external_id=job.job_id,
        what=what,
        attribution=Attribution(cause=Cause.PERSON, actor=actor, correlation_id=job.correlation_id or job.job_id),
        content=encode_plain({"work": job.work.value, "dedupe_key": job.dedupe_key} | says),
    )
