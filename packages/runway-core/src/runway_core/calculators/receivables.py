"""Open invoices as expected inflows: how much, and when, by what each customer's habit says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.credits import apply_credits, find_customer_credits
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.settled import find_invoice_delays
from runway_core.calculators.statistics import median, nearest_rank, round_half_up, twice_median
from runway_core.calculators.terms import UsualTerms, date_invoices
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.invoices import Invoice

HABIT_DAYS = 365
WHOLE_WEIGHT = 3  # how many invoices the company-wide habit counts for beside a customer's own
UNKNOWN_WAIT_DAYS = 14
RISK_DAYS_LATE = 60


@dataclass(frozen=True, slots=True)
class PaymentHabits:
    """Days late of invoices paid in the last twelve months, early ones negative, by customer and over all."""

    by_customer: dict[str, list[int]]
    twice_median_of_all: int  # twice, so that it is whole; nil while nothing was paid yet

    def late_days(self, customer_id: str | None) -> int:
        """How late a customer usually pays; few facts lean on the whole company's median."""
        delays = self.delays_of(customer_id)
        own, weight = len(delays) * twice_median(delays) if delays else 0, len(delays) + WHOLE_WEIGHT
        return (own + WHOLE_WEIGHT * self.twice_median_of_all + weight) // (2 * weight)  # halves up

    def late_days_p80(self, customer_id: str | None) -> int | None:
        """The delay that four of five of a customer's invoices do not exceed; `None` without history."""
        delays = self.delays_of(customer_id)
        return nearest_rank(delays, 80) if delays else None

    def delays_of(self, customer_id: str | None) -> list[int]:
        """A customer's own delays."""
        return self.by_customer.get(customer_id, []) if customer_id is not None else []


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer said he would pay, and when."""

    on: date  # the business day it is expected to arrive
    home: Decimal  # home currency, at most what is open
    reason: str


@dataclass(frozen=True, slots=True)
class Receivable:
    """An open invoice as it counts for cash."""

    invoice: Invoice
    due: date
    is_due_assumed: bool
    balance: Decimal  # open, less the customer's credits; in the invoice's currency
    home: Decimal | None  # the same in home currency; None: no exchange rate
    expected: date  # the business day it is expected to arrive
    expected_reason: str
    late_case: date  # the day that four of five of the customer's invoices keep: the cautious view
    is_at_risk: bool
    risk_reason: str | None
    is_disputed: bool = False  # then no day is credible
    promise: Promise | None = None  # a part, or all, that the customer promised for a day to come


def compute_payment_habits(books: Books) -> PaymentHabits:
    """Read days late from invoices that payments closed in the last twelve months."""
    as_of, days = books.as_of.toordinal(), books.customer_payment_columns.document_day
    paid = [day if as_of - HABIT_DAYS < day <= as_of else 0 for day in days]
    by_customer = find_invoice_delays(books, paid)
    every = [delay for delays in by_customer.values() for delay in delays]
    return PaymentHabits(
        by_customer=by_customer,
        twice_median_of_all=twice_median(every) if every else 0,
    )


def compute_receivables(books: Books) -> list[Receivable]:
    """Open invoices by due date, then id, each less its share of the customer's open credits."""
    open_invoices = books.open_invoices
    terms = UsualTerms.of_invoices(books, [i for i in open_invoices if i.due_date is None])
    habits = books.derive(compute_payment_habits)
    rates = HomeRates.of(books)
    dated = [
        (terms.due_day(document), invoice)
        for document, invoice in zip(date_invoices(open_invoices), open_invoices, strict=True)
    ]
    dated.sort(key=lambda pair: (pair[0].day, pair[1].external_id))
    rests = apply_credits(
        (((invoice.customer_id, invoice.currency), invoice.open_balance) for _, invoice in dated),
        find_customer_credits(books),
    )
    notes = _find_last_notes(books)
    late_days = {customer_id: habits.late_days(customer_id) for customer_id in {i.customer_id for i in open_invoices}}
    found: list[Receivable] = []
    for (due, invoice), rest in zip(dated, rests, strict=True):
        delays = habits.delays_of(invoice.customer_id)
        expectation = _expect(due.day, books.as_of, late=late_days[invoice.customer_id], delays=delays)
        late_by = habits.late_days_p80(invoice.customer_id)
        late_day = add_days(due.day, late_by) if late_by is not None else expectation.day
        note, home = notes.get(invoice.external_id), rates.convert(rest, invoice.currency)
        promise = (
            None if note is None or home is None else _read_promise(note, home, books.as_of, rates=rates, of=invoice)
        )
        if promise is not None and promise.home == home:
            expectation = _Expectation(promise.on, promise.reason)
        risk = expectation.risk or _risk(late=(books.as_of - due.day).days, usually_within=late_by)
        is_disputed = note is not None and note.outcome is CollectionOutcome.DISPUTED
        if is_disputed and note is not None:
            risk = f"disputed: {note.reason}" if note.reason else "disputed"
        found.append(
            Receivable(
                invoice=invoice,
                due=due.day,
                is_due_assumed=due.is_assumed,
                balance=rest,
                home=home,
                expected=roll_forward(expectation.day),
                expected_reason=expectation.reason,
                late_case=roll_forward(max(late_day, expectation.day)),
                is_at_risk=risk is not None,
                risk_reason=risk,
                is_disputed=is_disputed,
                promise=promise,
            )
        )
    return found


def _find_last_notes(books: Books) -> dict[str, CollectionNote]:
    """The newest open note of each invoice."""
    ordered = sorted(books.collection_notes, key=lambda note: (note.contacted_on, note.changed_at, note.paper_id))
    return {note.invoice_id: note for note in ordered if not note.is_closed}


def _read_promise(note: CollectionNote, home: Decimal, as_of: date, *, rates: HomeRates, of: Invoice) -> Promise | None:
    """The promise of a note as it counts for cash; one whose day has passed was broken and counts no more."""
    on = note.promised_on
    if note.outcome is not CollectionOutcome.PROMISED or on is None or on < as_of:
        return None
    part = home if note.promised_amount is None else rates.convert(note.promised_amount, of.currency) or home
    who = f" by {note.person}" if note.person else ""
    return Promise(roll_forward(on), min(part, home), f"promised{who} for {on}")


class _Expectation(NamedTuple):
    day: date
    reason: str
    risk: str | None = None


def _expect(due: date, as_of: date, *, late: int, delays: Sequence[int]) -> _Expectation:
    age = (as_of - due).days
    if age <= late:
        return _Expectation(add_days(due, late), f"due {due}, {_say_habit(late)}")
    beyond = [delay for delay in delays if delay > age]
    if len(beyond) >= 2:
        wait = round_half_up(median(beyond))
        return _Expectation(add_days(due, wait), f"due {due}; when not paid by now, {_say_habit(wait)}")
    if age <= 0:
        return _Expectation(due, f"due {due}, not paid early this time")
    day = add_days(as_of, UNKNOWN_WAIT_DAYS)
    return _Expectation(day, f"{age} days late, beyond the customer's habit", risk="no credible date")


def _say_habit(late: int) -> str:
    if late == 0:
        return "usually on time"
    return f"usually {late} days late" if late > 0 else f"usually {-late} days early"


def _risk(*, late: int, usually_within: int | None) -> str | None:
    if late > RISK_DAYS_LATE:
        return f"{late} days late"
    if usually_within is not None and late > max(usually_within, 0):
        return f"{late} days late, four of five come within {usually_within}"
    return None
