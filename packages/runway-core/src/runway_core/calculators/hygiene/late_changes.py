"""Changes of records that people had closed the book on: what changed, of which records, on which days."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from runway_core.calculators.deleted_entries import DeletedEntry
from runway_core.domain.books import Books
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import ZERO
from runway_core.domain.record import Record

DATE_FIELD = "document_date"
LINES_FIELD = "lines"
ACCOUNT_FIELDS = frozenset({"account_id", "from_account_id", "to_account_id"})
MONEY_FIELDS = frozenset({"total", DATE_FIELD, "is_void", *ACCOUNT_FIELDS})
"""What moves money to another amount, day or account. What a payment does to a document's open balance is no change."""


def group_changes(changes: Iterable[FieldChange], fields: Iterable[str]) -> dict[RecordKey, list[FieldChange]]:
    """Changes of the given fields by record, each list by time; what came back to what it was does not count."""
    wanted = frozenset(fields)
    found: dict[RecordKey, list[FieldChange]] = {}
    for change in changes:
        if change.field in wanted and change.before != change.after and not _is_wording(change):
            found.setdefault(change.record, []).append(change)
    for held in found.values():
        held.sort(key=lambda change: (change.seen_at, change.field, change.before or "", change.after or ""))
    return {key: held for key, held in found.items() if _is_lasting(held)}


def find_changed_records(books: Books, keys: Iterable[RecordKey], names: Iterable[str]) -> Iterator[Record]:
    """The records of `keys`, looked for in the fields `names` of the books; deleted ones are not there."""
    wanted = set(keys)
    kinds = {key.kind for key in wanted}
    for name in names:
        records: tuple[Record, ...] = getattr(books, name)
        if records and records[0].kind in kinds:
            yield from (record for record in records if record.key in wanted)


def first_day(record: Record, changes: Iterable[FieldChange]) -> date:
    """The earliest day on which the record stood, before or after its changes."""
    days: list[date] = [getattr(record, DATE_FIELD)]
    days += [
        date.fromisoformat(text)
        for change in changes
        if change.field == DATE_FIELD
        for text in (change.before, change.after)
        if text is not None
    ]
    return min(days)


def sum_difference(record: Record, changes: Iterable[FieldChange]) -> Decimal:
    """By how much the total changed; all of it where something else did."""
    moved = ZERO
    for change in changes:
        if change.field == "total":
            moved += Decimal(change.after or 0) - Decimal(change.before or 0)
    total: Decimal = getattr(record, "total", ZERO)
    return moved or total


def show_changes(changes: Iterable[FieldChange]) -> Iterator[Evidence]:
    """Each change: before, after, who and when."""
    for change in changes:
        who = change.changed_by or "the ledger does not say who"
        moved = f"{change.before or 'none'} → {change.after or 'none'}"
        when = f"seen {change.seen_at:%Y-%m-%d %H:%M} UTC"
        yield Evidence(name=change.field, value=f"{moved} ({who}, {when})", record=change.record)


def show_deleted(gone: DeletedEntry) -> Iterator[Evidence]:
    """What an entry was, and when it was seen to be deleted."""
    total: Decimal | None = getattr(gone.record, "total", None)
    if total is not None:
        yield Evidence(name="total", value=str(total), record=gone.record.key)
    who = gone.change.changed_by or "the ledger does not say who"
    when = f"seen {gone.change.seen_at:%Y-%m-%d %H:%M} UTC"
    yield Evidence(name="deleted", value=f"{who}, {when}", record=gone.record.key)


def _is_wording(change: FieldChange) -> bool:
    """Whether lines changed in words alone, as when an account was renamed: amounts and accounts are what they were."""
    if change.field != LINES_FIELD:
        return False
    try:
        return _booked(change.before) == _booked(change.after)
    except msgspec.MsgspecError:
        return False


def _booked(lines: str | None) -> list[tuple[object, ...]]:
    rows = msgspec.json.decode(lines or "[]", type=list[dict[str, object]])
    return [tuple(row.get(name) for name in ("line_kind", "amount", "account_id", "item_id")) for row in rows]


def _is_lasting(changes: list[FieldChange]) -> bool:
    """Whether some field is not what it was at first."""
    first: dict[str, str | None] = {}
    last: dict[str, str | None] = {}
    for change in changes:
        first.setdefault(change.field, change.before)
        last[change.field] = change.after
    return any(first[name] != last[name] for name in first)


def name_fields(changes: Iterable[FieldChange]) -> str:
    """The fields that changed, in words."""
    said: Mapping[str, str] = {DATE_FIELD: "date", "is_void": "void mark"} | dict.fromkeys(ACCOUNT_FIELDS, "account")
    return ", ".join(dict.fromkeys(said.get(change.field, change.field) for change in changes))
