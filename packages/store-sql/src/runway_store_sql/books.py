"""Reading a company's books: everything its calculators need, on one snapshot, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from runway_core.domain.books import Books
from runway_core.domain.company import Company
from runway_core.domain.field_changes import CHANGES_DAYS, TELLING, FieldChange, read_field_changes
from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.log_entry import ChainHead, decode_entry, to_microseconds
from runway_core.domain.paper_kinds import BOOKS_PAPERS
from runway_core.domain.papers import PaperKind
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import DEFAULT_POLICY, Policy, lay_over
from runway_core.domain.record import Record
from sqlalchemy import BindParameter, Connection, Select, bindparam, false, or_, select

from runway_store_sql.bulk import among, is_postgres
from runway_store_sql.collection import paused_collection
from runway_store_sql.held_books import HeldBooks, HeldRecords
from runway_store_sql.other_rails import see_other_rails
from runway_store_sql.papers import decode_paper
from runway_store_sql.past import ArchivedPast, read_past
from runway_store_sql.registry import read_connection
from runway_store_sql.rows import field_columns, json_rows, read_json_rows, read_rows
from runway_store_sql.sealing import open_lazily
from runway_store_sql.tables import (
    IS_CHANGE,
    NIL,
    RECORD_SPECS,
    RecordSpec,
    companies,
    connections,
    log_entries,
    log_heads,
    working_papers,
)

_BOOKS_FIELDS: dict[RecordKind, str] = {
    RecordKind.ACCOUNT: "accounts",
    RecordKind.TERM: "terms",
    RecordKind.VENDOR: "vendors",
    RecordKind.CUSTOMER: "customers",
    RecordKind.BILL: "bills",
    RecordKind.VENDOR_CREDIT: "vendor_credits",
    RecordKind.BILL_PAYMENT: "bill_payments",
    RecordKind.INVOICE: "invoices",
    RecordKind.CREDIT_MEMO: "credit_memos",
    RecordKind.CUSTOMER_PAYMENT: "customer_payments",
    RecordKind.PURCHASE: "purchases",
    RecordKind.DEPOSIT: "deposits",
    RecordKind.TRANSFER: "transfers",
    RecordKind.JOURNAL_ENTRY: "journal_entries",
    RecordKind.ATTACHMENT: "attachments",
    RecordKind.COMPANY_INFO: "company_info",
    RecordKind.BANK_ACCOUNT: "bank_accounts",
    RecordKind.BANK_TRANSACTION: "bank_lines",
    RecordKind.RAIL_BILL: "execution_bills",
    RecordKind.RAIL_PAYMENT: "execution_payments",
    RecordKind.CARD_TRANSACTION: "card_transactions",
    RecordKind.CHARGE: "charges",
    RecordKind.REFUND: "refunds",
    RecordKind.DISPUTE: "disputes",
    RecordKind.PAYOUT: "sent_payouts",
    RecordKind.PROCESSOR_ENTRY: "processor_entries",
}
"""What is read of each kind; what other rails show becomes fields of `Books` by `see_other_rails`."""
_DAYS = ("document_date", "booked_on")
"""The day by which a record belongs to a period, by the column that its kind has."""
_ABSENT: dict[str, Any] = {
    name: field.get_default(call_default_factory=True, validated_data={})
    for name, field in Books.model_fields.items()
    if not field.is_required()
}
"""What no table holds yet or the company does not have, as books without it have it."""
_PAPER_KINDS = frozenset({PaperKind.POLICY, *BOOKS_PAPERS})
_OPEN_REST = ("open_balance", "unapplied")
"""What keeps a document open, by the column that its kind has."""

NEWS_LIMIT = 2_000
"""After more entries than this, everything is read again: about then it takes no longer."""

_EARLIER = timedelta(days=1)
"""So much longer are changes held, for readers whose moment lies before that of others."""

_COMPANY: BindParameter[str] = bindparam("company_id")
_HISTORY_FROM: BindParameter[str] = bindparam("history_from")


def open_rest(spec: RecordSpec) -> Any | None:
    """The column that tells whether a document of this kind is open, if there is one."""
    for name in _OPEN_REST:
        if spec.has(name):
            return spec.table.c[name]
    return None


@cache
def _books_query(kind: RecordKind, *, is_json: bool) -> Select[Any]:
    """Made once: building a query of twenty columns takes longer than running it on a small company."""
    spec = RECORD_SPECS[kind]
    table = spec.table
    query = select(*field_columns(spec)).where(table.c.company_id == _COMPANY, table.c.is_deleted == false())
    day = next((table.c[name] for name in _DAYS if spec.has(name)), None)
    if day is not None:
        recent = day >= _HISTORY_FROM
        rest = open_rest(spec)
        if rest is not None:
            recent = or_(recent, rest > NIL, rest.is_(None)) if rest.nullable else or_(recent, rest > NIL)
        query = query.where(recent)
    query = query.order_by(table.c.external_id)
    return json_rows(spec, query) if is_json else query


def _fetch(connection: Connection, query: Select[Any], parameters: dict[str, str]) -> Sequence[Sequence[Any]]:
    """The rows as the driver made them: SQLAlchemy's own would be made for nothing."""
    result = connection.execute(query, parameters)
    rows: Sequence[Sequence[Any]] = result.cursor.fetchall()
    result.close()
    return rows


