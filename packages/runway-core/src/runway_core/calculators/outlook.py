"""The dated outlook of cash: thirteen weeks of expected movements, and when they fall below a floor.

Outflows of a day come before its inflows: the low of the day decides, so that money which arrives the same afternoon
does not cover the morning's payroll.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from runway_core.calculators.calendar import add_days, monday_of
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.coming_bills import find_coming_bills, place_coming_bills
from runway_core.calculators.coming_invoices import find_coming_invoices, place_coming_invoices
from runway_core.calculators.exchange import HomeRates, name_unrated
from runway_core.calculators.flows import find_cash_account_ids, read_flows
from runway_core.calculators.history import find_usual_span
from runway_core.calculators.monthly_liabilities import find_monthly_liabilities
from runway_core.calculators.outlook_known import (
    place_bills,
    place_future_entries,
    place_in_flight,
    place_invoices,
    place_processed,
    place_series,
)
from runway_core.calculators.outlook_liabilities import charge_cards, place_liabilities
from runway_core.calculators.outlook_spread import place_bill_spread, place_invoice_spread
from runway_core.calculators.outlook_usual import NO_HISTORY, place_usual
from runway_core.calculators.payables import Payable, compute_payables
from runway_core.calculators.planned import plan_money
from runway_core.calculators.receivables import Receivable, compute_payment_habits, compute_receivables
from runway_core.calculators.series import ComingSeries, compute_series
from runway_core.domain.books import Books
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Cash, Outlook, OutlookDay, OutlookEvent, OutlookWeek, Payday, Runway

HORIZON_DAYS = 91
WEEKS = 13
NEAR_DAYS = 28

_UNKNOWN = Runway(days=None, covered_through=None, falls_on=None, horizon_days=HORIZON_DAYS)
"""Without a bank account nothing can be counted, neither days nor "91+"."""


def compute_outlook(books: Books) -> Outlook:
    """Expected cash from documents, series, what is in flight and what is usual, in home currency.

    What lies outside of the 91 days is not part of it.
    """
    flows, cash = books.derive(read_flows), books.derive(compute_cash)
    payables, receivables = books.derive(compute_payables), books.derive(compute_receivables)
    last = add_days(books.as_of, HORIZON_DAYS - 1)
    span = find_usual_span(flows.began, books.as_of)
    habits = books.derive(compute_payment_habits)
    coming = books.derive(find_coming_invoices, habits, last)
    liabilities = find_monthly_liabilities(books, last)
    settling = frozenset(key for liability in liabilities for key in liability.payments)
    billed = find_coming_bills(books, last)
    series = compute_series(books, last, since=books.as_of if span is None else span.first, apart=settling)
    in_series = series.in_series | coming.in_series | billed.in_series
    bills, charged = charge_cards(books, payables, liabilities, last=last)
    planned = plan_money(books, payables, receivables)
    found = [
        *place_bills(books, bills),
        *place_coming_bills(billed.bills),
        *place_bill_spread(books, bills, coming=billed.bills, last=last),
        *books.derive(_place_receipts, last),
        *place_series(books, series),
        *place_liabilities(books, liabilities, charged),
        *place_in_flight(books),
        *place_processed(books),
        *planned.events,
        *place_future_entries(books, flows),
        *place_usual(books, flows, span, in_series=in_series, last=last),
    ]
    events = order_events(event for event in found if books.as_of <= event.on <= last)
    left_out = (*cash.left_out, *_name_left_out(books, payables, receivables, series), *planned.left_out)
    if span is None:
        left_out += (NO_HISTORY,)
    return project_outlook(books, cash, events, left_out=left_out)


def _place_receipts(books: Books, last: date) -> tuple[OutlookEvent, ...]:
    """What invoices bring, those that are written and those to come: apart, because bills move nothing of it."""
    receivables = books.derive(compute_receivables)
    coming = books.derive(find_coming_invoices, books.derive(compute_payment_habits), last).invoices
    return (
        *place_invoices(receivables),
        *place_coming_invoices(coming),
        *place_invoice_spread(books, receivables, coming=coming, last=last),
    )


def project_outlook(
    books: Books, cash: Cash, events: Sequence[OutlookEvent], *, left_out: Sequence[str] = ()
) -> Outlook:
    """Run cash through `events`, all of which lie within the horizon and are in order: the fast part of a what-if."""
    opening, buffer = cash.opening.amount, books.company.settings.buffer
    days = run_days(books.as_of, opening, events)
    near = min(days[:NEAR_DAYS], key=lambda day: day.low)
    lowest = min(days, key=lambda day: day.low)
    is_known = bool(find_cash_account_ids(books))

    def money(amount: Decimal) -> Money:
        return Money(amount=amount, currency=books.home)

    return Outlook(
        as_of=books.as_of,
        currency=books.home,
        opening_cash=cash.opening,
        available_cash=cash.available,
        buffer=money(buffer),
        days=tuple(days),
        weeks=tuple(_sum_weeks(days)),
        events=tuple(events),
        runway=find_runway(days, floor=ZERO) if is_known else _UNKNOWN,
        buffer_breach=find_runway(days, floor=buffer) if is_known else _UNKNOWN,
        low_28_days=money(near.low),
        low_28_days_on=near.day,
        low=money(lowest.low),
        low_on=lowest.day,
        paydays=tuple(_find_paydays(books, days, events)),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def order_events(events: Iterable[OutlookEvent]) -> list[OutlookEvent]:
    """Events by day, then by what they are: an order that does not depend on the one they came in."""
    return sorted(events, key=_order)


def run_days(as_of: date, opening: Decimal, events: Iterable[OutlookEvent]) -> list[OutlookDay]:
    """Cash over each of the 91 days from `as_of`, outflows of a day before its inflows."""
    inflows, outflows = [ZERO] * HORIZON_DAYS, [ZERO] * HORIZON_DAYS
    for event in events:
        index = (event.on - as_of).days
        if event.amount > 0:
            inflows[index] += event.amount
        else:
            outflows[index] += event.amount
    days: list[OutlookDay] = []
    cash = opening
    for index in range(HORIZON_DAYS):
        low = cash + outflows[index]
        closing = low + inflows[index]
        days.append(
            OutlookDay.trusted(  # sums of checked amounts: a what-if makes 91 of them, and a page makes many what-ifs
                {
                    "day": as_of + timedelta(days=index),
                    "opening": cash,
                    "inflow": inflows[index],
                    "outflow": outflows[index],
                    "low": low,
                    "closing": closing,
                }
            )
        )
        cash = closing
    return days


def find_runway(days: Sequence[OutlookDay], *, floor: Decimal) -> Runway:
    """Count the days until cash first falls below `floor`; `None` where it never does within `days`."""
    if days[0].opening < floor:
        return Runway(days=0, covered_through=None, falls_on=days[0].day, horizon_days=len(days))
    for count, day in enumerate(days):
        if day.low < floor:
            covered = days[count - 1].day if count else None
            return Runway(days=count, covered_through=covered, falls_on=day.day, horizon_days=len(days))
    return Runway(days=None, covered_through=days[-1].day, falls_on=None, horizon_days=len(days))


def _sum_weeks(days: Sequence[OutlookDay]) -> Iterator[OutlookWeek]:
    weeks: dict[date, list[OutlookDay]] = {}
    for day in days:
        weeks.setdefault(monday_of(day.day), []).append(day)
    for number, week in enumerate(list(weeks.values())[:WEEKS], start=1):
        lowest = min(week, key=lambda day: day.low)
        yield OutlookWeek.trusted(
            {
                "number": number,
                "starts_on": week[0].day,
                "inflow": sum((day.inflow for day in week), ZERO),
                "outflow": sum((day.outflow for day in week), ZERO),
                "low": lowest.low,
                "low_on": lowest.day,
                "closing": week[-1].closing,
            }
        )


def _find_paydays(books: Books, days: Sequence[OutlookDay], events: Iterable[OutlookEvent]) -> Iterator[Payday]:
    """Payrolls, one a day, each covered when the day's low stays at nil or above."""
    sums: dict[date, Decimal] = {}
    for event in events:
        if event.is_payroll:
            sums[event.on] = sums.get(event.on, ZERO) - event.amount
    for on, amount in sums.items():
        low = days[(on - books.as_of).days].low
        yield Payday(on=on, amount=Money(amount=amount, currency=books.home), is_covered=low >= 0)


def _order(event: OutlookEvent) -> tuple[date, str, str, str, Decimal, str]:
    source = str(event.source) if event.source is not None else ""
    return event.on, event.kind.value, source, event.series_id or "", event.amount, event.label


def _name_left_out(
    books: Books,
    payables: Iterable[Payable],
    receivables: Iterable[Receivable],
    series: ComingSeries,
) -> Iterator[str]:
    yield from name_unrated("open bills", ((p.balance, p.bill.currency) for p in payables if p.home is None))
    yield from name_unrated("open invoices", ((r.balance, r.invoice.currency) for r in receivables if r.home is None))
    disputed = sum((r.home for r in receivables if r.is_disputed and r.home is not None), ZERO)
    if disputed:
        yield f"disputed invoices: {disputed:,.2f} {books.home} have no credible date"
    rates = HomeRates.of(books)
    unrated = ((o.amount, o.currency) for o in series.occurrences if rates.convert(o.amount, o.currency) is None)
    yield from name_unrated("series", unrated)
