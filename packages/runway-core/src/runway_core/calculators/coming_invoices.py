"""Invoices that are not written yet but come round: when they will be, and when they will be paid."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import ONE_DAY, add_days, roll_forward
from runway_core.calculators.detected_series import DetectedSeries, find_invoice_series
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.outlook_known import build_event
from runway_core.calculators.receivables import PaymentHabits
from runway_core.calculators.terms import DEFAULT_TERM_DAYS
from runway_core.domain.books import Books
from runway_core.domain.columns import BillColumns, InvoiceColumns
from runway_core.domain.identity import RecordKey
from runway_core.domain.outlook import OutlookEvent, OutlookKind

_LATE_DAYS = 7
"""One that should have been written longer ago is not waited for here: AR13 asks about it."""


class ComingInvoice(NamedTuple):
    """One invoice to come, and the day its money is expected by habit."""

    series: DetectedSeries
    written_on: date
    due: date
    on: date  # the business day
    home: Decimal

    @property
    def customer_id(self) -> str:
        """Whose invoice it will be."""
        return self.series.counterparty.external_id


class ComingInvoices(NamedTuple):
    """What will be invoiced as it was before, and the past invoices that tell so."""

    invoices: tuple[ComingInvoice, ...]
    in_series: frozenset[RecordKey]


def find_coming_invoices(books: Books, habits: PaymentHabits, last: date) -> ComingInvoices:
    """Invoices of detected series that are written and paid until `last`; amounts without a rate are left out."""
    rates = HomeRates.of(books)
    found: list[ComingInvoice] = []
    in_series: set[RecordKey] = set()
    for series in books.derive(find_invoice_series):
        keys = [key for member in series.members for key in member.records]
        in_series.update(keys)
        home = rates.convert(series.amount, series.currency)
        term = find_usual_term(books.invoice_columns, books.invoice_places, keys)
        late = habits.late_days(series.counterparty.external_id)
        for day in series.days_from(add_days(books.as_of, -_LATE_DAYS), last) if home else ():
            written_on, due = max(day, books.as_of), add_days(day, term)
            base = max(add_days(due, late), written_on + ONE_DAY)
            if home and base <= last:
                found.append(ComingInvoice(series, written_on, due, roll_forward(base), home))
    return ComingInvoices(tuple(found), frozenset(in_series))


def place_coming_invoices(invoices: Iterable[ComingInvoice]) -> Iterator[OutlookEvent]:
    """Their money as movements that nobody has entered."""
    for one in invoices:
        reason = f"invoiced {one.series.rhythm.value}, next on {one.written_on}; paid as the customer usually does"
        yield build_event(
            one.on,
            one.home,
            OutlookKind.NOT_YET_ENTERED,
            label=f"{one.series.name}, invoice to come",
            reason=reason,
            series_id=one.series.series_id,
        )


def find_usual_term(
    documents: BillColumns | InvoiceColumns, places: Mapping[str, int], keys: Sequence[RecordKey]
) -> int:
    """The middle term of the last three documents, in days, or thirty; `places` are those of documents by id."""
    held = [places[key.external_id] for key in keys[-3:] if key.external_id in places]
    dues = ((place, documents.due_day[place]) for place in held)
    terms = sorted(due - documents.document_day[place] for place, due in dues if due is not None)
    return max(terms[len(terms) // 2], 0) if terms else DEFAULT_TERM_DAYS
