"""Expected movements that nobody wrote down: what history says will still be entered, and what is usual beside it."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from runway_core.calculators.calendar import monday_of, roll_forward
from runway_core.calculators.entry_curve import EntryCurve, compute_bill_curve, compute_receipt_curve, find_fridays
from runway_core.calculators.flows import Flows
from runway_core.calculators.history import Span
from runway_core.calculators.outlook_known import build_event, place_processed
from runway_core.calculators.residual import compute_residual, find_takings_seasons
from runway_core.calculators.seasons import NO_SEASONS
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import AMOUNT_STEP, ZERO
from runway_core.domain.outlook import OutlookEvent, OutlookKind

NO_HISTORY = "what is not entered yet: less than 28 days of history, so nothing is expected beyond the books"


def place_usual(
    books: Books, flows: Flows, span: Span | None, *, in_series: frozenset[RecordKey], last: date
) -> Iterator[OutlookEvent]:
    """What is usual in a week and not in the books yet, on the Friday of each week to come.

    `span` is the past that says what is usual, `None` when it is too short to say anything. Payments and receipts
    `in_series` come round by themselves. What a card processor pays out in a week is part of its usual receipts.
    """
    if span is None:
        return
    bills = compute_bill_curve(books, span, in_series=in_series)
    beside_bills = frozenset(key for key in in_series if key.kind is not RecordKind.BILL)
    receipts = books.derive(compute_receipt_curve, span, in_series=beside_bills)
    residual = books.derive(compute_residual, flows, span, in_series=beside_bills)
    seasons = books.derive(find_takings_seasons, in_series=beside_bills) if residual.inflow else NO_SEASONS
    processed = _sum_processed(books) if residual.inflow else {}
    for week, friday in find_fridays(books.as_of, last):
        on = roll_forward(friday)
        if bills is not None:
            yield from _expect(on, bills, week, sign=-1, label="Bills not yet entered", what="bills")
        if receipts is not None:
            yield from _expect(on, receipts, week, sign=1, label="Sales not yet invoiced", what="invoices")
        season, paid_out = seasons[week - 1], processed.get(monday_of(friday), ZERO)
        receipts_left = max(residual.inflow * season - Fraction(paid_out), Fraction(0))
        for amount, label in ((-residual.outflow, "Other payments"), (receipts_left, "Other receipts")):
            home = _exact(amount)
            if home:
                reason = f"the median week since {span.first}, beside documents and series"
                if amount > 0 and season != 1:
                    reason += f"; {int(season * 100)} % of it, as last year's weeks stood to those before"
                if amount > 0 and paid_out:
                    reason += f"; less {paid_out:,.2f} that a card processor pays out"
                yield build_event(on, home, OutlookKind.RESIDUAL, label=label, reason=reason)


def _sum_processed(books: Books) -> dict[date, Decimal]:
    """What card processors pay out of takings, by the Monday of the week in which it arrives; home currency."""
    sums: dict[date, Decimal] = {}
    for event in place_processed(books):
        monday = monday_of(event.on)
        sums[monday] = sums.get(monday, ZERO) + event.amount
    return {monday: amount for monday, amount in sums.items() if amount > 0}


def _expect(on: date, curve: EntryCurve, week: int, *, sign: int, label: str, what: str) -> Iterator[OutlookEvent]:
    home = _exact(sign * curve.coming(week))
    if home:
        usual = _exact(curve.usual_week)
        known = int(curve.coverage_of(week) * 100)
        reason = f"{usual:,.2f} of {what} are settled in a usual week, {known} % of it entered by now"
        yield build_event(on, home, OutlookKind.NOT_YET_ENTERED, label=label, reason=reason)


def _exact(amount: Fraction) -> Decimal:
    """Four places, halves up."""
    return (Decimal(amount.numerator) / amount.denominator).quantize(AMOUNT_STEP, rounding=ROUND_HALF_UP)
