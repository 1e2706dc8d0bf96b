"""Reading a company as it was known at a past moment: the last entry about each thing, folded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from runway_core.domain.company import Connection as CompanyConnection
from runway_core.domain.field_changes import read_field_changes
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKind
from runway_core.domain.log_entry import ChainHead, LogDraft, Opener, decode_entry, from_microseconds, to_microseconds
from runway_core.domain.papers import PaperKind
from runway_core.domain.past import Past, books_papers, fold_drafts, is_in_books, with_reading
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import Policy
from runway_core.domain.sync_run import RunOutcome
from runway_core.errors import CompanyErased, LogBroken
from sqlalchemy import Connection, and_, case, func, select

from runway_store_sql.bulk import among_places
from runway_store_sql.collection import paused_collection
from runway_store_sql.held_books import HeldRecords
from runway_store_sql.log_tables import log_pieces
from runway_store_sql.sealing import open_lazily
from runway_store_sql.tables import IS_CHANGE, log_entries, sync_runs

_ASKED_TOGETHER = 1_000
_LOOKED_AT = 200
EVERY_ACT = ("connection",)
"""Of these things every kind of act is wanted: a connection is what it was added as, with its last state."""


POLICIES = (PaperKind.POLICY.value,)
"""What books need of the firm's own chain."""


@dataclass(frozen=True, slots=True)
class PastReading:
    """What books of a past moment are made of."""

    sequence: int
    records: HeldRecords
    connections: tuple[CompanyConnection, ...]
    firm_policy: Policy | None


@dataclass(frozen=True, slots=True)
class ArchivedPast:
    """What books of a past moment need of those entries of a chain that are in files alone."""

    end: int = 0  # they are those up to this one
    last: int = 0  # the last of them that was known at the moment
    drafts: Sequence[LogDraft] = ()  # the last about each thing, in order
    updates: Sequence[LogDraft] = ()  # those that changed a record since


class ArchiveWanted(Exception):
    """The books of a past moment cannot be read without what a chain has in files: read that first."""

    def __init__(self, owner: CompanyId) -> None:
        super().__init__(owner)
        self.owner = owner


def find_end(connection: Connection, owner: CompanyId) -> int:
    """Up to which entry a chain is in files alone; nil where all of it is in the table."""
    query = select(func.max(log_pieces.c.last_sequence)).where(log_pieces.c.company_id == owner)
    return connection.scalar(query) or 0


def _take_archived(
    connection: Connection, owner: CompanyId, archived: Mapping[CompanyId, ArchivedPast]
) -> ArchivedPast:
    held = archived.get(owner, ArchivedPast())
    if held.end != find_end(connection, owner):
        raise ArchiveWanted(owner)
    return held


