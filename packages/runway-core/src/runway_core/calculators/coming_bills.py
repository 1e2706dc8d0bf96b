"""Bills that are not entered yet but come round: when they will be due, and which of the past tell so.

Bills keep their day better than their payments do, which wait for a payment run and go out several at once.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.coming_invoices import find_usual_term
from runway_core.calculators.detected_series import DetectedSeries, find_bill_series
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.outlook_known import build_event
from runway_core.calculators.series import FULFIL_DAYS, stands_for
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.outlook import OutlookEvent, OutlookKind


class ComingBill(NamedTuple):
    """One bill to come."""

    series: DetectedSeries
    written_on: date
    due: date
    on: date  # the business day it leaves when it is paid on time
    home: Decimal  # positive

    @property
    def vendor_id(self) -> str:
        """Whose bill it will be."""
        return self.series.counterparty.external_id


class ComingBills(NamedTuple):
    """What will be billed as it was before, and the past bills that tell so."""

    bills: tuple[ComingBill, ...]
    in_series: frozenset[RecordKey]


def find_coming_bills(books: Books, last: date) -> ComingBills:
    """Bills of detected series that are due until `last` and leave a deposit account; no rate, no bill.

    One that has not come is waited for until its money would be ten days late. Those that go by card leave cash when
    the card is paid. An entered series wins over what was found.
    """
    found = _find_series(books)
    rates = HomeRates.of(books)
    coming: list[ComingBill] = []
    for series, keys in found:
        home = rates.convert(series.amount, series.currency)
        term = _find_term(books, keys)
        for day in series.days_from(add_days(books.as_of, -FULFIL_DAYS - term), last) if home else ():
            written_on = max(day, books.as_of)
            on = roll_forward(max(add_days(day, term), written_on))
            if home and on <= last:
                coming.append(ComingBill(series, written_on, add_days(day, term), on, home))
    in_series = frozenset(key for _, keys in found for key in keys)
    return ComingBills(tuple(coming), in_series)


def place_coming_bills(bills: Iterable[ComingBill]) -> Iterator[OutlookEvent]:
    """Their money as what comes round."""
    for one in bills:
        yield build_event(
            one.on,
            -one.home,
            OutlookKind.SERIES,
            label=f"{one.series.name}, bill to come",
            reason=f"billed {one.series.rhythm.value}, next on {one.written_on}, due {one.due}",
            series_id=one.series.series_id,
        )


def _find_series(books: Books) -> list[tuple[DetectedSeries, list[RecordKey]]]:
    """Series of bills that nobody entered and whose bills were last paid from a deposit account, with their bills."""
    held = {s.series_id: (s, [key for m in s.members for key in m.records]) for s in books.derive(find_bill_series)}
    series_of = {key.external_id: series_id for series_id, (_, keys) in held.items() for key in keys}
    paid: dict[str, tuple[int, str, str | None]] = {}
    vendor_ids = {series.counterparty.external_id for series, _ in held.values()}
    payments = books.bill_payment_columns
    for place, (vendor_id, is_void) in enumerate(zip(payments.vendor_id, payments.is_void, strict=True)):
        if vendor_id in vendor_ids and not is_void:
            latest = payments.document_day[place], payments.external_id[place], payments.account_id[place]
            for link in payments.applied[place]:
                series_id = series_of.get(link.external_id) if link.kind is RecordKind.BILL else None
                if series_id is not None and (series_id not in paid or latest > paid[series_id]):
                    paid[series_id] = latest
    cash, entered = find_cash_account_ids(books), books.company.settings.series
    return [
        (series, keys)
        for series_id, (series, keys) in held.items()
        if series_id in paid
        and paid[series_id][2] in cash
        and not any(stands_for(one, series, due_after=_find_term(books, keys)) for one in entered)
    ]


def _find_term(books: Books, keys: list[RecordKey]) -> int:
    return find_usual_term(books.bill_columns, books.bill_places, keys)
