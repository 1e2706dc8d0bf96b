"""A job as a row and back, and many new ones as one parameter."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.jobs import Candidate, ClaimedJob, Job, JobState, Lane, NewJob, Work
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import is_postgres, json_text
from runway_store_sql.rows import decode_moment
from runway_store_sql.tables import IS_WAITING, jobs

_NEW = (
    *("company_id", "job_id", "firm_id", "connection_id", "rail", "work", "lane", "run_at", "turn_at", "dedupe_key"),
    *("cause_id", "correlation_id", "depth", "payload", "state", "attempts", "enqueued_at"),
)
"""The columns that a new job fills."""

_FOLLOWS_LANE = ("work", "cause_id", "correlation_id", "depth", "payload")
"""What a waiting job takes from a more urgent one of its key."""

IS_KNOWN = jobs.c.work.in_([work.value for work in Work])
"""A job whose work this code knows; those of a newer release are left to its processes."""

CANDIDATE = tuple(jobs.c[name] for name in ("job_id", "company_id", "connection_id", "lane", "run_at", "turn_at"))


def read_job(row: Any) -> Job:
    """Build a job from its row."""
    return Job.trusted(
        {
            "firm_id": FirmId(row.firm_id),
            "company_id": CompanyId(row.company_id),
            "connection_id": None if row.connection_id is None else ConnectionId(row.connection_id),
            "rail": row.rail,
            "work": Work(row.work),
            "lane": Lane(row.lane),
            "run_at": from_microseconds(row.run_at),
            "dedupe_key": row.dedupe_key,
            "cause_id": row.cause_id,
            "correlation_id": row.correlation_id,
            "depth": row.depth,
            "payload": msgspec.json.decode(row.payload),
            "job_id": row.job_id,
            "state": JobState(row.state),
            "attempts": row.attempts,
            "enqueued_at": from_microseconds(row.enqueued_at),
            "last_attempt_at": decode_moment(row.last_attempt_at),
            "ended_at": decode_moment(row.ended_at),
            "error_code": row.error_code,
            "error": row.error,
            "note": row.note,
        }
    )


def read_claim(row: Any) -> ClaimedJob:
    """Build a claimed job from its row."""
    return ClaimedJob(read_job(row), row.lease_token, from_microseconds(row.lease_until), row.worker)


def read_candidate(row: Any) -> Candidate:
    """Build what a claim is decided on."""
    return Candidate(
        job_id=row.job_id,
        company_id=CompanyId(row.company_id),
        connection_id=row.connection_id,
        lane=Lane(row.lane),
        run_at=from_microseconds(row.run_at),
        turn_at=from_microseconds(row.turn_at),
    )


def encode_new(new: Iterable[NewJob], now: datetime) -> tuple[list[str], str]:
    """Ids for new jobs, growing with time and place, and the rows as one JSON text."""
    at = to_microseconds(now)
    new = list(new)
    ids = [f"{at:014x}{place:06x}{uuid4().hex[:12]}" for place in range(len(new))]
    rows = [
        {
            "company_id": job.company_id,
            "job_id": job_id,
            "firm_id": job.firm_id,
            "connection_id": job.connection_id,
            "rail": job.rail,
            "work": job.work.value,
            "lane": job.lane.value,
            "run_at": to_microseconds(job.run_at),
            "turn_at": to_microseconds(job.run_at),
            "dedupe_key": job.dedupe_key,
            "cause_id": job.cause_id,
            "correlation_id": job.correlation_id or job_id,
            "depth": job.depth,
            "payload": json_text(job.payload),
            "state": JobState.WAITING.value,
            "attempts": 0,
            "enqueued_at": at,
        }
        for job_id, job in zip(ids, new, strict=True)
    ]
    return ids, json_text(rows)


def make_insert(connection: Connection, rows: str) -> Executable:
    """One statement that adds all rows; those whose key waits already change that one, or nothing."""
    types = {name: Text() if isinstance(jobs.c[name].type, Text) else jobs.c[name].type for name in _NEW}
    assert all(isinstance(kind, Text | Integer | BigInteger) for kind in types.values())
    if is_postgres(connection):
        given = func.json_to_recordset(cast(bindparam(None, rows, type_=Text()), postgresql.JSON()))
        listed = given.table_valued(*(column(name, types[name]) for name in _NEW), name="news").render_derived(
            with_types=True
        )
        source = select(*(listed.c[name] for name in _NEW))
        insert: Any = postgresql.insert(jobs)
    else:
        each = func.json_each(bindparam(None, rows, type_=Text())).table_valued("value", name="news")
        source = select(*(func.json_extract(each.c.value, f"$.{name}").label(name) for name in _NEW))
        source = source.where(text("1 = 1"))  # else SQLite reads ON CONFLICT as the condition of a join
        insert = sqlite.insert(jobs)
    statement = insert.from_select(_NEW, source)
    news = statement.excluded
    is_earlier, is_urgent = news.run_at < jobs.c.run_at, news.lane < jobs.c.lane
    changes = {
        "run_at": case((is_earlier, news.run_at), else_=jobs.c.run_at),
        "turn_at": case((news.turn_at < jobs.c.turn_at, news.turn_at), else_=jobs.c.turn_at),
        "lane": case((is_urgent, news.lane), else_=jobs.c.lane),
        **{name: case((is_urgent, news[name]), else_=jobs.c[name]) for name in _FOLLOWS_LANE},
    }
    merged = statement.on_conflict_do_update(
        index_elements=[jobs.c.company_id, jobs.c.dedupe_key],
        index_where=IS_WAITING,
        set_=changes,
        where=is_earlier | is_urgent,
    )
    returning: Executable = merged.returning(jobs.c.job_id)
    return returning


def count_added(connection: Connection, ids: Sequence[str], rows: str) -> int:
    """Insert rows and count those that are new."""
    touched = set(connection.scalars(make_insert(connection, rows)))
    return len(touched.intersection(ids))
