"""Pulls on SQL: the last of each company, and which of them may be forgotten."""

from datetime import datetime, timedelta
from typing import Any

from runway_core.domain.identity import FirmId
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.sync_run import RunOutcome
from sqlalchemy import ColumnElement, Delete, Select, and_, case, delete, exists, literal, select, tuple_

from runway_store_sql.tables import BROUGHT_NOTHING, companies, sync_runs

_DAY: int = timedelta(days=1) // timedelta(microseconds=1)


def query_last_runs(firm_id: FirmId) -> Select[Any]:
    """The latest run of each company of a firm: one look into an index a company, however many runs there are."""
    own = sync_runs.alias("own")
    last_id = (
        select(own.c.run_id)
        .where(own.c.company_id == companies.c.company_id)
        .order_by(own.c.started_at.desc(), own.c.run_id.desc())
        .limit(1)
        .correlate(companies)
        .scalar_subquery()
    )
    is_last = and_(sync_runs.c.company_id == companies.c.company_id, sync_runs.c.run_id == last_id)
    return select(sync_runs).select_from(companies).join(sync_runs, is_last).where(companies.c.firm_id == firm_id)


def _has_better() -> ColumnElement[bool]:
    """A later run of its connection says as much: of the same day, where both succeeded."""
    later = sync_runs.alias("later")
    succeeded = RunOutcome.SUCCEEDED.value
    is_later = and_(
        later.c.company_id == sync_runs.c.company_id,
        later.c.connection_id == sync_runs.c.connection_id,
        tuple_(later.c.started_at, later.c.run_id) > tuple_(sync_runs.c.started_at, sync_runs.c.run_id),
    )
    day_ends = sync_runs.c.started_at - sync_runs.c.started_at % literal(_DAY) + literal(_DAY)
    is_same_day = and_(later.c.outcome == succeeded, later.c.started_at < day_ends)
    return case(
        (sync_runs.c.outcome == succeeded, exists().where(is_later, is_same_day)), else_=exists().where(is_later)
    )


def query_spare_runs(*, before: datetime, since: datetime | None, limit: int) -> Select[Any]:
    """Runs of a time that brought nothing and that a later one makes needless, the oldest first."""
    query = (
        select(sync_runs.c.company_id, sync_runs.c.run_id)
        .where(BROUGHT_NOTHING, sync_runs.c.started_at < to_microseconds(before), _has_better())
        .order_by(sync_runs.c.started_at)
        .limit(limit)
    )
    return query if since is None else query.where(sync_runs.c.started_at >= to_microseconds(since))


def delete_spare_runs(*, before: datetime, since: datetime | None, limit: int) -> Delete:
    """Forget these."""
    spare = query_spare_runs(before=before, since=since, limit=limit)
    return delete(sync_runs).where(tuple_(sync_runs.c.company_id, sync_runs.c.run_id).in_(spare))
