"""Payroll cover: every payroll of the coming two weeks stays fully covered after the payment."""

from collections.abc import Iterable
from decimal import Decimal

from runway_core.calculators.calendar import add_days
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.outlook import Payday
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.PAYROLL_COVER


def keeps_payroll_cover(case: PaymentCase) -> bool:
    """Whether every payroll of the coming two weeks stays covered that the payment could take from."""
    return _find_uncovered(case, _find_paydays(case)) is None


def judge_payroll_cover(case: PaymentCase) -> RuleResult:
    """Block what leaves up to a payday that it would leave uncovered, or that is not covered as it is."""
    days, home = case.ground.policy.payroll_cover_days, case.ground.books.home
    paydays = _find_paydays(case)
    uncovered = _find_uncovered(case, paydays)
    if uncovered is not None:
        payday, low = uncovered
        return RuleResult.told(
            _RULE,
            Ruling.BLOCK,
            reason=f"Payroll of {payday.amount} on {say_day(payday.on)} would lack {say_money(-low, home)}",
            remedy=f"Pay after {say_day(payday.on)}, or bring in {say_money(-low, home)} before it",
        )
    if not paydays:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"No payroll falls within {days} days")
    named = " and ".join(say_day(payday.on) for payday in paydays)
    return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"Payroll on {named} stays as covered as it is")


def _find_paydays(case: PaymentCase) -> list[Payday]:
    last = add_days(case.ground.books.as_of, case.ground.policy.payroll_cover_days)
    return [payday for payday in case.ground.outlook.paydays if payday.on <= last]


def _find_uncovered(case: PaymentCase, paydays: Iterable[Payday]) -> tuple[Payday, Decimal] | None:
    """The first payday from the payment on that cash does not cover, and the low of that day."""
    for payday in paydays:
        low = case.line.low_on(payday.on)
        if case.on <= payday.on and low is not None and low < 0:
            return payday, low
    return None
