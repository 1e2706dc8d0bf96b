"""Open bills as expected outflows: how much, due when, paid when, released by when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, add_days, roll_forward
from runway_core.calculators.credits import apply_credits, find_vendor_credits
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.bills import Bill, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.decisions import PaymentPart

RAIL_BUSINESS_DAYS = {
    PaymentMethod.TRANSFER: 3,  # ACH
    PaymentMethod.CARD: 0,
    PaymentMethod.CASH: 0,
    PaymentMethod.CHECK: 5,
    PaymentMethod.OTHER: 3,
}
"""How long money is under way, by how it is sent; a wire takes none."""


@dataclass(frozen=True, slots=True)
class Payable:
    """An open bill as it counts for cash."""

    bill: Bill
    due: date  # the due date, or what is assumed for it
    is_due_assumed: bool
    due_reason: str
    balance: Decimal  # open, less the vendor's credits; in the bill's currency
    home: Decimal | None  # the same in home currency; None: no exchange rate
    pay_date: date  # the business day it, or its first part, is expected to leave: as decided, else when due
    leaves: tuple[tuple[date, Decimal], ...]  # what leaves when, home currency; empty without an exchange rate


def compute_payables(books: Books) -> list[Payable]:
    """Open bills by due date, then id, each less its share of the vendor's open credits."""
    open_bills = books.open_bills
    terms = UsualTerms.of_bills(books, [bill for bill in open_bills if bill.due_date is None])
    rates = HomeRates.of(books)
    dated = [(terms.due_day(document), bill) for document, bill in zip(date_bills(open_bills), open_bills, strict=True)]
    dated.sort(key=lambda pair: (pair[0].day, pair[1].external_id))
    decided = {d.bill_id: d.payments for d in books.decisions if d.payments and not d.is_closed}
    rests = apply_credits(
        (((bill.vendor_id, bill.currency), bill.open_balance) for _, bill in dated), find_vendor_credits(books)
    )
    found: list[Payable] = []
    for (due, bill), rest in zip(dated, rests, strict=True):
        home = rates.convert(rest, bill.currency)
        due_on = roll_forward(max(due.day, books.as_of))
        parts = decided.get(bill.external_id, ())
        leaves: tuple[tuple[date, Decimal], ...] = ((due_on, home),) if home is not None else ()
        if parts:
            leaves = tuple(_place_parts(parts, rest, due_on=due_on, as_of=books.as_of, home_of=(rates, bill.currency)))
        found.append(
            Payable(
                bill=bill,
                due=due.day,
                is_due_assumed=due.is_assumed,
                due_reason=due.reason,
                balance=rest,
                home=home,
                pay_date=leaves[0][0] if leaves else due_on,
                leaves=leaves,
            )
        )
    return found


def _place_parts(
    parts: Iterable[PaymentPart], rest: Decimal, *, due_on: date, as_of: date, home_of: tuple[HomeRates, str]
) -> Iterator[tuple[date, Decimal]]:
    """Decided payments on their days, as far as the bill is still open; what they leave of it goes when due."""
    rates, currency = home_of
    for part in parts:
        amount = min(part.amount, rest)
        rest -= amount
        home = rates.convert(amount, currency)
        if amount and home is not None:
            yield roll_forward(max(part.on, as_of)), home
    left = rates.convert(rest, currency)
    if rest and left is not None:
        yield due_on, left


def find_decided_bill_ids(books: Books) -> frozenset[str]:
    """Bills whose payment a person has put on a day: no habit moves them."""
    return frozenset(decision.bill_id for decision in books.decisions if decision.payments and not decision.is_closed)


def compute_pay_by(due: date, *, grace_days: int = 0, rail_business_days: int = 3) -> date:
    """The last day to release a payment so that it arrives in time: due date and grace less the rail's business days.

    It may lie in the past: then the payment is late already.
    """
    return add_business_days(roll_forward(add_days(due, grace_days)), -rail_business_days)
