"""Stored positions and findings on SQL: one row a company, and one a finding, each with its whole value as JSON."""

from collections.abc import Sequence
from datetime import datetime

from runway_core.domain.announcements import find_finding_news, find_status_news
from runway_core.domain.changes import Attribution
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.kept_views import KeptView
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.position import Position, PositionStatus
from runway_core.domain.record import encode_plain
from runway_core.errors import NotFound
from runway_core.ports.position_store import FindingCount
from sqlalchemy import ColumnElement, Connection, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.announcing import announce
from runway_store_sql.bulk import among, is_postgres, upsert_rows
from runway_store_sql.chain import append_acts, lock_head
from runway_store_sql.engine import Database
from runway_store_sql.position_tables import findings, kept_views, positions
from runway_store_sql.tables import companies

COMPANIES_HELD = 20_000
_STATUSES = {status.rank: status for status in PositionStatus}


class _LastPositions:
    """The position that was read last of each company: a portfolio page reads the same ones again and again.

    They are frozen, so equal documents may be one value. One a company, or what changed would be held as well.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[str, tuple[bytes, Position]] = {}

    def read(self, company_id: str, document: bytes) -> Position:
        """Decode a document, unless it is the one that was read last."""
        held = self._held.get(company_id)
        if held is not None and held[0] == document:
            return held[1]
        if len(self._held) >= self._limit:
            self._held.clear()
        position = Position.model_validate_json(document)
        self._held[company_id] = (document, position)
        return position


def _of_firm(firm_id: FirmId, states: frozenset[FindingState]) -> ColumnElement[bool]:
    """Findings in these states of the companies of a firm."""
    owned = select(companies.c.company_id).where(companies.c.firm_id == firm_id)
    return and_(findings.c.company_id.in_(owned), findings.c.state.in_(sorted(state.value for state in states)))


def _read_finding(document: bytes) -> TrackedFinding:
    return TrackedFinding.model_validate_json(document)


def _finding_row(company_id: CompanyId, tracked: TrackedFinding) -> tuple[str, str, str, int, str, bytes]:
    finding = tracked.finding
    return (
        company_id,
        tracked.finding_id,
        tracked.state.value,
        finding.severity.rank,
        finding.check,
        encode_plain(tracked),
    )


def _lock_owner(connection: Connection, company_id: CompanyId) -> FirmId | None:
    """The firm of a company, which nobody erases until the transaction ends."""
    query = select(companies.c.firm_id).where(companies.c.company_id == company_id, companies.c.erased_at.is_(None))
    owner = connection.scalar(query.with_for_update(read=True) if is_postgres(connection) else query)
    return None if owner is None else FirmId(owner)


class SqlPositionStore:
    """The `PositionStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = _LastPositions(COMPANIES_HELD)

    async def save_position(self, position: Position, tracked: Sequence[TrackedFinding]) -> bool:
        """Store a position and the full set of findings it was computed with; false when a newer one is there.

        Raises:
            NotFound: no such company in the position's firm.
        """
        document = encode_plain(position)
        rows = {item.finding_id: _finding_row(position.company_id, item) for item in tracked}

        def write(connection: Connection) -> bool:
            if _lock_owner(connection, position.company_id) != position.firm_id:
                raise NotFound(f"no company {position.company_id!r} in this firm")
            before = _lock_status(connection, position.company_id)
            if not _write_position(connection, position, document):
                return False
            known, changed = _write_findings(connection, position.company_id, rows)
            at = position.computed_at
            announce(
                connection,
                position.firm_id,
                lambda: [
                    *find_status_news(before, position),
                    *find_finding_news(position.company_id, known, map(_read_finding, changed), at=at),
                ],
                at=at,
            )
            return True

        return await self._database.write(write, company_id=position.company_id)

    async def position(self, firm_id: FirmId, company_id: CompanyId) -> Position | None:
        """The stored position of a company, or `None` before the first pull."""
        query = select(positions.c.document).where(positions.c.company_id == company_id, positions.c.firm_id == firm_id)
        document = await self._database.read(lambda connection: connection.scalar(query))
        return None if document is None else self._last.read(company_id, document)

    async def positions(self, firm_id: FirmId) -> Sequence[Position]:
        """The stored positions of a firm in one query, by company id."""
        columns = (positions.c.company_id, positions.c.document)
        query = select(*columns).where(positions.c.firm_id == firm_id).order_by(positions.c.company_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [self._last.read(row.company_id, row.document) for row in rows]

    async def findings(
        self, company_id: CompanyId, *, states: frozenset[FindingState] | None = None
    ) -> Sequence[TrackedFinding]:
        """The tracked findings of a company, by severity, then id."""
        query = select(findings.c.document).where(findings.c.company_id == company_id)
        if states is not None:
            query = query.where(findings.c.state.in_(sorted(state.value for state in states)))
        query = query.order_by(findings.c.severity_rank, findings.c.finding_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all(), company_id=company_id)
        return [_read_finding(row.document) for row in rows]

    async def findings_of_firm(
        self, firm_id: FirmId, *, check: str, states: frozenset[FindingState]
    ) -> Sequence[tuple[CompanyId, TrackedFinding]]:
        """The findings of one check of all companies of a firm, by company, then id."""
        query = (
            select(findings.c.company_id, findings.c.document)
            .where(_of_firm(firm_id, states), findings.c.check == check)
            .order_by(findings.c.company_id, findings.c.finding_id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [(CompanyId(row.company_id), _read_finding(row.document)) for row in rows]

    async def count_findings(self, firm_id: FirmId, *, states: frozenset[FindingState]) -> Sequence[FindingCount]:
        """How many findings each company of a firm has by check, and severity, in that order."""
        of = (findings.c.company_id, findings.c.check, findings.c.severity_rank)
        query = select(*of, func.count()).where(_of_firm(firm_id, states)).group_by(*of).order_by(*of)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [FindingCount(*row) for row in rows]

    async def decide_finding(
        self, company_id: CompanyId, tracked: TrackedFinding, *, attribution: Attribution, at: datetime
    ) -> None:
        """Store what a person decided about a finding, and log it; the position is due again."""
        await self.decide_findings(company_id, [tracked], attribution=attribution, at=at)

    async def decide_findings(
        self, company_id: CompanyId, tracked: Sequence[TrackedFinding], *, attribution: Attribution, at: datetime
    ) -> None:
        """The same for several findings in one transaction, all of them or none."""
        rows = {item.finding_id: _finding_row(company_id, item) for item in tracked}

        def write(connection: Connection) -> None:
            lock_head(connection, company_id)
            query = select(findings.c.finding_id, findings.c.state).where(
                findings.c.company_id == company_id, among(connection, findings.c.finding_id, list(rows))
            )
            before = {row.finding_id: row.state for row in connection.execute(query)}
            missing = sorted(rows.keys() - before.keys())
            if missing:
                raise NotFound(f"no finding {missing[0]!r} of company {company_id!r}")
            upsert_rows(connection, findings, list(rows.values()))
            drafts = [
                LogDraft(
                    seen_at=at,
                    rail="",
                    kind="finding",
                    external_id=item.finding_id,
                    what="finding_decided",
                    attribution=attribution,
                    content=rows[item.finding_id][-1],
                    changed=encode_plain({"state": (before[item.finding_id], item.state.value)}),
                )
                for item in tracked
            ]
            append_acts(connection, company_id, drafts, is_due=True)
            known = {finding_id: FindingState(state) for finding_id, state in before.items()}
            firm_id = connection.scalars(select(companies.c.firm_id).where(companies.c.company_id == company_id)).one()
            announce(connection, FirmId(firm_id), lambda: find_finding_news(company_id, known, tracked, at=at), at=at)

        if rows:
            await self._database.write(write, company_id=company_id)

    async def save_view(self, view: KeptView) -> None:
        """Keep one view of a company in place of the one of that name.

        Raises:
            NotFound: no such company in the view's firm.
        """
        row = (view.company_id, view.name, view.firm_id, view.stamp, to_microseconds(view.holds_until), view.document)

        def write(connection: Connection) -> None:
            if _lock_owner(connection, view.company_id) != view.firm_id:
                raise NotFound(f"no company {view.company_id!r} in this firm")
            upsert_rows(connection, kept_views, [row])

        await self._database.write(write)

    async def view(self, firm_id: FirmId, company_id: CompanyId, name: str) -> KeptView | None:
        """The view of that name that was kept last."""
        query = select(kept_views).where(
            kept_views.c.company_id == company_id, kept_views.c.name == name, kept_views.c.firm_id == firm_id
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        holds_until = from_microseconds(row.holds_until)
        return KeptView(row.firm_id, row.company_id, row.name, row.stamp, holds_until, row.document)


def _lock_status(connection: Connection, company_id: CompanyId) -> PositionStatus | None:
    """The status that is stored, which nobody changes until the transaction ends: each change is told once."""
    query = select(positions.c.status_rank).where(positions.c.company_id == company_id)
    rank = connection.scalar(query.with_for_update() if is_postgres(connection) else query)
    return None if rank is None else _STATUSES[rank]


def _write_position(connection: Connection, position: Position, document: bytes) -> bool:
    module = postgresql if is_postgres(connection) else sqlite
    values = {
        "company_id": position.company_id,
        "firm_id": position.firm_id,
        "log_sequence": position.log_sequence,
        "as_of": position.as_of.isoformat(),
        "computed_at": to_microseconds(position.computed_at),
        "owner": position.owner,
        "status_rank": position.status.rank,
        "runway_days": position.runway_days,
        "cleanness": position.cleanness,
        "document": document,
        "firm_policy_version": position.firm_policy_version,
    }
    statement = module.insert(positions).values(values)
    changes = {name: statement.excluded[name] for name in values if name != "company_id"}
    written = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["company_id"],
            set_=changes,
            where=positions.c.log_sequence <= statement.excluded.log_sequence,
        )
    )
    return written.rowcount > 0


def _write_findings(
    connection: Connection, company_id: CompanyId, rows: dict[str, tuple[str, str, str, int, str, bytes]]
) -> tuple[dict[str, FindingState], list[bytes]]:
    """Write what differs; returns how all stood before, by id, and what was written."""
    query = select(findings.c.finding_id, findings.c.state, findings.c.document).where(
        findings.c.company_id == company_id
    )
    held = {row.finding_id: row for row in connection.execute(query)}
    changed = [row for key, row in rows.items() if key not in held or held[key].document != row[-1]]
    for key, row in held.items():
        if key not in rows and row.state != FindingState.FIXED:
            tracked = _read_finding(row.document).model_copy(update={"state": FindingState.FIXED})
            changed.append(_finding_row(company_id, tracked))
    upsert_rows(connection, findings, changed)
    return {key: FindingState(row.state) for key, row in held.items()}, [row[-1] for row in changed]
