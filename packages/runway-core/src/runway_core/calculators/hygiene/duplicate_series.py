"""What the rules on duplicate bills ask of a vendor's rhythm: members of one series are never one bill twice."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from runway_core.calculators.rhythm import are_different_periods
from runway_core.domain.bills import Bill

MANY_MEMBERS = 6
"""So many members a series of merely similar amounts needs before it clears a pair with different numbers."""

_ALIKE = Decimal("0.1")  # amounts of one series differ by a tenth at most

Numbered = tuple[str | None, Bill]
"""A bill with its normal number."""


def are_in_different_periods(one: Bill, two: Bill, bills: Sequence[Numbered]) -> bool:
    """Whether two of a vendor's `bills` over about one amount are members of one series in different periods."""
    near = [
        bill for _, bill in bills if bill.currency == one.currency and abs(bill.total - one.total) <= one.total * _ALIKE
    ]
    same = [bill for bill in near if bill.total == one.total]
    return _differ(one, two, same) or _differ(one, two, near, least_members=MANY_MEMBERS)


def are_in_different_periods_of_number(
    one: Bill, two: Bill, bills: Sequence[Numbered], number: str, *, with_any_amount: bool = False
) -> bool:
    """The same where only bills of one normal number make the series: an account number on every bill.

    Amounts may differ by a tenth, or `with_any_amount` by anything, as those of a power company do.
    """
    return _differ(
        one,
        two,
        [
            bill
            for held, bill in bills
            if held == number
            and bill.currency == one.currency
            and (with_any_amount or abs(bill.total - one.total) <= one.total * _ALIKE)
        ],
    )


def _differ(one: Bill, two: Bill, members: Sequence[Bill], *, least_members: int = 3) -> bool:
    days: list[date] = sorted({bill.document_date for bill in (one, two, *members)})
    return are_different_periods(one.document_date, two.document_date, days, least_members=least_members)
