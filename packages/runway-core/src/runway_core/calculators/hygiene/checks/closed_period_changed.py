"""GL03: the books of a period were closed, and something in it changed."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from runway_core.calculators.deleted_entries import DeletedEntry, find_deleted_entries
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.late_changes import (
    LINES_FIELD,
    MONEY_FIELDS,
    find_changed_records,
    first_day,
    group_changes,
    name_fields,
    show_changes,
    show_deleted,
    sum_difference,
)
from runway_core.calculators.postings import ENTRY_FIELDS
from runway_core.domain.books import Books
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
from runway_core.domain.record import Record

CLOSING_FIELD = "books_closed_through"


class ClosedPeriodChanged:
    """Amount, day, account or lines of an entry changed, or all of it was deleted, whose day lies in the closed period.

    Closed is what the ledger says, or the company's setting, whichever is later. Where the log tells when the closing
    date was set, only changes since count, and entries made since count too.
    """

    id = "GL03"
    name = "closed_period_changed"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"changes", "company_info", *ENTRY_FIELDS})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding an entry."""
        closed = _find_closed(books)
        if closed is None:
            return
        closed_at = _find_closing(books, closed)
        changed = group_changes(
            (change for change in books.changes if closed_at is None or change.seen_at > closed_at),
            {*MONEY_FIELDS, LINES_FIELD},
        )
        for record in find_changed_records(books, changed, sorted(ENTRY_FIELDS)):
            changes = changed[record.key]
            if first_day(record, changes) <= closed:
                yield self._report(books, record, closed, changes)
        if closed_at is not None:
            for record in _find_entered_since(books, closed, closed_at):
                if record.key not in changed:
                    yield self._report(books, record, closed, [])

        for gone in find_deleted_entries(books):
            if gone.record.document_date <= closed and _is_since(gone, closed_at):
                yield self._report_deleted(books, gone, closed)

    def _report_deleted(self, books: Books, gone: DeletedEntry, closed: date) -> Finding:
        record = gone.record
        on: date = record.document_date
        return build_finding(
            self,
            books,
            subjects=(record.key,),
            amount=getattr(record, "total", None),
            currency=getattr(record, "currency", None),
            summary=f"{_name_kind(record)} of {on} was deleted though the books are closed through {closed}",
            evidence=(
                Evidence(name="document_date", value=on.isoformat(), record=record.key),
                *show_deleted(gone),
                Evidence(name="closed_through", value=closed.isoformat()),
            ),
            fixes=(SuggestedFix(label="Look it over, and enter it again if it was right", record=record.key),),
        )

    def _report(self, books: Books, record: Record, closed: date, changes: list[FieldChange]) -> Finding:
        what = f"changed ({name_fields(changes)})" if changes else f"was entered {record.created_at:%Y-%m-%d}"
        on = first_day(record, changes)
        return build_finding(
            self,
            books,
            subjects=(record.key,),
            amount=sum_difference(record, changes),
            currency=getattr(record, "currency", None),
            summary=f"{_name_kind(record)} of {on} {what} though the books are closed through {closed}",
            evidence=(
                Evidence(name="document_date", value=on.isoformat(), record=record.key),
                *show_changes(change for change in changes if change.field != LINES_FIELD),
                *_show_lines(changes),
                Evidence(name="closed_through", value=closed.isoformat()),
            ),
            fixes=(SuggestedFix(label="Look it over, and date it after the close if it is right", record=record.key),),
        )


def _find_closed(books: Books) -> date | None:
    told = None if books.company_info is None else books.company_info.books_closed_through
    days = [day for day in (told, books.company.settings.books_closed_through) if day is not None]
    return max(days, default=None)


def _find_closing(books: Books, closed: date) -> datetime | None:
    """When the closing date was set, where the log tells it of this very date."""
    return max(
        (
            change.seen_at
            for change in books.changes
            if change.record.kind is RecordKind.COMPANY_INFO
            and change.field == CLOSING_FIELD
            and change.after == closed.isoformat()
        ),
        default=None,
    )


def _is_since(gone: DeletedEntry, closed_at: datetime | None) -> bool:
    """Whether an entry that was there when the books were closed was deleted after; what is not known counts."""
    if closed_at is None:
        return True
    entered: datetime | None = gone.record.created_at
    return gone.change.seen_at > closed_at and (entered is None or entered <= closed_at)


def _name_kind(record: Record) -> str:
    return record.kind.value.replace("_", " ").capitalize()


def _find_entered_since(books: Books, closed: date, closed_at: datetime) -> Iterator[Record]:
    for name in sorted(ENTRY_FIELDS):
        for record in getattr(books, name):
            if record.created_at is not None and record.created_at > closed_at and record.document_date <= closed:
                yield record


def _show_lines(changes: Iterable[FieldChange]) -> Iterator[Evidence]:
    """That lines changed; what they were is in the log."""
    for change in changes:
        if change.field == LINES_FIELD:
            yield Evidence(
                name="lines", value=f"changed, seen {change.seen_at:%Y-%m-%d %H:%M} UTC", record=change.record
            )