def _read_records(connection: Connection, parameters: dict[str, str]) -> dict[str, tuple[Record, ...]]:
    """The records of every kind by external id, by their field of `Books`."""
    is_json = not is_postgres(connection)
    rows = {kind: _fetch(connection, _books_query(kind, is_json=is_json), parameters) for kind in _BOOKS_FIELDS}
    records: dict[str, tuple[Record, ...]] = {}
    with paused_collection():  # around pure work only: other tasks of an event loop never run paused
        for kind, name in _BOOKS_FIELDS.items():
            spec, found = RECORD_SPECS[kind], rows.pop(kind)
            records[name] = tuple(read_json_rows(spec, found[0][0]) if is_json else read_rows(spec, found))
    return records


def _read_papers(connection: Connection, company_id: str) -> dict[str, Any]:
    """The working papers that calculators see, by their field of `Books`, in one query."""
    table = working_papers
    query = (
        select(table.c.paper_kind, table.c.document)
        .where(
            table.c.company_id == company_id,
            table.c.paper_kind.in_(sorted(kind.value for kind in _PAPER_KINDS)),
            table.c.is_closed == false(),
        )
        .order_by(table.c.paper_kind, table.c.paper_id)
    )
    found: dict[PaperKind, list[Any]] = defaultdict(list)
    for kind, document in connection.execute(query):
        found[PaperKind(kind)].append(decode_paper(kind, document))
    return {"policy": next(iter(found[PaperKind.POLICY]), None)} | {
        name: tuple(found[kind]) for kind, name in BOOKS_PAPERS.items()
    }


@lru_cache(maxsize=64)
def _decode_policy(document: bytes) -> Policy:
    return Policy.model_validate_json(document)


def _read_policy(document: bytes | None) -> Policy | None:
    """The firm's policy, which companies' own ones lie over; it comes with the head, so that it costs no query."""
    return None if document is None else _decode_policy(bytes(document))


def _read_changes(
    connection: Connection, company_id: str, *, since: datetime, after_sequence: int = 0
) -> tuple[FieldChange, ...]:
    """What the log says of watched fields since a moment, oldest first, in one query."""
    query = (
        select(log_entries.c.canonical)
        .where(
            log_entries.c.company_id == company_id,
            IS_CHANGE,  # written as the partial index has it, so that it is used
            log_entries.c.seen_at >= to_microseconds(since),
            log_entries.c.sequence > after_sequence,
        )
        .order_by(log_entries.c.sequence)
    )
    opener, found = open_lazily(connection, CompanyId(company_id)), connection.scalars(query).all()
    entries = (decode_entry(canonical, opener)[2] for canonical in found)
    return tuple(change for draft in entries for change in read_field_changes(draft))


def _read_news(
    connection: Connection, held: HeldRecords, *, head: ChainHead, parameters: dict[str, str], since: datetime
) -> HeldRecords | None:
    """What is held with what the log names since; `None` when it is not of this chain, or too much is new."""
    if held.head == head:
        return held
    if not 0 < head.sequence - held.head.sequence <= NEWS_LIMIT:
        return None
    company = log_entries.c.company_id == parameters["company_id"]
    if held.head.sequence > 0:
        seal = select(log_entries.c.hash).where(company, log_entries.c.sequence == held.head.sequence)
        if connection.scalar(seal) != held.head.hash:
            return None
    named = select(log_entries.c.kind, log_entries.c.external_id, log_entries.c.what).where(
        company, log_entries.c.sequence > held.head.sequence
    )
    changed: dict[RecordKind, set[str]] = defaultdict(set)
    have_papers_changed = have_fields_changed = False
    for kind, external_id, what in connection.execute(named):
        if kind in _BOOKS_FIELDS:
            changed[RecordKind(kind)].add(external_id)
            have_fields_changed = have_fields_changed or what in TELLING
        have_papers_changed = have_papers_changed or kind in _PAPER_KINDS
    records = dict(held.records)
    for kind, ids in changed.items():
        spec, name = RECORD_SPECS[kind], _BOOKS_FIELDS[kind]
        query = _books_query(kind, is_json=False)
        query = query.where(among(connection, spec.table.c.external_id, sorted(ids)))
        kept = [record for record in records[name] if record.external_id not in ids]
        kept += read_rows(spec, _fetch(connection, query, parameters))
        records[name] = tuple(sorted(kept, key=attrgetter("external_id")))
    papers = _read_papers(connection, parameters["company_id"]) if have_papers_changed else held.papers
    changes = held.changes
    if have_fields_changed:
        changes += _read_changes(connection, parameters["company_id"], since=since, after_sequence=held.head.sequence)
    return HeldRecords(
        head=head,
        history_from=held.history_from,
        records=records,
        papers=papers,
        changes=tuple(change for change in changes if change.seen_at >= since),
        changes_since=max(since, held.changes_since),
        views=held.views,
    )


