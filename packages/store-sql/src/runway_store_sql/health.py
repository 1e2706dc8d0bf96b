"""What is stored about the service itself, on SQL."""

from collections.abc import Mapping

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.quotas import CallCount, name_month
from runway_core.domain.sync_run import SyncRun
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import is_postgres
from runway_store_sql.engine import Database
from runway_store_sql.limit_tables import call_counts
from runway_store_sql.tables import companies


class SqlHealthStore:
    """The `HealthStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call_counts(self, month: str) -> Mapping[str, CallCount]:
        """Calls of a month by rail, all firms together."""
        query = (
            select(
                call_counts.c.rail,
                func.sum(call_counts.c.calls),
                func.sum(call_counts.c.polls),
                func.sum(call_counts.c.poll_calls),
            )
            .where(call_counts.c.month == month)
            .group_by(call_counts.c.rail)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {rail: CallCount(*(int(count) for count in counts)) for rail, *counts in rows}

    async def company_calls(self, firm_id: FirmId, month: str) -> Mapping[tuple[CompanyId, str], CallCount]:
        """Calls of a month by company and rail, for one firm."""
        query = (
            select(call_counts)
            .join(companies, companies.c.company_id == call_counts.c.company_id)
            .where(companies.c.firm_id == firm_id, call_counts.c.month == month)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {(CompanyId(row.company_id), row.rail): CallCount(row.calls, row.polls, row.poll_calls) for row in rows}


def count_calls(connection: Connection, run: SyncRun, *, was_full: bool) -> None:
    """Add a run's calls to its month, within the transaction that ends the run."""
    if run.calls == 0:
        return
    module = postgresql if is_postgres(connection) else sqlite
    statement = module.insert(call_counts).values(
        company_id=run.company_id,
        rail=run.rail,
        month=name_month(run.ended_at or run.started_at),
        calls=run.calls,
        polls=0 if was_full else 1,
        poll_calls=0 if was_full else run.calls,
    )
    counted = {name: call_counts.c[name] + statement.excluded[name] for name in ("calls", "polls", "poll_calls")}
    connection.execute(statement.on_conflict_do_update(index_elements=["company_id", "rail", "month"], set_=counted))