def find_last_before(connection: Connection, company_id: CompanyId, moment: datetime, *, after: int = 0) -> int:
    """The number of an entry behind `after` seen before a moment whose follower was not; `after` when none was.

    Found by looking at some hundred places at once, and again between two of them, so that it takes few looks and no
    index: entries are appended in the order of time, but for clocks that were set back, and there any of the places is
    as good as another.
    """
    at = to_microseconds(moment)
    own = and_(log_entries.c.company_id == company_id, log_entries.c.sequence > after)
    bounds = connection.execute(select(func.min(log_entries.c.sequence), func.max(log_entries.c.sequence)).where(own))
    first, last = bounds.one()
    if first is None:
        return after
    low, high = int(first) - 1, int(last) + 1  # seen before; not seen before
    while high - low > 1:
        step = -(-(high - low) // _LOOKED_AT)
        seen = _read_seen(connection, company_id, range(low + 1, high, step))
        high = min((place for place, seen_at in seen.items() if seen_at >= at), default=high)
        if step == 1:
            return high - 1
        low = max((place for place in seen if place < high), default=low)
        if not seen:  # entries are gone there: go on from the one before
            middle = (low + high) // 2
            query = select(log_entries.c.seen_at).where(own, log_entries.c.sequence <= middle)
            seen_at = connection.scalar(query.order_by(log_entries.c.sequence.desc()).limit(1))
            low, high = (middle, high) if seen_at is not None and seen_at < at else (low, middle)
    return low


def _read_seen(connection: Connection, owner: CompanyId, places: Sequence[int]) -> dict[int, int]:
    asked = log_entries.c.company_id == owner, among_places(connection, log_entries.c.sequence, places)
    rows = connection.execute(select(log_entries.c.sequence, log_entries.c.seen_at).where(*asked))
    return {row.sequence: row.seen_at for row in rows}


def read_last_drafts(
    connection: Connection, company_id: CompanyId, *, through: int, after: int = 0, kinds: Sequence[str] | None = None
) -> list[LogDraft]:
    """The last entry in the table about each thing behind `after` up to an entry, in the order of the log.

    Raises:
        LogBroken: one cannot be read.
    """
    entries = log_entries.c
    own = [entries.company_id == company_id, entries.sequence > after, entries.sequence <= through]
    if kinds is not None:
        own.append(entries.kind.in_(kinds))
    act = case((entries.kind.in_(EVERY_ACT), entries.what), else_="")
    newest = select(func.max(entries.sequence)).where(*own).group_by(entries.kind, entries.external_id, act)
    # In two steps: asked as one, SQLite may look at every entry for each of them.
    places = sorted(connection.scalars(newest))
    canonicals: list[bytes] = []
    for start in range(0, len(places), _ASKED_TOGETHER):
        asked = among_places(connection, entries.sequence, places[start : start + _ASKED_TOGETHER])
        rows = connection.execute(
            select(entries.sequence, entries.canonical).where(entries.company_id == company_id, asked)
        )
        canonicals += [canonical for _, canonical in sorted(map(tuple, rows))]  # faster than the server's sorting
    opener = open_lazily(connection, company_id)
    return [decode_draft(canonical, company_id, opener) for canonical in canonicals]


def decode_draft(canonical: bytes, company_id: CompanyId, opener: Opener) -> LogDraft:
    """What an entry says.

    Raises:
        LogBroken: it cannot be read.
        CompanyErased: what it held was erased.
    """
    try:
        draft = decode_entry(canonical, opener)[2]
    except ValueError as error:
        raise LogBroken(f"an entry of company {company_id!r} cannot be read ({error}): restore a backup") from error
    if draft.is_sealed:
        raise CompanyErased(f"company {company_id!r} was erased: what its log held cannot be read any more")
    return draft


def read_past(
    connection: Connection,
    company_id: CompanyId,
    *,
    firm_id: FirmId,
    known_at: datetime,
    history_from: date,
    since: datetime,
    fields: Mapping[RecordKind, str],
    archived: Mapping[CompanyId, ArchivedPast],
) -> PastReading:
    """What was known at a moment. `fields` names where the records of each kind go.

    Raises:
        ArchiveWanted: a chain is in files in part, and `archived` does not hold just that part.
    """
    held = _take_archived(connection, company_id, archived)
    through = find_last_before(connection, company_id, known_at + datetime.resolution, after=held.end)
    with paused_collection():
        drafts = read_last_drafts(connection, company_id, through=through, after=held.end)
        past = fold_drafts([*held.drafts, *drafts], company_id=company_id)
        records = {
            name: tuple(record for record in past.records.get(kind, ()) if is_in_books(record, history_from))
            for kind, name in fields.items()
        }
    updates = select(log_entries.c.canonical).where(
        log_entries.c.company_id == company_id,
        IS_CHANGE,
        log_entries.c.seen_at >= to_microseconds(since),
        log_entries.c.sequence > held.end,
        log_entries.c.sequence <= through,
    )
    opener = open_lazily(connection, company_id)
    found_updates = connection.scalars(updates.order_by(log_entries.c.sequence)).all()
    changed = [decode_draft(found, company_id, opener) for found in found_updates]
    through = through if through > held.end else held.last
    records_then = HeldRecords(
        head=ChainHead(sequence=through),
        history_from=history_from,
        records=records,
        papers=books_papers(past.papers.values()),
        changes=tuple(change for draft in (*held.updates, *changed) for change in read_field_changes(draft)),
        changes_since=since,
    )
    policy = _read_firm_policy(connection, firm_id, known_at, archived)
    return PastReading(through, records_then, _read_connections(connection, company_id, past, known_at), policy)


def _read_firm_policy(
    connection: Connection, firm_id: FirmId, known_at: datetime, archived: Mapping[CompanyId, ArchivedPast]
) -> Policy | None:
    chain = firm_chain(firm_id)
    held = _take_archived(connection, chain, archived)
    through = find_last_before(connection, chain, known_at + datetime.resolution, after=held.end)
    drafts = read_last_drafts(connection, chain, through=through, after=held.end, kinds=POLICIES)
    papers = fold_drafts([*held.drafts, *drafts], company_id=chain).papers.values()
    return next((paper for paper in papers if isinstance(paper, Policy) and not paper.is_closed), None)


def _read_connections(
    connection: Connection, company_id: CompanyId, past: Past, known_at: datetime
) -> tuple[CompanyConnection, ...]:
    query = (
        select(sync_runs.c.connection_id, func.max(sync_runs.c.started_at), func.max(sync_runs.c.ended_at))
        .where(
            sync_runs.c.company_id == company_id,
            sync_runs.c.outcome == RunOutcome.SUCCEEDED.value,
            sync_runs.c.ended_at <= to_microseconds(known_at),
        )
        .group_by(sync_runs.c.connection_id)
    )
    rows: Sequence[Any] = connection.execute(query).all()
    read = {ConnectionId(name): (from_microseconds(began), from_microseconds(ended)) for name, began, ended in rows}
    found = sorted(past.connections.values(), key=lambda held: held.rail)
    return tuple(with_reading(held, read) for held in found)
