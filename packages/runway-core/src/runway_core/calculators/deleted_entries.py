"""Entries that were deleted where they are kept: what they were, as the changes tell that books hold."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from runway_core.calculators.postings import ENTRY_FIELDS
from runway_core.domain.books import Books
from runway_core.domain.field_changes import WHOLE_RECORD, FieldChange
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.past import read_contents
from runway_core.domain.record import Record

_FIELD_OF = {
    kind: name
    for kind in RecordKind
    if (name := {RecordKind.JOURNAL_ENTRY: "journal_entries"}.get(kind, f"{kind.value}s")) in ENTRY_FIELDS
}


class DeletedEntry(NamedTuple):
    """An entry as it last was, and the change that tells of its end."""

    record: Any  # one of `ENTRY_FIELDS`
    change: FieldChange


def find_deleted_entries(books: Books) -> Sequence[DeletedEntry]:
    """Entries that were deleted lately and have not come back, by kind and id."""
    last: dict[RecordKey, FieldChange] = {}
    for change in books.changes:
        key = change.record
        if change.field == WHOLE_RECORD and change.before and isinstance(key, RecordKey) and key.kind in _FIELD_OF:
            held = last.get(key)
            if held is None or change.seen_at > held.seen_at:
                last[key] = change
    if not last:
        return ()
    there = {
        record.key
        for kind in {key.kind for key in last}
        for record in getattr(books, _FIELD_OF[kind])
        if record.key in last
    }
    return [DeletedEntry(_read(key, last[key]), last[key]) for key in sorted(last.keys() - there)]


def with_only(books: Books, entries: Sequence[Record]) -> Books:
    """The books of the same company and day with no entries but these, and no lines at a bank."""
    fields: dict[str, tuple[Record, ...]] = dict.fromkeys(ENTRY_FIELDS, ())
    for entry in entries:
        fields[_FIELD_OF[entry.kind]] += (entry,)
    return books.model_copy(update={**fields, "bank_transactions": ()})


def _read(key: RecordKey, change: FieldChange) -> Record:
    (record,) = read_contents(key.kind, [(change.before or "").encode()])
    return record
