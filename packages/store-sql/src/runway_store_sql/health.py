"""What is stored about the service itself, on SQL. What one firm settles is serialised by a row of its own."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from runway_core.domain.alerts import Alert, Condition, plan_alerts
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.quotas import CallCount, name_month
from runway_core.domain.record import encode_plain
from runway_core.domain.service_levels import FreshnessSample, SampleSum
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.ports.health_store import RunRate
from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, delete, false, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import among, is_postgres, upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.limit_tables import alert_turns, alerts, call_counts, freshness_samples
from runway_store_sql.runs import delete_spare_runs
from runway_store_sql.tables import companies, quarantine, sync_runs


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

    async def add_calls(self, company_id: CompanyId, rail: str, calls: int, *, at: datetime) -> None:
        """Add calls that no pull made to their month."""
        counted = CallCount(calls)
        month = name_month(at)
        await self._database.write(lambda connection: _add_calls(connection, company_id, rail, month, counted))

    async def run_rates(self, firm_id: FirmId, *, since: datetime) -> Mapping[tuple[CompanyId, str], RunRate]:
        """Pulls that began since a moment, by company and rail."""
        failed = case((sync_runs.c.outcome == RunOutcome.FAILED.value, 1), else_=0)
        query = (
            select(
                sync_runs.c.company_id,
                sync_runs.c.rail,
                func.count(),
                func.sum(failed),
                func.sum(sync_runs.c.calls),
            )
            .join(companies, companies.c.company_id == sync_runs.c.company_id)
            .where(
                companies.c.firm_id == firm_id,
                sync_runs.c.started_at >= to_microseconds(since),
                sync_runs.c.outcome != RunOutcome.RUNNING.value,
            )
            .group_by(sync_runs.c.company_id, sync_runs.c.rail)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {(CompanyId(row[0]), row[1]): RunRate(row[2], int(row[3]), int(row[4])) for row in rows}

    async def quarantined(self, firm_id: FirmId) -> Mapping[tuple[CompanyId, str, str | None], int]:
        """Records in quarantine, by company, rail and kind."""
        query = (
            select(quarantine.c.company_id, quarantine.c.rail, quarantine.c.kind, func.count())
            .join(companies, companies.c.company_id == quarantine.c.company_id)
            .where(companies.c.firm_id == firm_id)
            .group_by(quarantine.c.company_id, quarantine.c.rail, quarantine.c.kind)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {(CompanyId(company_id), rail, kind): count for company_id, rail, kind, count in rows}

    async def add_sample(self, firm_id: FirmId, sample: FreshnessSample) -> bool:
        """Keep a sample, unless there is one of that moment."""

        def write(connection: Connection) -> bool:
            module = postgresql if is_postgres(connection) else sqlite
            statement = module.insert(freshness_samples).values(
                firm_id=firm_id,
                taken_at=to_microseconds(sample.taken_at),
                counted=sample.counted,
                fresh=sample.fresh,
                oldest_seconds=sample.oldest_seconds,
            )
            return connection.execute(statement.on_conflict_do_nothing()).rowcount > 0

        return await self._database.write(write)

    async def sum_samples(self, firm_id: FirmId, *, since: Sequence[datetime]) -> Sequence[SampleSum]:
        """Add up the samples taken since each of these moments, in one query."""
        table = freshness_samples
        moments = [to_microseconds(moment) for moment in since]
        sums = [
            func.coalesce(func.sum(case((table.c.taken_at >= moment, column), else_=0)), 0)
            for moment in moments
            for column in (table.c.counted, table.c.fresh)
        ]
        query = select(*sums).where(table.c.firm_id == firm_id, table.c.taken_at >= min(moments))
        row = await self._database.read(lambda connection: connection.execute(query).one())
        return [SampleSum(int(row[at]), int(row[at + 1])) for at in range(0, len(row), 2)]

    async def prune_samples(self, *, before: datetime) -> int:
        """Forget samples taken before a moment."""
        statement = delete(freshness_samples).where(freshness_samples.c.taken_at < to_microseconds(before))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def prune_runs(self, *, before: datetime, since: datetime | None = None, limit: int = 50_000) -> int:
        """Forget pulls that brought nothing."""
        statement = delete_spare_runs(before=before, since=since, limit=limit)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def alerts(self, firm_id: FirmId, *, resolved_since: datetime | None = None) -> Sequence[Alert]:
        """Open alerts, and those resolved since a moment when asked; the last raised first."""
        wanted: ColumnElement[bool] = alerts.c.resolved_at.is_(None)
        if resolved_since is not None:
            wanted = or_(wanted, alerts.c.resolved_at >= to_microseconds(resolved_since))
        query = (
            select(alerts.c.document, alerts.c.is_told, alerts.c.told_by)
            .where(alerts.c.firm_id == firm_id, wanted)
            .order_by(alerts.c.raised_at.desc(), alerts.c.alert_key)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_read_alert(row) for row in rows]

    async def settle_alerts(
        self, firm_id: FirmId, conditions: Sequence[Condition], *, now: datetime
    ) -> Sequence[Alert]:
        """Raise and resolve, in one transaction."""
        query = select(alerts.c.document, alerts.c.is_told, alerts.c.told_by).where(
            alerts.c.firm_id == firm_id, alerts.c.resolved_at.is_(None)
        )
        open_alerts = [
            _read_alert(row) for row in await self._database.read(lambda connection: connection.execute(query).all())
        ]
        if not plan_alerts(open_alerts, conditions, now):
            return ()

        def write(connection: Connection) -> Sequence[Alert]:
            _take_turn(connection, firm_id, now)
            held = [_read_alert(row) for row in connection.execute(query)]
            changed = plan_alerts(held, conditions, now)
            upsert_rows(connection, alerts, [_alert_row(firm_id, alert) for alert in changed])
            return changed

        return await self._database.write(write)

    async def claim_untold(self, firm_id: FirmId, *, now: datetime, lasts_seconds: int = 120) -> Sequence[Alert]:
        """Take the alerts whose last change was not told."""
        at, until = to_microseconds(now), to_microseconds(now + timedelta(seconds=lasts_seconds))
        free = (alerts.c.firm_id == firm_id, alerts.c.is_told == false(), alerts.c.telling_until <= at)
        query = select(alerts.c.alert_key).where(*free)
        if not await self._database.read(lambda connection: connection.execute(query).all()):
            return ()
        claim = update(alerts).where(*free).values(telling_until=until)
        claim = claim.returning(alerts.c.document, alerts.c.is_told, alerts.c.told_by)
        rows = await self._database.write(lambda connection: connection.execute(claim).all())
        return sorted((_read_alert(row) for row in rows), key=lambda alert: alert.key)

    async def note_told(self, firm_id: FirmId, told: Sequence[Alert], *, by: str) -> None:
        """One teller has told these as they are here."""

        def write(connection: Connection) -> None:
            same = {alert.key: _document_of(alert) for alert in told}
            query = select(alerts.c.alert_key, alerts.c.document, alerts.c.told_by).where(
                alerts.c.firm_id == firm_id, among(connection, alerts.c.alert_key, list(same))
            )
            noted = [
                {"held_key": row.alert_key, "tellers": json.dumps([*json.loads(row.told_by), by])}
                for row in connection.execute(query.with_for_update())  # tellers note what they told side by side
                if row.document == same[row.alert_key] and by not in json.loads(row.told_by)
            ]
            if noted:
                statement = (
                    update(alerts)
                    .where(alerts.c.firm_id == firm_id, alerts.c.alert_key == bindparam("held_key"))
                    .values(told_by=bindparam("tellers"))
                )
                connection.execute(statement, noted)

        await self._database.write(write)

    async def mark_told(self, firm_id: FirmId, told: Sequence[Alert]) -> None:
        """These were told as they are here; one that changed since stays to be told."""

        def write(connection: Connection) -> None:
            query = select(alerts.c.alert_key, alerts.c.document).where(
                alerts.c.firm_id == firm_id, among(connection, alerts.c.alert_key, [alert.key for alert in told])
            )
            same = {alert.key: _document_of(alert) for alert in told}
            keys = [row.alert_key for row in connection.execute(query) if row.document == same[row.alert_key]]
            connection.execute(
                update(alerts)
                .where(alerts.c.firm_id == firm_id, among(connection, alerts.c.alert_key, keys))
                .values(is_told=True)
            )

        await self._database.write(write)


def _document_of(alert: Alert) -> str:
    """What is so, without who was told, which stands in columns of its own."""
    values = {name: getattr(alert, name) for name in Alert.model_fields if name != "told_by"}
    return encode_plain(values | {"is_told": False}).decode()


def _read_alert(row: Row[*tuple[Any, ...]]) -> Alert:
    told = {"is_told": bool(row.is_told), "told_by": tuple(json.loads(row.told_by))}
    return Alert.model_validate_json(row.document).model_copy(update=told)


def _alert_row(firm_id: FirmId, alert: Alert) -> tuple[object, ...]:
    resolved = None if alert.resolved_at is None else to_microseconds(alert.resolved_at)
    return (firm_id, alert.key, to_microseconds(alert.raised_at), resolved, False, 0, _document_of(alert), "[]")


def _take_turn(connection: Connection, firm_id: FirmId, now: datetime) -> None:
    upsert_rows(connection, alert_turns, [(firm_id, to_microseconds(now))])


def count_calls(connection: Connection, run: SyncRun, *, was_full: bool) -> None:
    """Add a run's calls to its month, within the transaction that ends the run."""
    if run.calls:
        counted = CallCount(run.calls, 0 if was_full else 1, 0 if was_full else run.calls)
        _add_calls(connection, run.company_id, run.rail, name_month(run.ended_at or run.started_at), counted)


def _add_calls(connection: Connection, company_id: CompanyId, rail: str, month: str, counted: CallCount) -> None:
    module = postgresql if is_postgres(connection) else sqlite
    statement = module.insert(call_counts).values(
        company_id=company_id,
        rail=rail,
        month=month,
        calls=counted.calls,
        polls=counted.polls,
        poll_calls=counted.poll_calls,
    )
    sums = {name: call_counts.c[name] + statement.excluded[name] for name in ("calls", "polls", "poll_calls")}
    connection.execute(statement.on_conflict_do_update(index_elements=["company_id", "rail", "month"], set_=sums))
