"""Companies, connections, leases and runs on SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from runway_core.domain.announcements import find_connection_news
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company, CompanySettings, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.record import Value, encode_plain
from runway_core.domain.sync_run import PageCounts, RunOutcome, SyncRun
from runway_core.errors import CompanyErased, InvalidRequest, LeaseHeld, LeaseLost, NotFound
from runway_core.ports.clock import Clock
from runway_core.ports.mirror_store import Lease
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.announcing import announce
from runway_store_sql.bulk import is_postgres, json_text, upsert_rows
from runway_store_sql.chain import append_acts, lock_head
from runway_store_sql.engine import Database
from runway_store_sql.health import count_calls
from runway_store_sql.rows import decode_moment, encode_moment
from runway_store_sql.runs import query_last_runs
from runway_store_sql.tables import companies, connections, leases, log_heads, quarantine, sync_runs


def read_company(row: Any) -> Company:
    """Build a company from its row."""
    return Company(
        company_id=row.company_id,
        firm_id=row.firm_id,
        name=row.name,
        home_currency=row.home_currency,
        time_zone=row.time_zone,
        created_at=from_microseconds(row.created_at),
        owner=row.owner,
        tags=tuple(msgspec.json.decode(row.tags)),
        settings=CompanySettings.model_validate_json(row.settings),
    )


def _company_row(company: Company) -> dict[str, Any]:
    return {
        "company_id": company.company_id,
        "firm_id": company.firm_id,
        "name": company.name,
        "home_currency": company.home_currency,
        "time_zone": company.time_zone,
        "created_at": to_microseconds(company.created_at),
        "owner": company.owner,
        "tags": json_text(company.tags),
        "settings": encode_plain(company.settings).decode(),
    }


def read_connection(row: Any) -> Connection:
    """Build a connection from its row."""
    return Connection(
        connection_id=row.connection_id,
        company_id=row.company_id,
        firm_id=row.firm_id,
        rail=row.rail,
        settings=msgspec.json.decode(row.settings),
        state=ConnectionState(row.state),
        created_at=from_microseconds(row.created_at),
        last_attempt_at=decode_moment(row.last_attempt_at),
        last_success_at=decode_moment(row.last_success_at),
        last_full_at=decode_moment(row.last_full_at),
        source_read_at=decode_moment(row.source_read_at),
        last_error_code=row.last_error_code,
        last_error=row.last_error,
        failures_in_a_row=row.failures_in_a_row,
        last_swept_at=decode_moment(row.last_swept_at),
        rail_account=row.rail_account,
    )


def _connection_row(connection: Connection) -> dict[str, Any]:
    return {
        "company_id": connection.company_id,
        "connection_id": connection.connection_id,
        "firm_id": connection.firm_id,
        "rail": connection.rail,
        "settings": json_text(connection.settings),
        "state": connection.state.value,
        "created_at": to_microseconds(connection.created_at),
        "last_attempt_at": encode_moment(connection.last_attempt_at),
        "last_success_at": encode_moment(connection.last_success_at),
        "last_full_at": encode_moment(connection.last_full_at),
        "source_read_at": encode_moment(connection.source_read_at),
        "last_error_code": connection.last_error_code,
        "last_error": connection.last_error,
        "failures_in_a_row": connection.failures_in_a_row,
        "last_swept_at": encode_moment(connection.last_swept_at),
        "rail_account": connection.rail_account,
    }


def _draft_act(
    what: str, kind: str, external_id: str, *, value: Value, by: Attribution, at: datetime, rail: str = ""
) -> LogDraft:
    return LogDraft(
        seen_at=at,
        rail=rail,
        kind=kind,
        external_id=external_id,
        what=what,
        attribution=by,
        content=encode_plain(value),
    )


def _insert_unless_there(connection: SqlConnection, table: Any, values: dict[str, Any]) -> bool:
    module = postgresql if is_postgres(connection) else sqlite
    return connection.execute(module.insert(table).values(values).on_conflict_do_nothing()).rowcount > 0


def _owned_company(firm_id: FirmId, company_id: CompanyId) -> Select[Any]:
    owned = companies.c.company_id == company_id, companies.c.firm_id == firm_id
    return select(companies).where(*owned, companies.c.erased_at.is_(None))


class SqlCompanyRegistry:
    """The `CompanyRegistry` of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add_company(self, company: Company, *, attribution: Attribution) -> None:
        """Add a company and begin its log."""
        draft = _draft_act(
            "company_added", "company", company.company_id, value=company, by=attribution, at=company.created_at
        )

        def write(connection: SqlConnection) -> None:
            if not _insert_unless_there(connection, companies, _company_row(company)):
                raise InvalidRequest(f"the company id {company.company_id!r} is taken: choose another")
            append_acts(connection, company.company_id, [draft])

        await self._database.write(write)

    async def update_company(self, company: Company, *, attribution: Attribution) -> None:
        """Replace a company's name, zone, owner, tags and settings; its position is due again."""
        row = _company_row(company)
        changes = {name: row[name] for name in ("name", "time_zone", "owner", "tags", "settings")}
        owned = _owned_company(company.firm_id, company.company_id)
        at = self._clock.now()

        def write(connection: SqlConnection) -> None:
            before = connection.execute(owned.with_for_update() if is_postgres(connection) else owned).first()
            if before is None:
                raise NotFound(f"no company {company.company_id!r} in this firm")
            if read_company(before) == company:
                return
            statement = update(companies).where(
                companies.c.company_id == company.company_id, companies.c.firm_id == company.firm_id
            )
            connection.execute(statement.values(changes))
            draft = _draft_act("company_updated", "company", company.company_id, value=company, by=attribution, at=at)
            lock_head(connection, company.company_id)
            was_due = connection.scalar(
                select(log_heads.c.due_sequence).where(log_heads.c.company_id == company.company_id)
            )
            append_acts(connection, company.company_id, [draft], is_due=bool(was_due))

        await self._database.write(write)

    async def company(self, firm_id: FirmId, company_id: CompanyId, *, or_erased: bool = False) -> Company:
        """One company."""
        query = select(companies).where(companies.c.company_id == company_id, companies.c.firm_id == firm_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound(f"no company {company_id!r} in this firm")
        if row.erased_at is not None and not or_erased:
            raise CompanyErased(
                f"company {company_id!r} was erased by {row.erased_by} on {from_microseconds(row.erased_at):%Y-%m-%d}: "
                "the chain of its log is all that is left"
            )
        return read_company(row)

    async def companies(self, firm_id: FirmId, *, with_erased: bool = False) -> Sequence[Company]:
        """All companies of a firm, by name, then id; erased ones only on request."""
        query = (
            select(companies).where(companies.c.firm_id == firm_id).order_by(companies.c.name, companies.c.company_id)
        )
        if not with_erased:
            query = query.where(companies.c.erased_at.is_(None))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [read_company(row) for row in rows]

    async def add_connection(self, connection: Connection, *, attribution: Attribution) -> None:
        """Add a connection, at most one a company and rail."""
        draft = _draft_act(
            "connection_added",
            "connection",
            connection.connection_id,
            value=connection,
            by=attribution,
            at=connection.created_at,
            rail=connection.rail,
        )

        def write(sql: SqlConnection) -> None:
            if sql.execute(_owned_company(connection.firm_id, connection.company_id)).first() is None:
                raise NotFound(f"no company {connection.company_id!r} in this firm")
            if not _insert_unless_there(sql, connections, _connection_row(connection)):
                raise InvalidRequest(
                    f"company {connection.company_id!r} is connected to {connection.rail!r} already: "
                    "reconnect that connection instead"
                )
            append_acts(sql, connection.company_id, [draft])

        await self._database.write(write)

    async def connections(self, firm_id: FirmId, company_id: CompanyId | None = None) -> Sequence[Connection]:
        """The connections of one company, or of the whole firm, by company, then rail."""
        query = select(connections).where(connections.c.firm_id == firm_id)
        if company_id is not None:
            query = query.where(connections.c.company_id == company_id)
        query = query.order_by(connections.c.company_id, connections.c.rail)
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return [read_connection(row) for row in rows]

    async def name_account(self, connection: Connection, account: str) -> bool:
        """Note the rail's own name of a connection's company, where none is noted."""
        statement = (
            update(connections)
            .where(
                connections.c.company_id == connection.company_id,
                connections.c.connection_id == connection.connection_id,
                connections.c.firm_id == connection.firm_id,
                connections.c.rail_account.is_(None),
            )
            .values(rail_account=account)
        )
        return await self._database.write(lambda sql: sql.execute(statement).rowcount > 0)

    async def take_lease(self, connection: Connection, *, holder: str, now: datetime, lasts_seconds: int) -> Lease:
        """Take the right to pull a connection."""
        company_id, connection_id = connection.company_id, connection.connection_id
        expires_at = now + timedelta(seconds=lasts_seconds)

        def write(sql: SqlConnection) -> Lease:
            owned = select(connections.c.connection_id).where(
                connections.c.company_id == company_id,
                connections.c.connection_id == connection_id,
                connections.c.firm_id == connection.firm_id,
            )
            if sql.scalar(owned.with_for_update() if is_postgres(sql) else owned) is None:
                raise NotFound(f"no connection {connection_id!r} of company {company_id!r} in this firm")
            row = sql.execute(_lease_query(company_id, connection_id)).first()
            if row is not None and row.holder not in (None, holder) and row.expires_at > to_microseconds(now):
                until = from_microseconds(row.expires_at)
                raise LeaseHeld(f"{row.holder!r} is pulling {connection.rail} of company {company_id!r} until {until}")
            fencing = 1 if row is None else row.fencing + 1
            upsert_rows(sql, leases, [(company_id, connection_id, fencing, holder, to_microseconds(expires_at))])
            return Lease(
                connection_id=connection_id,
                company_id=company_id,
                firm_id=connection.firm_id,
                rail=connection.rail,
                fencing=fencing,
                holder=holder,
                expires_at=expires_at,
            )

        return await self._database.write(write)

    async def renew_lease(self, lease: Lease, *, now: datetime, lasts_seconds: int) -> Lease:
        """Extend a lease that is still ours; one that ran out and that nobody took is ours again."""
        expires_at = now + timedelta(seconds=lasts_seconds)

        def write(sql: SqlConnection) -> Lease:
            _hold(sql, lease)
            _set_lease(sql, lease, holder=lease.holder, expires_at=to_microseconds(expires_at))
            return Lease(
                connection_id=lease.connection_id,
                company_id=lease.company_id,
                firm_id=lease.firm_id,
                rail=lease.rail,
                fencing=lease.fencing,
                holder=lease.holder,
                expires_at=expires_at,
            )

        return await self._database.write(write)

    async def begin_run(self, lease: Lease, run: SyncRun) -> None:
        """Record that a pull began; repeating is harmless."""

        def write(sql: SqlConnection) -> None:
            _hold(sql, lease)
            _insert_unless_there(sql, sync_runs, _run_row(lease, run))

        await self._database.write(write)

    async def end_run(
        self,
        lease: Lease,
        run: SyncRun,
        *,
        state: ConnectionState,
        source_read_at: datetime | None,
        was_full: bool,
        attribution: Attribution,
    ) -> None:
        """Record how a pull ended, set the connection's state and let go of the lease."""
        at = run.ended_at or run.started_at
        succeeded = run.outcome is RunOutcome.SUCCEEDED

        def write(sql: SqlConnection) -> None:
            _hold(sql, lease)
            before = sql.execute(
                select(connections).where(
                    connections.c.company_id == lease.company_id,
                    connections.c.connection_id == lease.connection_id,
                )
            ).one()
            changes = _connection_changes(before, run, state=state, source_read_at=source_read_at, was_full=was_full)
            sql.execute(
                update(connections)
                .where(
                    connections.c.company_id == lease.company_id,
                    connections.c.connection_id == lease.connection_id,
                )
                .values(changes)
            )
            _insert_unless_there(sql, sync_runs, _run_row(lease, run))
            sql.execute(
                update(sync_runs)
                .where(sync_runs.c.company_id == lease.company_id, sync_runs.c.run_id == run.run_id)
                .values(
                    ended_at=to_microseconds(at),
                    outcome=run.outcome.value,
                    calls=run.calls,
                    error_code=run.error_code,
                    error=run.error,
                )
            )
            count_calls(sql, run, was_full=was_full)
            _set_lease(sql, lease, holder=None, expires_at=0)
            drafts = []
            if not succeeded:
                drafts.append(_draft_run(lease, run, by=attribution, at=at))
            if before.state != state.value:
                drafts.append(_draft_state(lease, before.state, state, by=attribution, at=at))
            append_acts(sql, lease.company_id, drafts)
            if before.state != state.value:
                find = partial(
                    find_connection_news,
                    lease.company_id,
                    lease.connection_id,
                    lease.rail,
                    before=ConnectionState(before.state),
                    after=state,
                    at=at,
                )
                announce(sql, lease.firm_id, find, at=at)

        await self._database.write(write)

    async def runs(self, firm_id: FirmId, company_id: CompanyId, *, limit: int = 20) -> Sequence[SyncRun]:
        """The latest runs of a company, newest first."""
        query = (
            select(sync_runs)
            .join(companies, companies.c.company_id == sync_runs.c.company_id)
            .where(sync_runs.c.company_id == company_id, companies.c.firm_id == firm_id)
            .order_by(sync_runs.c.started_at.desc(), sync_runs.c.run_id.desc())
            .limit(limit)
        )
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return [_read_run(row) for row in rows]

    async def last_runs(self, firm_id: FirmId) -> Mapping[CompanyId, SyncRun]:
        """The latest run of each company of a firm, in one query."""
        query = query_last_runs(firm_id)
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return {CompanyId(row.company_id): _read_run(row) for row in rows}

    async def count_quarantined(self, firm_id: FirmId) -> Mapping[CompanyId, int]:
        """How many records lie in quarantine, by company of a firm; companies without any are absent."""
        query = (
            select(quarantine.c.company_id, func.count())
            .join(companies, companies.c.company_id == quarantine.c.company_id)
            .where(companies.c.firm_id == firm_id)
            .group_by(quarantine.c.company_id)
        )
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return {CompanyId(company_id): count for company_id, count in rows}


def _lease_query(company_id: CompanyId, connection_id: ConnectionId) -> Select[Any]:
    return select(leases).where(leases.c.company_id == company_id, leases.c.connection_id == connection_id)


def _hold(sql: SqlConnection, lease: Lease) -> None:
    query = _lease_query(lease.company_id, lease.connection_id)
    row = sql.execute(query.with_for_update() if is_postgres(sql) else query).first()
    if row is None or row.fencing != lease.fencing or row.holder != lease.holder:
        raise LeaseLost(f"another worker pulls {lease.rail} of company {lease.company_id!r} now; its result stands")


def _set_lease(sql: SqlConnection, lease: Lease, *, holder: str | None, expires_at: int) -> None:
    sql.execute(
        update(leases)
        .where(leases.c.company_id == lease.company_id, leases.c.connection_id == lease.connection_id)
        .values(holder=holder, expires_at=expires_at)
    )


def _run_row(lease: Lease, run: SyncRun) -> dict[str, Any]:
    return {
        "company_id": lease.company_id,
        "run_id": run.run_id,
        "connection_id": lease.connection_id,
        "rail": run.rail,
        "cause": run.cause.value,
        "started_at": to_microseconds(run.started_at),
        "ended_at": None,
        "outcome": RunOutcome.RUNNING.value,
        **dict.fromkeys(PageCounts.model_fields, 0),
        "calls": 0,
        "error_code": None,
        "error": None,
    }


def _read_run(row: Any) -> SyncRun:
    return SyncRun(
        run_id=row.run_id,
        company_id=row.company_id,
        connection_id=row.connection_id,
        rail=row.rail,
        cause=Cause(row.cause),
        started_at=from_microseconds(row.started_at),
        ended_at=decode_moment(row.ended_at),
        outcome=RunOutcome(row.outcome),
        counts=PageCounts(**{name: getattr(row, name) for name in PageCounts.model_fields}),
        calls=row.calls,
        error_code=row.error_code,
        error=row.error,
    )


def _connection_changes(
    before: Any, run: SyncRun, *, state: ConnectionState, source_read_at: datetime | None, was_full: bool
) -> dict[str, Any]:
    ended = encode_moment(run.ended_at or run.started_at)
    changes: dict[str, Any] = {
        "state": state.value,
        "last_attempt_at": to_microseconds(run.started_at),
        "last_error_code": run.error_code,
        "last_error": run.error,
    }
    if run.outcome is not RunOutcome.SUCCEEDED:
        return changes | {"failures_in_a_row": before.failures_in_a_row + 1}
    changes |= {"last_success_at": ended, "failures_in_a_row": 0}
    if source_read_at is not None:
        changes["source_read_at"] = to_microseconds(source_read_at)
    if was_full:
        changes["last_full_at"] = ended
    if run.cause is Cause.SWEEP:
        changes["last_swept_at"] = ended
    return changes


def _draft_run(lease: Lease, run: SyncRun, *, by: Attribution, at: datetime) -> LogDraft:
    return _draft_act("run_failed", "connection", lease.connection_id, value=run, by=by, at=at, rail=lease.rail)


def _draft_state(lease: Lease, before: str, after: ConnectionState, *, by: Attribution, at: datetime) -> LogDraft:
    return LogDraft(
        seen_at=at,
        rail=lease.rail,
        kind="connection",
        external_id=lease.connection_id,
        what="connection_state_changed",
        attribution=by,
        changed=encode_plain({"state": (before, after.value)}),
    )
