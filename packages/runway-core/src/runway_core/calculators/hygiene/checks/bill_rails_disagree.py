"""AP22: the rail that pays a bill has it otherwise than the ledger."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.execution import RailBill
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class _Difference(NamedTuple):
    """One field on which the two disagree, as text, and the fix that takes the rail's side."""

    field: str
    in_ledger: str
    at_rail: str
    fix: SuggestedFix


class BillRailsDisagree:
    """A bill whose amount, due date or state at an execution rail is another than in the ledger, open on one side.

    A due date that one side does not say is no difference. Nor is a state while the rail shows a payment of the bill:
    then SY02 judges.
    """

    id = "AP22"
    name = "bill_rails_disagree"
    floor = Severity.HIGH
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bills", "rail_bills", "rail_payments"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding for each bill and rail that disagree."""
        if not books.rail_bills:
            return
        bills = {bill.external_id: bill for bill in books.bills}
        moving = {(payment.rail, bill_id) for payment in books.rail_payments for bill_id in payment.bill_ids}
        for shown in books.rail_bills:
            bill = bills.get(shown.bill_id or "")
            if bill is None or (shown.is_paid and not bill.open_balance):
                continue
            has_payment = (shown.rail, bill.external_id) in moving
            differences = tuple(_compare(bill, shown, has_payment=has_payment))
            if differences:
                yield self._report(books, bill, shown, differences=differences)

    def _report(self, books: Books, bill: Bill, shown: RailBill, *, differences: tuple[_Difference, ...]) -> Finding:
        told = ", ".join(
            f"{one.field.replace('_', ' ')} {one.in_ledger} in the ledger, {one.at_rail} there" for one in differences
        )
        return build_finding(
            self,
            books,
            subjects=(bill.key, shown.key),
            amount=bill.open_balance or bill.total,
            currency=bill.currency,
            summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or shown.vendor_name or 'a vendor'} "
            f"differs at {shown.rail}: {told}",
            evidence=[
                evidence
                for one in differences
                for evidence in (
                    Evidence(name=one.field, value=one.in_ledger, record=bill.key),
                    Evidence(
                        name=one.field, value=one.at_rail, record=shown.key, rail=shown.rail, read_at=shown.read_at
                    ),
                )
            ],
            fixes=(
                SuggestedFix(label=f"Take the ledger's side at {shown.rail}", record=bill.key),
                *(one.fix for one in differences),
            ),
        )


def _compare(bill: Bill, shown: RailBill, *, has_payment: bool) -> Iterator[_Difference]:
    if bill.currency != shown.currency or bill.total != shown.total:
        yield _Difference(
            "amount",
            say_amount(bill.total, bill.currency),
            say_amount(shown.total, shown.currency),
            _take_amount(bill, shown),
        )
    if bill.due_date is not None and shown.due_date is not None and bill.due_date != shown.due_date:
        due = shown.due_date.isoformat()
        moved = Amendment(action=AmendmentAction.SET_DUE, record=bill.key, on=shown.due_date)
        fix = SuggestedFix(
            label=f"Set due date to {due}", record=bill.key, fields={"due_date": due}, amendments=(moved,)
        )
        yield _Difference("due_date", bill.due_date.isoformat(), due, fix)
    is_paid = not bill.open_balance
    if is_paid is not shown.is_paid and not has_payment:
        yield _Difference("state", _say_state(is_paid=is_paid), _say_state(is_paid=shown.is_paid), _take_state(bill))


def _take_amount(bill: Bill, shown: RailBill) -> SuggestedFix:
    label = f"Correct the amount to {plain_amount(shown.total, shown.currency)} {shown.currency}"
    more = shown.total - bill.total
    if bill.currency != shown.currency or not bill.open_balance:
        return SuggestedFix(label=label, record=bill.key)
    if more < 0:
        amendment = Amendment(action=AmendmentAction.REDUCE, record=bill.key, amount=-more)
        return SuggestedFix(label=label, record=bill.key, amendments=(amendment,))
    return SuggestedFix(label=label, record=bill.key)


def _take_state(bill: Bill) -> SuggestedFix:
    if not bill.open_balance:
        return SuggestedFix(label="Stop it at the rail: the ledger has it as paid", record=bill.key)
    paid = Amendment(action=AmendmentAction.REMOVE, record=bill.key)
    return SuggestedFix(label="Record the payment, if it was made", record=bill.key, amendments=(paid,))


def _say_state(*, is_paid: bool) -> str:
    return "paid" if is_paid else "open"
