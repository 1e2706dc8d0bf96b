"""One page of changes in one transaction: the only writer of mirrored records.

The steps follow docs/decisions/0003-store.md: fence, lock the chain, read what is held, decide (`sync.planning`, pure),
write what differs, move head, cursor and counters. A page that brings no news writes its cursor and counters alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from runway_core.domain.changes import Attribution, Change, ChangeKind, ChangePage, HeldVersion, RejectedRecord
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.log_entry import ChainHead, LogEntry, to_microseconds
from runway_core.domain.record import Record
from runway_core.domain.sync_run import PageCounts
from runway_core.errors import LeaseLost
from runway_core.ports.mirror_store import Lease, PageReceipt
from runway_core.sync.planning import (
    PagePlan,
    PlannedTombstone,
    SiftedPage,
    find_missing,
    keys_of,
    plan_page,
    sift_page,
)
from sqlalchemy import Connection, bindparam, delete, false, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import among, insert_rows, is_postgres, json_text, upsert_rows
from runway_store_sql.chain import append_entries, lock_head, move_head
from runway_store_sql.rows import (
    FLAGS,
    HELD_COLUMNS,
    WRITERS,
    encode_amount,
    encode_moment,
    field_columns,
    read_held,
    read_rows,
)
from runway_store_sql.storable import set_aside_unnameable, set_aside_unstorable
from runway_store_sql.tables import (
    RECORD_SPECS,
    balance_changes,
    balance_closes,
    companies,
    cursors,
    leases,
    outbox,
    quarantine,
    sync_runs,
)


@dataclass(frozen=True, slots=True)
class PageWork:
    """What one call of `commit_page` was given; running it twice is harmless."""

    lease: Lease
    page: ChangePage
    run_id: str
    attribution: Attribution
    seen_at: datetime
    accept_missing: bool

    @property
    def company_id(self) -> CompanyId:
        """Whose page it is."""
        return self.lease.company_id


def commit(connection: Connection, work: PageWork) -> PageReceipt:
    """Store the page whole, or raise and leave nothing."""
    page = set_aside_unnameable(work.page)
    zone = fence(connection, work.lease, now=work.seen_at)
    head = lock_head(connection, work.company_id)
    sifted = sift_page(page, _read_held(connection, work.company_id, keys_of(page)))
    page = set_aside_unstorable(page, sifted)
    if page.present_keys is not None:
        _retire_missing(connection, work, page, sifted)
    previous = _read_previous(connection, work.company_id, sifted.previous_keys)
    plan = plan_page(sifted, previous, rail=work.lease.rail, seen_at=work.seen_at, attribution=work.attribution)
    after = head
    if not plan.is_empty:
        entries, after = append_entries(connection, work.company_id, head, plan.drafts)
        _write_records(connection, work, plan, entries, source_time=page.source_time)
        _write_balances(connection, work.company_id, plan, entries, zone=zone)
        move_head(connection, work.company_id, after, is_due=True)
        _write_events(connection, work, plan, head, after)
    _write_quarantine(connection, work, page)
    _move_cursor(connection, work)
    _count(connection, work, plan.counts)
    return PageReceipt(counts=plan.counts, log_sequence=after.sequence, balances_moved=bool(plan.balance_changes))


def fence(connection: Connection, lease: Lease, *, now: datetime) -> ZoneInfo:
    """Make sure that the lease is still ours and lock it; returns the company's zone.

    Raises:
        LeaseLost: it ran out, was let go or taken over.
    """
    query = (
        select(leases.c.fencing, leases.c.holder, leases.c.expires_at, companies.c.time_zone)
        .join(companies, companies.c.company_id == leases.c.company_id)
        .where(
            leases.c.company_id == lease.company_id,
            leases.c.connection_id == lease.connection_id,
            companies.c.firm_id == lease.firm_id,
        )
    )
    row = connection.execute(query.with_for_update(of=leases) if is_postgres(connection) else query).first()
    if row is None or row.fencing != lease.fencing or row.holder != lease.holder:
        raise LeaseLost(f"another worker pulls {lease.rail} of company {lease.company_id!r} now: nothing was stored")
    if row.expires_at <= to_microseconds(now):
        raise LeaseLost(
            f"the lease on {lease.rail} of company {lease.company_id!r} ran out: nothing was stored; pull again"
        )
    return ZoneInfo(row.time_zone)


def _by_kind(keys: Iterable[RecordKey]) -> dict[RecordKind, list[str]]:
    groups: dict[RecordKind, list[str]] = defaultdict(list)
    for key in keys:
        groups[key.kind].append(key.external_id)
    return groups


def _read_held(connection: Connection, company_id: CompanyId, keys: list[RecordKey]) -> dict[RecordKey, HeldVersion]:
    held: dict[RecordKey, HeldVersion] = {}
    for kind, ids in _by_kind(keys).items():
        table = RECORD_SPECS[kind].table
        query = select(*(table.c[name] for name in HELD_COLUMNS)).where(
            table.c.company_id == company_id, among(connection, table.c.external_id, ids)
        )
        for row in connection.execute(query):
            held[RecordKey(kind, row[0])] = read_held(row)
    return held


def _read_previous(connection: Connection, company_id: CompanyId, keys: list[RecordKey]) -> dict[RecordKey, Record]:
    previous: dict[RecordKey, Record] = {}
    for kind, ids in _by_kind(keys).items():
        spec = RECORD_SPECS[kind]
        query = select(*field_columns(spec)).where(
            spec.table.c.company_id == company_id, among(connection, spec.table.c.external_id, ids)
        )
        for record in read_rows(spec, connection.execute(query).all()):
            previous[record.key] = record
    return previous


def _retire_missing(connection: Connection, work: PageWork, page: ChangePage, sifted: SiftedPage) -> None:
    shown = frozenset(change.key for change in page.changes)
    rejected = frozenset(
        RecordKey(bad.kind, bad.external_id) for bad in page.rejected if bad.kind is not None and bad.external_id
    )
    present = (page.present_keys or frozenset()) | shown | rejected
    live_count, absent = 0, []
    for kind, spec in RECORD_SPECS.items():
        if page.present_kinds is not None and kind not in page.present_kinds:
            continue
        table = spec.table
        query = select(table.c.external_id).where(
            table.c.company_id == work.company_id, table.c.rail == work.lease.rail, table.c.is_deleted == false()
        )
        ids = connection.scalars(query).all()
        live_count += len(ids)
        absent += [RecordKey(kind, external_id) for external_id in ids if (kind, external_id) not in present]
    gone = {tombstone.key for tombstone in sifted.tombstones}
    missing = find_missing(
        _read_held(connection, work.company_id, absent),
        present,
        page.reading_began or page.source_time,
        live_count=live_count,
        accept_missing=work.accept_missing,
    )
    sifted.tombstones.extend(PlannedTombstone(key=t.key, modified_at=None) for t in missing if t.key not in gone)


def _write_records(
    connection: Connection, work: PageWork, plan: PagePlan, entries: list[LogEntry], *, source_time: datetime
) -> None:
    source, seen = to_microseconds(source_time), to_microseconds(work.seen_at)
    flags = FLAGS[connection.dialect.name]
    new: dict[RecordKind, list[tuple[object, ...]]] = defaultdict(list)
    changed: dict[RecordKind, list[tuple[object, ...]]] = defaultdict(list)
    for upsert, entry in zip(plan.upserts, entries, strict=False):
        record = upsert.change.record
        row = WRITERS[record.kind](
            work.company_id,
            record.__dict__,
            flags,
            work.lease.rail,
            source,
            seen,
            entry.sequence,
            upsert.content_hash,
            upsert.change.raw,
        )
        (new if upsert.what is ChangeKind.CREATED else changed)[record.kind].append(row)
    for kind, rows in new.items():
        insert_rows(connection, RECORD_SPECS[kind].table, rows)
    for kind, rows in changed.items():
        upsert_rows(connection, RECORD_SPECS[kind].table, rows)
    gone: dict[RecordKind, list[dict[str, object]]] = defaultdict(list)
    for tombstone, entry in zip(plan.tombstones, entries[len(plan.upserts) :], strict=True):
        gone[tombstone.key.kind].append(
            {
                "gone_id": tombstone.key.external_id,
                "gone_at": encode_moment(tombstone.modified_at),
                "gone_sequence": entry.sequence,
            }
        )
    for kind, tombstones in gone.items():
        table = RECORD_SPECS[kind].table
        statement = (
            update(table)
            .where(table.c.company_id == work.company_id, table.c.external_id == bindparam("gone_id"))
            .values(
                is_deleted=True,
                deleted_at=bindparam("gone_at"),
                source_time=source,
                seen_at=seen,
                log_sequence=bindparam("gone_sequence"),
            )
        )
        connection.execute(statement, tombstones)


def _write_balances(
    connection: Connection, company_id: CompanyId, plan: PagePlan, entries: list[LogEntry], *, zone: ZoneInfo
) -> None:
    if not plan.balance_changes:
        return
    sequences = {entry.draft.external_id: entry.sequence for entry in entries if entry.draft.kind == RecordKind.ACCOUNT}
    history, closes = [], []
    for change in plan.balance_changes:
        seen, balance = to_microseconds(change.observed_at), encode_amount(change.balance)
        sequence = sequences[change.account_id]
        source = to_microseconds(change.source_time)
        history.append((company_id, change.account_id, sequence, seen, source, change.currency, balance))
        day = change.observed_at.astimezone(zone).date().isoformat()
        closes.append((company_id, day, change.account_id, change.currency, balance))
    insert_rows(connection, balance_changes, history)
    upsert_rows(connection, balance_closes, closes)


def _write_events(connection: Connection, work: PageWork, plan: PagePlan, before: ChainHead, after: ChainHead) -> None:
    first = before.sequence + 1
    kinds = sorted({draft.kind for draft in plan.drafts})
    payload: dict[str, str | int] = {
        "rail": work.lease.rail,
        "first_sequence": first,
        "last_sequence": after.sequence,
        "kinds": ",".join(kinds),
    }
    names = ["records_changed"] + (["balances_moved"] if plan.balance_changes else [])
    seen, correlation_id = to_microseconds(work.seen_at), work.attribution.correlation_id
    insert_rows(
        connection,
        outbox,
        [
            (work.company_id, f"{first:012d}-{name}", name, seen, correlation_id, json_text(payload), None)
            for name in names
        ],
    )


def name_quarantined(rail: str, rejected: RejectedRecord) -> str:
    """The identity of a quarantined record: the same bad record keeps it, whatever its reason."""
    what = rejected.external_id if rejected.external_id is not None else sha256(rejected.raw).hexdigest()
    kind = rejected.kind.value if rejected.kind is not None else ""
    return sha256("\x1f".join((rail, kind, what)).encode()).hexdigest()[:20]


def _write_quarantine(connection: Connection, work: PageWork, page: ChangePage) -> None:
    mended = [
        name_quarantined(work.lease.rail, RejectedRecord(change.record.kind, change.record.external_id, "", b""))
        for change in _quarantine_candidates(connection, work, page)
    ]
    if mended:
        connection.execute(
            delete(quarantine).where(
                quarantine.c.company_id == work.company_id, among(connection, quarantine.c.quarantine_id, mended)
            )
        )
    seen = to_microseconds(work.seen_at)
    module = postgresql if is_postgres(connection) else sqlite
    if not page.rejected:
        return
    statement = module.insert(quarantine)
    again = {
        "reason": statement.excluded.reason,
        "raw": statement.excluded.raw,
        "last_seen_at": statement.excluded.last_seen_at,
        "times_seen": quarantine.c.times_seen + 1,
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["company_id", "quarantine_id"],
            set_=again,
            where=quarantine.c.last_seen_at < statement.excluded.last_seen_at,
        ),
        [
            {
                "company_id": work.company_id,
                "quarantine_id": name_quarantined(work.lease.rail, rejected),
                "rail": work.lease.rail,
                "kind": rejected.kind,
                "external_id": rejected.external_id,
                "reason": rejected.reason,
                "raw": rejected.raw,
                "first_seen_at": seen,
                "last_seen_at": seen,
                "times_seen": 1,
            }
            for rejected in page.rejected
        ],
    )


def _quarantine_candidates(connection: Connection, work: PageWork, page: ChangePage) -> list[Change]:
    """Changes whose record lies in quarantine: what kept them out is mended."""
    if not page.changes:
        return []
    query = select(quarantine.c.kind, quarantine.c.external_id).where(
        quarantine.c.company_id == work.company_id,
        quarantine.c.rail == work.lease.rail,
        quarantine.c.external_id.is_not(None),
    )
    held = {(row.kind, row.external_id) for row in connection.execute(query)}
    if not held:
        return []
    return [change for change in page.changes if (change.record.kind.value, change.record.external_id) in held]


def _move_cursor(connection: Connection, work: PageWork) -> None:
    row = (work.company_id, work.lease.connection_id, work.page.next_cursor.token, to_microseconds(work.seen_at))
    upsert_rows(connection, cursors, [row])


def _count(connection: Connection, work: PageWork, counts: PageCounts) -> None:
    added = {name: sync_runs.c[name] + count for name, count in counts.__dict__.items() if count}
    connection.execute(
        update(sync_runs)
        .where(sync_runs.c.company_id == work.company_id, sync_runs.c.run_id == work.run_id)
        .values(added)
    )
