"""Judging payments: every rule speaks, the strictest ruling wins, all reasons are kept.

Several payments are judged together on one cash line: each may be fine alone while all of them are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.ground import PolicyGround, to_home
from runway_core.calculators.policy.line import CashLine, Movement
from runway_core.calculators.policy.rules import RULES
from runway_core.domain.decisions import RuleResult
from runway_core.domain.money import ZERO
from runway_core.domain.policy import Ruling
from runway_core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a bill, or of a part of it. Its cash is gone on `on`, the day it arrives."""

    bill_id: str
    on: date
    amount: Decimal  # in the bill's currency


@dataclass(frozen=True, slots=True)
class JudgedPayment:
    """What the rules say of one payment, in the order of the policy."""

    payment: Payment
    results: tuple[RuleResult, ...]

    @property
    def ruling(self) -> Ruling:
        """The strictest ruling."""
        return find_strictest(self.results)


def find_strictest(results: Sequence[RuleResult]) -> Ruling:
    """The strictest ruling of some rules; allowed where none speaks."""
    return max((result.ruling for result in results), key=lambda ruling: ruling.rank, default=Ruling.ALLOW)


def judge_payment(ground: PolicyGround, payment: Payment, *, approvers: Sequence[str] = ()) -> JudgedPayment:
    """Judge one payment by itself, on the cash line of `ground`.

    Raises:
        InvalidRequest: as `judge_payments`.
    """
    return judge_payments(ground, [payment], approvers={payment.bill_id: tuple(approvers)})[0]


def judge_payments(
    ground: PolicyGround,
    payments: Sequence[Payment],
    *,
    approvers: Mapping[str, tuple[str, ...]] | None = None,
) -> list[JudgedPayment]:
    """Judge payments together, in the order given: all of them leave on the cash line of `ground`.

    Raises:
        InvalidRequest: a bill is not open, an amount is not positive or more than is open, or has no exchange rate.
    """
    approvers = approvers or {}
    homes = [_checked_home(ground, payment) for payment in payments]
    _check_sums(ground, payments)
    without = take_out(ground, payments)
    line = without.spend_all((roll_forward(payment.on), home) for payment, home in zip(payments, homes, strict=True))
    return [
        JudgedPayment(
            payment,
            judge_case(
                PaymentCase(
                    ground=ground,
                    payable=ground.payables[payment.bill_id],
                    on=roll_forward(payment.on),
                    amount=payment.amount,
                    home=home,
                    line=line,
                    line_without=without,
                    approvers=approvers.get(payment.bill_id, ()),
                )
            ),
        )
        for payment, home in zip(payments, homes, strict=True)
    ]


def judge_case(case: PaymentCase) -> tuple[RuleResult, ...]:
    """What each rule of the policy says, in the policy's order."""
    return tuple(RULES[name](case) for name in dict.fromkeys(case.ground.policy.rules))


def take_out(ground: PolicyGround, payments: Sequence[Payment]) -> CashLine:
    """The line without the expected movements of these bills, as far as the payments stand for them."""
    left: dict[str, Decimal] = {}
    for payment in payments:
        home = to_home(ground, ground.payables[payment.bill_id], payment.amount) or ZERO
        left[payment.bill_id] = left.get(payment.bill_id, ZERO) + home
    returned: list[Movement] = []
    for bill_id, amount in left.items():
        rest = amount
        for on, leaves in ground.expected.get(bill_id, ()):
            taken = min(rest, leaves)
            rest -= taken
            returned.append((on, -taken))
    return ground.line.spend_all(returned)


def _checked_home(ground: PolicyGround, payment: Payment) -> Decimal:
    payable = ground.payables.get(payment.bill_id)
    if payable is None:
        raise InvalidRequest(f"bill {payment.bill_id!r} is not open: look at the bills again")
    if payment.amount <= 0:
        raise InvalidRequest(f"a payment of {payment.amount} is none: give an amount above nil")
    home = to_home(ground, payable, payment.amount)
    if home is None:
        raise InvalidRequest(f"{payable.bill.currency} has no exchange rate: set one for this company first")
    return home


def _check_sums(ground: PolicyGround, payments: Sequence[Payment]) -> None:
    sums: dict[str, Decimal] = {}
    for payment in payments:
        sums[payment.bill_id] = sums.get(payment.bill_id, ZERO) + payment.amount
    for bill_id, amount in sums.items():
        bill = ground.payables[bill_id].bill
        if amount > bill.open_balance:
            raise InvalidRequest(f"{amount} is more than the {bill.open_balance} that is open of bill {bill_id!r}")
