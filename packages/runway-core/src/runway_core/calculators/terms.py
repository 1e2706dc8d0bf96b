"""When documents without a believable due date fall due: by the terms that a party usually gives or takes."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.statistics import median, round_half_up
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.invoices import Invoice

DEFAULT_TERM_DAYS = 30
LONGEST_TERM_DAYS = 365
"""A due date later than this after its document, or before it, is no term but a typing error."""


class DatedDocument(NamedTuple):
    """What terms are told from."""

    external_id: str
    party_id: str | None
    document_date: date
    due_date: date | None


class DueDay(NamedTuple):
    """The day a document counts as due, and why."""

    day: date
    is_assumed: bool
    reason: str


def date_bills(bills: Iterable[Bill]) -> list[DatedDocument]:
    """Bills, reduced to their dates."""
    return [DatedDocument(bill.external_id, bill.vendor_id, bill.document_date, bill.due_date) for bill in bills]


def date_invoices(invoices: Iterable[Invoice]) -> list[DatedDocument]:
    """Invoices that are not void, reduced to their dates."""
    return [
        DatedDocument(invoice.external_id, invoice.customer_id, invoice.document_date, invoice.due_date)
        for invoice in invoices
        if not invoice.is_void
    ]


class UsualTerms:
    """The days between document and due date that each party's documents show."""

    def __init__(self, documents: Iterable[DatedDocument], party_ids: Iterable[str | None]) -> None:
        wanted = set(party_ids)
        self._days: dict[str, list[tuple[str, int]]] = {}
        if not wanted - {None}:
            return
        for document in documents:
            party_id, due = document.party_id, document.due_date
            if party_id is not None and party_id in wanted and due is not None:
                days = (due - document.document_date).days
                if 0 <= days <= LONGEST_TERM_DAYS:
                    self._days.setdefault(party_id, []).append((document.external_id, days))

    @classmethod
    def of_bills(cls, books: Books, wanted: Iterable[Bill]) -> "UsualTerms":
        """Terms of the vendors of the `wanted` bills."""
        party_ids = {bill.vendor_id for bill in wanted}
        return cls(date_bills(b for b in books.bills if b.vendor_id in party_ids) if party_ids else (), party_ids)

    @classmethod
    def of_invoices(cls, books: Books, wanted: Iterable[Invoice]) -> "UsualTerms":
        """Terms of the customers of the `wanted` invoices."""
        party_ids = {invoice.customer_id for invoice in wanted}
        invoices = (invoice for invoice in books.invoices if invoice.customer_id in party_ids)
        return cls(date_invoices(invoices) if party_ids else (), party_ids)

    def days_of(self, party_id: str | None, *, except_id: str | None = None) -> list[int]:
        """Every term seen with a party, shortest first, leaving out the document `except_id`."""
        seen = self._days.get(party_id, []) if party_id is not None else []
        return sorted(days for external_id, days in seen if external_id != except_id)

    def median_of(self, party_id: str | None, *, except_id: str | None = None) -> int | None:
        """The median term in whole days, halves up; `None` where nothing is known."""
        days = self.days_of(party_id, except_id=except_id)
        return round_half_up(median(days)) if days else None

    def due_day(self, document: DatedDocument) -> DueDay:
        """The due date, or the document's date and the usual terms where it has none."""
        if document.due_date is not None:
            return DueDay(document.due_date, is_assumed=False, reason=f"due {document.due_date}")
        days = self.median_of(document.party_id, except_id=document.external_id)
        what = "usual" if days is not None else "assumed"
        days = DEFAULT_TERM_DAYS if days is None else days
        reason = f"no due date: {document.document_date} and the {what} {days} days"
        return DueDay(add_days(document.document_date, days), is_assumed=True, reason=reason)
