"""Erasing a company: its key is destroyed, and every table lets go of it, in one transaction.

What of which table goes is said here for every table there is; a test holds this list to the tables. The log keeps its
entries, whose content is sealed under the key; `companies` keeps a row without a name, so that the chain has an owner.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from runway_core.domain.changes import Attribution
from runway_core.domain.company import CompanySettings
from runway_core.domain.erasure import ERASED_NAME, Erasure, ErasureSurvey
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import (
    CLEAR_KIND,
    SERIALISATION,
    LogDraft,
    from_microseconds,
    holds_in_clear,
    to_microseconds,
)
from runway_core.domain.papers import PaperKind
from runway_core.domain.people import firm_chain
from runway_core.domain.record import encode_plain
from runway_core.errors import InvalidRequest, NotFound, StoreUnavailable
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, update

from runway_store_sql.bulk import among, is_postgres
from runway_store_sql.chain import append_acts, lock_head
from runway_store_sql.engine import Database
from runway_store_sql.inbox_tables import inbox, inbox_events
from runway_store_sql.limit_tables import alerts, breakers, call_budgets
from runway_store_sql.log_archives import SqlLogArchives
from runway_store_sql.people_tables import answered_calls
from runway_store_sql.rows import decode_moment
from runway_store_sql.sealing import destroy_keys
from runway_store_sql.tables import companies, connections, leases, log_entries, log_heads, metadata, working_papers

STAYS = {
    "companies": "a row without a name: the chain has an owner, and whoever asks is told that it was erased",
    "log_entries": "what entries hold is sealed, and the key is gone",
    "log_heads": "where the chain ends",
    "log_pieces": "which entries are in archived files, sealed as they were",
    "company_keys": "that there was a key, without the key",
    "anchors": "companies' ids, lengths and hashes",
    "log_keys": "keys that sign",
    "people": "the firm's own; companies are named by id",
    "credentials": "the firm's own",
    "access_tokens": "the firm's own; companies are named by id",
    "webhook_subscriptions": "the firm's own; companies are named by id",
    "attempts": "hashes of accounts and addresses",
    "freshness_samples": "counts over a firm",
    "alert_turns": "one row a firm",
    "job_turns": "one row",
}
"""Tables of which nothing is deleted, each with the reason."""

_UNSAID = bytes(12)  # lengths of content, raw and changed of an entry that holds nothing


def _wanted(table: Table, company_id: CompanyId) -> ColumnElement[bool]:
    return table.c.company_id == company_id


def _owned_tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if "company_id" in table.columns and table.name not in STAYS]


def _is_firm_digest(firm_id: FirmId) -> ColumnElement[bool]:
    return and_(
        working_papers.c.company_id == firm_chain(firm_id),
        working_papers.c.paper_kind == PaperKind.FIRM_DIGEST.value,
    )


def _is_in_clear(company_id: CompanyId, firm_id: FirmId) -> ColumnElement[bool]:
    """Entries that tell of a company and were not sealed: its own, and digests of its firm."""
    entries = log_entries.c
    return and_(
        or_(
            and_(entries.company_id == company_id, entries.kind != CLEAR_KIND),
            and_(entries.company_id == firm_chain(firm_id), entries.kind == PaperKind.FIRM_DIGEST.value),
        ),
        func.substr(entries.canonical, 1, 1) == bytes([SERIALISATION]),
        func.substr(entries.canonical, 34, len(_UNSAID)) != _UNSAID,
    )


def _find_deliveries(connection: Connection, company_id: CompanyId) -> list[tuple[str, list[str]]]:
    """Deliveries about the accounts that only this company is connected to, by rail.

    One that also tells of other accounts goes too once it was read: its work was given out then.
    """
    other = connections.alias()
    own = select(connections.c.rail, connections.c.rail_account).where(
        connections.c.company_id == company_id,
        connections.c.rail_account.is_not(None),
        ~select(other.c.connection_id)
        .where(
            other.c.company_id != company_id,
            other.c.rail == connections.c.rail,
            other.c.rail_account == connections.c.rail_account,
        )
        .exists(),
    )
    found: list[tuple[str, list[str]]] = []
    for rail, account in connection.execute(own).all():
        of_others = inbox_events.alias()
        tells_of_others = (
            select(of_others.c.delivery_id)
            .where(
                of_others.c.rail == inbox.c.rail,
                of_others.c.delivery_id == inbox.c.delivery_id,
                of_others.c.account != account,
            )
            .exists()
        )
        query = (
            select(inbox.c.delivery_id)
            .distinct()
            .join(
                inbox_events,
                and_(inbox_events.c.rail == inbox.c.rail, inbox_events.c.delivery_id == inbox.c.delivery_id),
            )
            .where(inbox.c.rail == rail, inbox_events.c.account == account)
            .where(or_(inbox.c.read_at.is_not(None), ~tells_of_others))
        )
        found.append((rail, list(connection.scalars(query))))
    return found


def _find_alerts(connection: Connection, firm_id: FirmId, company_id: CompanyId) -> list[str]:
    query = select(alerts.c.alert_key, alerts.c.document).where(alerts.c.firm_id == firm_id)
    return [
        row.alert_key
        for row in connection.execute(query)
        if msgspec.json.decode(row.document).get("company_id") == company_id
    ]


def _others(connection: Connection, firm_id: FirmId, company_id: CompanyId) -> list[tuple[Table, ColumnElement[bool]]]:
    """What goes out of tables whose rows name no company."""
    gone: list[tuple[Table, ColumnElement[bool]]] = [
        (working_papers, _is_firm_digest(firm_id)),
        (answered_calls, and_(answered_calls.c.firm_id == firm_id, answered_calls.c.answer.is_not(None))),
    ]
    for rail, ids in _find_deliveries(connection, company_id):
        gone += [
            (table, and_(table.c.rail == rail, among(connection, table.c.delivery_id, ids)))
            for table in (inbox_events, inbox)
        ]
    told = _find_alerts(connection, firm_id, company_id)
    gone.append((alerts, and_(alerts.c.firm_id == firm_id, among(connection, alerts.c.alert_key, told))))
    own = select(connections.c.connection_id).where(connections.c.company_id == company_id)
    for connection_id in connection.scalars(own).all():
        gone.append((breakers, breakers.c.breaker_key.endswith(connection_id, autoescape=True)))
        gone.append((call_budgets, call_budgets.c.budget_key.endswith(connection_id, autoescape=True)))
    return gone


def _owned(firm_id: FirmId, company_id: CompanyId) -> Any:
    return select(companies).where(companies.c.company_id == company_id, companies.c.firm_id == firm_id)


def _count(connection: Connection, *, firm_id: FirmId, company_id: CompanyId) -> ErasureSurvey:
    if connection.execute(_owned(firm_id, company_id)).first() is None:
        raise NotFound(f"no company {company_id!r} in this firm")
    wanted = [(table, _wanted(table, company_id)) for table in _owned_tables()]
    rows: dict[str, int] = {}
    for table, condition in [*wanted, *_others(connection, firm_id, company_id)]:
        counted = connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
        if counted:
            rows[table.name] = rows.get(table.name, 0) + counted
    clear = select(func.count()).select_from(log_entries).where(_is_in_clear(company_id, firm_id))
    length = select(log_heads.c.sequence).where(log_heads.c.company_id == company_id)
    return ErasureSurvey(
        company_id=company_id,
        rows=rows,
        entries=connection.scalar(length) or 0,
        clear_entries=connection.scalar(clear) or 0,
    )


def _erase(
    connection: Connection, *, firm_id: FirmId, company_id: CompanyId, attribution: Attribution, at: datetime
) -> None:
    """Rows are locked in the order in which all others lock them: company, leases, head."""
    owned = _owned(firm_id, company_id)
    row = connection.execute(owned.with_for_update() if is_postgres(connection) else owned).first()
    if row is None:
        raise NotFound(f"no company {company_id!r} in this firm")
    if row.erased_at is not None:
        return
    connection.execute(delete(leases).where(_wanted(leases, company_id)))  # pages that are being stored come first
    lock_head(connection, company_id)
    clear = connection.scalar(select(func.count()).select_from(log_entries).where(_is_in_clear(company_id, firm_id)))
    if clear:
        raise InvalidRequest(
            f"{clear:,} entries of the log were written in clear, by an earlier version or without a key, and would "
            "stay: take their months out of the database (`runway log archive --before DAY --detach`, once they are "
            "ninety days old), destroy those files, then erase. Nothing was erased"
        )
    for table, condition in _others(connection, firm_id, company_id):
        connection.execute(delete(table).where(condition))
    for table in _owned_tables():
        connection.execute(delete(table).where(_wanted(table, company_id)))
    husk = {
        "name": ERASED_NAME,
        "owner": None,
        "tags": "[]",
        "settings": encode_plain(CompanySettings()).decode(),
        "erased_at": to_microseconds(at),
        "erased_by": attribution.actor,
    }
    connection.execute(update(companies).where(companies.c.company_id == company_id).values(husk))
    destroy_keys(connection, company_id, at=at)
    destroy_keys(connection, firm_chain(firm_id), at=at)  # of digests; the next one is sealed under a new key
    for chain in (company_id, firm_chain(firm_id)):
        append_acts(connection, chain, [_mark(company_id, attribution, at)])
    connection.execute(update(log_heads).where(log_heads.c.company_id == company_id).values(due_sequence=0))


def _mark(company_id: CompanyId, attribution: Attribution, at: datetime) -> LogDraft:
    return LogDraft(
        seen_at=at,
        rail="",
        kind="company",
        external_id=company_id,
        what="company_erased",
        attribution=attribution,
    )


class SqlErasures:
    """The `CompanyErasures` of a database."""

    def __init__(self, database: Database, archives: SqlLogArchives) -> None:
        self._database = database
        self._archives = archives

    async def survey(self, firm_id: FirmId, company_id: CompanyId) -> ErasureSurvey:
        """Count what erasing a company would take; archived files are looked through."""
        found = await self._database.read(partial(_count, firm_id=firm_id, company_id=company_id))
        clear: list[str] = []
        absent: list[str] = []
        for piece in await self._archives.detached(company_id):
            try:
                async for batch in self._archives.stream(company_id, after=piece.first - 1):
                    if any(holds_in_clear(entry.canonical) for entry in batch if entry.sequence <= piece.last):
                        clear.append(piece.file)
                        break
                    if batch[-1].sequence >= piece.last:
                        break
            except StoreUnavailable:
                absent.append(piece.file)
        return found.model_copy(update={"clear_files": tuple(clear), "absent_files": tuple(absent)})

    async def erase(self, firm_id: FirmId, company_id: CompanyId, *, attribution: Attribution, at: datetime) -> None:
        """Destroy the company's key, and delete what is kept of it elsewhere; see the port."""
        work = partial(_erase, firm_id=firm_id, company_id=company_id, attribution=attribution, at=at)
        await self._database.write(work)

    async def finish(self, firm_id: FirmId, company_id: CompanyId, *, at: datetime) -> None:
        """Leave nothing of an erased company in the database's files."""
        await self._database.scour()
        statement = (
            update(companies)
            .where(
                companies.c.company_id == company_id,
                companies.c.firm_id == firm_id,
                companies.c.erased_at.is_not(None),
            )
            .values(scoured_at=to_microseconds(at))
        )
        await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def erased(self, firm_id: FirmId) -> Sequence[Erasure]:
        """The companies of a firm that were erased, the first one first."""
        query = (
            select(companies)
            .where(companies.c.firm_id == firm_id, companies.c.erased_at.is_not(None))
            .order_by(companies.c.erased_at, companies.c.company_id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            Erasure(
                company_id=row.company_id,
                erased_at=from_microseconds(row.erased_at),
                erased_by=row.erased_by,
                is_finished=decode_moment(row.scoured_at) is not None,
            )
            for row in rows
        ]
