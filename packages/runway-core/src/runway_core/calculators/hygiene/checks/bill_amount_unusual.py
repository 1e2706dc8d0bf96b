"""AP20: a bill that is far above what the vendor usually asks."""

from collections.abc import Iterable
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix

LAST_BILLS = 12
LEAST_BILLS = 6
"""From fewer bills nobody can tell what is usual."""

DEVIATIONS = 5
TIMES_MEDIAN = 2


class _Habit(NamedTuple):
    """What a vendor asked before: the totals, oldest first, their median and the median distance from it."""

    totals: tuple[Decimal, ...]
    usual: Decimal
    deviation: Decimal


class BillAmountUnusual:
    """An open bill over more than the median and five median deviations, and at least twice the median.

    Compared are the vendor's last twelve bills before it in its currency, at least six. What was paid has been looked
    at.
    """

    id = "AP20"
    name = "bill_amount_unusual"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill that stands out."""
        for vendor_id in {bill.vendor_id for bill in books.open_bills if bill.vendor_id is not None}:
            before: dict[str, list[Decimal]] = {}
            for bill in books.bills_by_vendor[vendor_id]:
                if bill.total <= 0:
                    continue
                totals = before.setdefault(bill.currency, [])
                if bill.open_balance > 0 and len(totals) >= LEAST_BILLS:
                    habit = _read_habit(totals[-LAST_BILLS:])
                    if _is_unusual(bill, habit):
                        yield self._report(books, bill, habit)
                totals.append(bill.total)

    def _report(self, books: Books, bill: Bill, habit: _Habit) -> Finding:
        usual = say_amount(habit.usual, bill.currency)
        return build_finding(
            self,
            books,
            subjects=(bill.key,),
            amount=bill.total - habit.usual,
            currency=bill.currency,
            summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} over "
            f"{say_amount(bill.total, bill.currency)}; usually {usual}",
            evidence=(
                Evidence(name="total", value=plain_amount(bill.total, bill.currency), record=bill.key),
                Evidence(name="median", value=plain_amount(habit.usual, bill.currency)),
                Evidence(name="median_deviation", value=plain_amount(habit.deviation, bill.currency)),
                Evidence(name="last", value=", ".join(plain_amount(one, bill.currency) for one in habit.totals)),
            ),
            fixes=(
                SuggestedFix(label="Ask the vendor to confirm it; accept this if it is right", record=bill.key),
                SuggestedFix(
                    label=f"Correct the amount; usual would be {usual}",
                    record=bill.key,
                    amendments=(
                        Amendment(
                            action=AmendmentAction.REDUCE,
                            record=bill.key,
                            amount=min(bill.total - habit.usual, bill.open_balance),
                        ),
                    ),
                ),
            ),
        )


def _read_habit(totals: list[Decimal]) -> _Habit:
    usual = median(totals)
    return _Habit(tuple(totals), usual, median([abs(one - usual) for one in totals]))


def _is_unusual(bill: Bill, habit: _Habit) -> bool:
    is_far = bill.total > habit.usual + DEVIATIONS * habit.deviation
    return is_far and bill.total >= TIMES_MEDIAN * habit.usual
