"""Jobs that go back to wait, within a transaction: each alone of its key, for equal work waits once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runway_core.domain.identity import CompanyId
from runway_core.domain.jobs import COALESCED, Job, JobState, merge_jobs
from runway_core.domain.log_entry import to_microseconds
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from runway_store_sql.bulk import among, is_postgres, json_text
from runway_store_sql.job_rows import read_job
from runway_store_sql.tables import IS_WAITING, jobs

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Return:
    """A job whose row is locked, how it waits again, and what its last attempt met."""

    job: Job
    run_at: datetime
    attempts: int
    error_code: str | None = None
    error: str | None = None


def put_back(connection: Connection, returns: Sequence[Return], *, now: datetime) -> None:
    """Let jobs wait again; one whose key waits already is done, and that one takes over what it had."""
    for attempt in range(1, _TRIES + 1):
        savepoint = connection.begin_nested()
        try:
            _put_back_once(connection, returns, now=now)
        except IntegrityError:  # another transaction enqueued the same key meanwhile: now it is seen
            savepoint.rollback()
            if attempt == _TRIES:
                raise
        else:
            savepoint.commit()
            return


def _put_back_once(connection: Connection, returns: Sequence[Return], *, now: datetime) -> None:
    twins = _read_twins(connection, returns)
    alone: list[dict[str, Any]] = []
    joined: list[dict[str, Any]] = []
    for one in sorted(returns, key=lambda one: one.job.job_id):
        key = (one.job.company_id, one.job.dedupe_key)
        twin = twins.get(key)
        if twin is None:
            alone.append(_row_alone(one))
            twins[key] = one.job.model_copy(update={"run_at": one.run_at, "attempts": one.attempts})
        else:
            joined.append(_row_joined(one, now))
            _fold_into(connection, twin, one)
    for rows in (joined, alone):
        if rows:
            names = [name for name in rows[0] if not name.startswith("_")]
            statement = update(jobs).where(
                jobs.c.company_id == bindparam("_company"), jobs.c.job_id == bindparam("_job")
            )
            connection.execute(statement.values({name: bindparam(name) for name in names}), rows)


def _read_twins(connection: Connection, returns: Sequence[Return]) -> dict[tuple[CompanyId, str], Job]:
    query = select(jobs).where(
        among(connection, jobs.c.company_id, sorted({one.job.company_id for one in returns})),
        among(connection, jobs.c.dedupe_key, sorted({one.job.dedupe_key for one in returns})),
        IS_WAITING,
    )
    rows = connection.execute(query.with_for_update() if is_postgres(connection) else query).all()
    return {(row.company_id, row.dedupe_key): read_job(row) for row in rows}


def _row_alone(one: Return) -> dict[str, Any]:
    at = to_microseconds(one.run_at)
    return {
        "_company": one.job.company_id,
        "_job": one.job.job_id,
        "state": JobState.WAITING.value,
        "run_at": at,
        "turn_at": at,
        "attempts": one.attempts,
        "error_code": one.error_code,
        "error": one.error,
        "ended_at": None,
        "lease_token": None,
        "lease_until": None,
        "worker": None,
    }


def _row_joined(one: Return, now: datetime) -> dict[str, Any]:
    return {
        "_company": one.job.company_id,
        "_job": one.job.job_id,
        "state": JobState.DONE.value,
        "error_code": one.error_code,
        "error": one.error,
        "ended_at": to_microseconds(now),
        "note": COALESCED,
        "lease_token": None,
        "lease_until": None,
        "worker": None,
    }


def _fold_into(connection: Connection, twin: Job, one: Return) -> None:
    merged = merge_jobs(twin, one.job.model_copy(update={"run_at": one.run_at}))
    at = to_microseconds(merged.run_at)
    values = {
        "run_at": at,
        "turn_at": at,
        "lane": merged.lane.value,
        "cause_id": merged.cause_id,
        "correlation_id": merged.correlation_id,
        "depth": merged.depth,
        "payload": json_text(merged.payload),
        "attempts": max(twin.attempts, one.attempts),
        "error_code": one.error_code,
        "error": one.error,
    }
    connection.execute(
        update(jobs).where(jobs.c.company_id == twin.company_id, jobs.c.job_id == twin.job_id).values(values)
    )