def _read_all(connection: Connection, *, head: ChainHead, parameters: dict[str, str], since: datetime) -> HeldRecords:
    return HeldRecords(
        head=head,
        history_from=date.fromisoformat(parameters["history_from"]),
        records=_read_records(connection, parameters),
        papers=_read_papers(connection, parameters["company_id"]),
        changes=_read_changes(connection, parameters["company_id"], since=since),
        changes_since=since,
    )


def _read_whole(
    connection: Connection,
    held_books: HeldBooks,
    *,
    company: Company,
    head: ChainHead,
    parameters: dict[str, str],
    since: datetime,
) -> HeldRecords:
    held = held_books.find(company.company_id, history_from=date.fromisoformat(parameters["history_from"]))
    kept = since - _EARLIER
    read = None if held is None else _read_news(connection, held, head=head, parameters=parameters, since=kept)
    if read is None or since < read.changes_since:
        read = _read_all(connection, head=head, parameters=parameters, since=kept)
    return read


def _read_connections(connection: Connection, company: Company) -> tuple[Any, ...]:
    query = select(connections).where(
        connections.c.company_id == company.company_id, connections.c.firm_id == company.firm_id
    )
    return tuple(read_connection(row) for row in connection.execute(query.order_by(connections.c.rail)))


def _ask_for_head(company: Company) -> Select[Any]:
    """Where a company's chain ends, with its firm's policy; nothing where it is not of that firm."""
    firm = select(working_papers.c.document).where(
        working_papers.c.company_id == firm_chain(company.firm_id),
        working_papers.c.paper_kind == PaperKind.POLICY.value,
        working_papers.c.paper_id == DEFAULT_POLICY.paper_id,
    )
    owned = select(log_heads.c.sequence, log_heads.c.hash, firm.scalar_subquery().label("firm_policy")).join(
        companies, companies.c.company_id == log_heads.c.company_id
    )
    return owned.where(log_heads.c.company_id == company.company_id, companies.c.firm_id == company.firm_id)


def read_books(
    connection: Connection,
    company: Company,
    *,
    held_books: HeldBooks,
    as_of: date,
    history_from: date,
    read_at: datetime,
    known_at: datetime | None = None,
    archived: Mapping[CompanyId, ArchivedPast] = MappingProxyType({}),
) -> Books:
    """Read on one snapshot: a query for the head, the connections, the papers, changes, and one a kind.

    What was read is held, and read again from where they were left: two queries, one a kind that changed, one for the
    papers when one of them did, and one for changes of fields when a record was updated.
    """
    found = connection.execute(_ask_for_head(company)).first()
    fields: Mapping[str, Any] = {}
    links: tuple[Any, ...] = ()
    sequence = 0
    if found is not None:
        since = read_at - timedelta(days=CHANGES_DAYS)
        sequence, firm_policy = found.sequence, _read_policy(found.firm_policy)
        if known_at is None:
            head = ChainHead(sequence=found.sequence, hash=found.hash)
            links = _read_connections(connection, company)
            parameters = {"company_id": company.company_id, "history_from": history_from.isoformat()}
            read = _read_whole(connection, held_books, company=company, head=head, parameters=parameters, since=since)
            read = see_other_rails(read, links)
            held_books.keep(company.company_id, read)
        else:
            past = read_past(
                connection,
                company.company_id,
                firm_id=company.firm_id,
                known_at=known_at,
                history_from=history_from,
                since=since,
                fields=_BOOKS_FIELDS,
                archived=archived,
            )
            sequence, links, firm_policy = past.sequence, past.connections, past.firm_policy
            read = see_other_rails(past.records, links)
        fields = {
            **{name: records for name, records in read.records.items() if name in Books.model_fields},
            **{name: value for view in read.views.values() for name, value in view.fields.items()},
            **read.papers,
            "policy": lay_over(firm_policy, read.papers["policy"]),
            "changes": tuple(change for change in read.changes if change.seen_at >= since),
            "company_info": next(iter(read.records["company_info"]), None),
        }
    values = {
        **_ABSENT,
        "company": company,
        "as_of": as_of,
        "read_at": read_at,
        "history_from": history_from,
        "log_sequence": sequence,
        "connections": links,
        **fields,
    }
    return Books.trusted(values)
