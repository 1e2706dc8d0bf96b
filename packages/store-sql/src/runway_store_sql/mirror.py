"""The mirror on SQL. Every statement names the company; `page.py` holds the writing half."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from runway_core.domain.books import Books
from runway_core.domain.changes import Attribution, ChangePage, Cursor
from runway_core.domain.company import Company
from runway_core.domain.field_changes import CHANGES_DAYS
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.ledger import BalanceChange, BalanceClose
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.papers import PaperKind
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import DEFAULT_POLICY
from runway_core.domain.sweeps import CONTROL_FIELDS, HeldKind
from runway_core.domain.sync_run import QuarantinedRecord
from runway_core.ports.mirror_store import Lease, MirroredRecord, PageReceipt
from sqlalchemy import Connection, Row, Select, and_, delete, exists, false, func, literal, or_, select

from runway_store_sql.books import open_rest, read_books
from runway_store_sql.bulk import among
from runway_store_sql.chain import append_acts
from runway_store_sql.engine import Database
from runway_store_sql.held_books import HeldBooks
from runway_store_sql.log_archives import SqlLogArchives
from runway_store_sql.page import PageWork, commit
from runway_store_sql.past import POLICIES, ArchivedPast, ArchiveWanted
from runway_store_sql.position_tables import positions
from runway_store_sql.rows import decode_amount, field_columns, read_rows
from runway_store_sql.tables import (
    NIL,
    RECORD_SPECS,
    RecordSpec,
    balance_changes,
    balance_closes,
    companies,
    cursors,
    log_heads,
    quarantine,
    working_papers,
)

_PLACE = ("raw", "rail", "seen_at", "is_deleted", "log_sequence")


def _read_place(spec: RecordSpec, row: Sequence[Any]) -> MirroredRecord:
    raw, rail, seen_at, is_deleted, log_sequence = row[-5:]
    return MirroredRecord(
        record=read_rows(spec, [row[:-5]])[0],
        raw=raw,
        rail=rail,
        seen_at=from_microseconds(seen_at),
        is_deleted=bool(is_deleted),
        log_sequence=log_sequence,
    )


def _place_query(spec: RecordSpec, company_id: CompanyId) -> Select[Any]:
    columns = [*field_columns(spec), *(spec.table.c[name] for name in _PLACE)]
    return select(*columns).where(spec.table.c.company_id == company_id)


def _measure(connection: Connection, spec: RecordSpec, company_id: CompanyId, rail: str) -> HeldKind:
    table = spec.table
    live = (table.c.company_id == company_id, table.c.rail == rail, table.c.is_deleted == false())
    aside = _count_aside(connection, spec, company_id, rail)
    amount = next((table.c[name] for name in CONTROL_FIELDS if spec.has(name)), None)
    if amount is None:
        query = select(func.count()).select_from(table).where(*live)
        return HeldKind(count=connection.execute(query).scalar_one(), aside=aside)
    by_currency = select(table.c.currency, func.count(), func.sum(amount)).where(*live).group_by(table.c.currency)
    rows = sorted((currency, count, int(total)) for currency, count, total in connection.execute(by_currency))
    return HeldKind(
        count=sum(count for _, count, _ in rows),
        aside=aside,
        totals={currency: decode_amount(total) for currency, _, total in rows if total},
    )


def _count_aside(connection: Connection, spec: RecordSpec, company_id: CompanyId, rail: str) -> int:
    """Records in quarantine of which no revision is live."""
    table = spec.table
    is_live = exists().where(
        table.c.company_id == company_id,
        table.c.rail == rail,
        table.c.external_id == quarantine.c.external_id,
        table.c.is_deleted == false(),
    )
    query = select(func.count()).where(
        quarantine.c.company_id == company_id,
        quarantine.c.rail == rail,
        quarantine.c.kind == spec.kind.value,
        ~is_live,
    )
    return connection.execute(query).scalar_one()


_IS_POLICY_OF_FIRM = and_(
    working_papers.c.company_id == literal(firm_chain(FirmId(""))) + companies.c.firm_id,
    working_papers.c.paper_kind == PaperKind.POLICY.value,
    working_papers.c.paper_id == DEFAULT_POLICY.paper_id,
)
_NEWEST_QUARANTINE = select(quarantine).order_by(quarantine.c.last_seen_at.desc(), quarantine.c.quarantine_id)


class SqlMirrorStore:
    """The `MirrorStore` of a database."""

    def __init__(self, database: Database, archives: SqlLogArchives) -> None:
        self._database = database
        self._archives = archives
        self._held_books = HeldBooks()

    async def commit_page(
        self,
        lease: Lease,
        page: ChangePage,
        *,
        run_id: str,
        attribution: Attribution,
        seen_at: datetime,
        accept_missing: bool = False,
    ) -> PageReceipt:
        """Store one page whole, in one transaction; see the port."""
        work = PageWork(
            lease=lease,
            page=page,
            run_id=run_id,
            attribution=attribution,
            seen_at=seen_at,
            accept_missing=accept_missing,
        )
        return await self._database.write(lambda connection: commit(connection, work), company_id=work.company_id)

    async def cursor(self, connection_id: ConnectionId, company_id: CompanyId) -> Cursor | None:
        """Where the next pull starts, or `None` before the first page."""
        query = select(cursors.c.token).where(
            cursors.c.company_id == company_id, cursors.c.connection_id == connection_id
        )
        token = await self._database.read(lambda connection: connection.scalar(query), company_id=company_id)
        return None if token is None else Cursor(token)

    async def load_books(
        self,
        company: Company,
        *,
        as_of: date,
        history_from: date,
        read_at: datetime,
        known_at: datetime | None = None,
    ) -> Books:
        """Read everything that calculators need on one snapshot, in a fixed number of queries.

        What of the past is in files alone is read before; again where more was archived meanwhile.
        """
        archived: dict[CompanyId, ArchivedPast] = {}
        read = partial(
            read_books,
            company=company,
            held_books=self._held_books,
            as_of=as_of,
            history_from=history_from,
            read_at=read_at,
            known_at=known_at,
            archived=archived,
        )
        while True:
            try:
                return await self._database.read(read, company_id=company.company_id)
            except ArchiveWanted as wanted:
                assert known_at is not None, "books of today are in the table"
                since = read_at - timedelta(days=CHANGES_DAYS)
                kinds = POLICIES if wanted.owner == firm_chain(company.firm_id) else None
                archived[wanted.owner] = await self._archives.read_past(
                    wanted.owner, known_at=known_at, since=since, kinds=kinds
                )

    async def find_records(
        self,
        company_id: CompanyId,
        kind: RecordKind,
        *,
        open_only: bool = False,
        limit: int = 100,
        after: str | None = None,
        include_deleted: bool = False,
    ) -> Sequence[MirroredRecord]:
        """List records of one kind by external id."""
        spec = RECORD_SPECS[kind]
        table = spec.table
        query = _place_query(spec, company_id)
        if not include_deleted:
            query = query.where(table.c.is_deleted == false())
        if after is not None:
            query = query.where(table.c.external_id > after)
        if open_only:
            rest = open_rest(spec)
            query = query.where(rest > NIL if rest is not None else false())
        query = query.order_by(table.c.external_id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all(), company_id=company_id)
        return [_read_place(spec, row) for row in rows]

    async def read_records(self, company_id: CompanyId, keys: Sequence[RecordKey]) -> dict[RecordKey, MirroredRecord]:
        """Read the records that are held of `keys`, tombstones too, in one query a kind."""
        groups: dict[RecordKind, list[str]] = defaultdict(list)
        for key in keys:
            groups[key.kind].append(key.external_id)

        def read(connection: Connection) -> dict[RecordKey, MirroredRecord]:
            found: dict[RecordKey, MirroredRecord] = {}
            for kind, ids in groups.items():
                spec = RECORD_SPECS[kind]
                query = _place_query(spec, company_id).where(among(connection, spec.table.c.external_id, ids))
                for row in connection.execute(query):
                    mirrored = _read_place(spec, row)
                    found[mirrored.record.key] = mirrored
            return found

        return await self._database.read(read, company_id=company_id)

    async def count_records(self, company_id: CompanyId) -> dict[RecordKind, int]:
        """How many live records of each kind are held."""

        def count(connection: Connection) -> dict[RecordKind, int]:
            return {
                kind: connection.execute(
                    select(func.count())
                    .select_from(spec.table)
                    .where(spec.table.c.company_id == company_id, spec.table.c.is_deleted == false())
                ).scalar_one()
                for kind, spec in RECORD_SPECS.items()
            }

        return await self._database.read(count, company_id=company_id)

    async def measure_kinds(self, company_id: CompanyId, rail: str) -> Mapping[RecordKind, HeldKind]:
        """What a rail's live records come to by kind, in two queries a kind."""

        def measure(connection: Connection) -> dict[RecordKind, HeldKind]:
            return {kind: _measure(connection, spec, company_id, rail) for kind, spec in RECORD_SPECS.items()}

        return await self._database.read(measure, company_id=company_id)

    async def balance_history(
        self, company_id: CompanyId, account_id: str, *, since: datetime | None = None
    ) -> Sequence[BalanceChange]:
        """Every balance that was seen of one account, oldest first."""
        query = select(balance_changes).where(
            balance_changes.c.company_id == company_id, balance_changes.c.account_id == account_id
        )
        if since is not None:
            query = query.where(balance_changes.c.observed_at >= to_microseconds(since))
        query = query.order_by(balance_changes.c.log_sequence)
        rows = await self._database.read(lambda connection: connection.execute(query).all(), company_id=company_id)
        return [
            BalanceChange(
                account_id=row.account_id,
                observed_at=from_microseconds(row.observed_at),
                source_time=from_microseconds(row.source_time),
                currency=row.currency,
                balance=decode_amount(row.balance),
            )
            for row in rows
        ]

    async def balance_closes(self, company_id: CompanyId, *, first_day: date, last_day: date) -> Sequence[BalanceClose]:
        """The stored closes of all accounts between two days, by day, then account."""
        table = balance_closes
        query = (
            select(table)
            .where(
                table.c.company_id == company_id,
                table.c.day >= first_day.isoformat(),  # BETWEEN and COLLATE do not go together
                table.c.day <= last_day.isoformat(),
            )
            .order_by(table.c.day, table.c.account_id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all(), company_id=company_id)
        return [
            BalanceClose(
                account_id=row.account_id,
                day=date.fromisoformat(row.day),
                currency=row.currency,
                balance=decode_amount(row.balance),
            )
            for row in rows
        ]

    async def quarantine(self, company_id: CompanyId) -> Sequence[QuarantinedRecord]:
        """What could not be understood, newest first."""
        query = _NEWEST_QUARANTINE.where(quarantine.c.company_id == company_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all(), company_id=company_id)
        return [_read_quarantined(row) for row in rows]

    async def quarantine_of(
        self, company_ids: Collection[CompanyId], *, rail: str | None = None, limit: int = 100
    ) -> Sequence[QuarantinedRecord]:
        """What could not be understood of several companies, newest first."""
        query = _NEWEST_QUARANTINE.limit(limit)
        if rail is not None:
            query = query.where(quarantine.c.rail == rail)

        def read(connection: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
            return connection.execute(query.where(among(connection, quarantine.c.company_id, list(company_ids)))).all()

        return [_read_quarantined(row) for row in await self._database.read(read)]

    async def discard_quarantined(self, company_id: CompanyId, quarantine_id: str, *, act: LogDraft) -> bool:
        """Drop one quarantined record and log it, in one transaction; false when it is not there."""
        statement = delete(quarantine).where(
            quarantine.c.company_id == company_id, quarantine.c.quarantine_id == quarantine_id
        )

        def write(connection: Connection) -> bool:
            if connection.execute(statement).rowcount == 0:
                return False
            append_acts(connection, company_id, [act])
            return True

        return await self._database.write(write, company_id=company_id)

    async def companies_due(self, firm_id: FirmId | None = None) -> Sequence[CompanyId]:
        """Companies whose mirror, settings or firm's policy changed since their position was stored, by id."""
        query = (
            select(companies.c.company_id)
            .join(log_heads, log_heads.c.company_id == companies.c.company_id)
            .outerjoin(positions, positions.c.company_id == companies.c.company_id)
            .outerjoin(working_papers, _IS_POLICY_OF_FIRM)
            .where(
                log_heads.c.due_sequence > 0,
                or_(
                    positions.c.log_sequence.is_(None),
                    positions.c.log_sequence < log_heads.c.due_sequence,
                    positions.c.firm_policy_version < working_papers.c.version,
                ),
            )
            .order_by(companies.c.company_id)
        )
        if firm_id is not None:
            query = query.where(companies.c.firm_id == firm_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [CompanyId(row.company_id) for row in rows]


def _read_quarantined(row: Row[*tuple[Any, ...]]) -> QuarantinedRecord:
    return QuarantinedRecord(
        quarantine_id=row.quarantine_id,
        company_id=CompanyId(row.company_id),
        rail=row.rail,
        kind=row.kind,
        external_id=row.external_id,
        reason=row.reason,
        raw=row.raw,
        first_seen_at=from_microseconds(row.first_seen_at),
        last_seen_at=from_microseconds(row.last_seen_at),
        times_seen=row.times_seen,
    )
