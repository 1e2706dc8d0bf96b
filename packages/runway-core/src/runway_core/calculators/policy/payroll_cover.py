"""Payroll cover: every payroll of the coming two weeks stays fully covered after the payment."""

from datetime import timedelta

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.PAYROLL_COVER


def judge_payroll_cover(case: PaymentCase) -> RuleResult:
    """Block what leaves up to a payday that it would leave uncovered, or that is not covered as it is."""
    days, home = case.ground.policy.payroll_cover_days, case.ground.books.home
    last = case.ground.books.as_of + timedelta(days=days)
    paydays = [payday for payday in case.ground.outlook.paydays if payday.on <= last]
    for payday in paydays:
        low = case.line.low_on(payday.on)
        if case.on <= payday.on and low is not None and low < 0:
            return RuleResult(
                rule=_RULE,
                ruling=Ruling.BLOCK,
                reason=f"Payroll of {payday.amount} on {say_day(payday.on)} would lack {say_money(-low, home)}",
                remedy=f"Pay after {say_day(payday.on)}, or bring in {say_money(-low, home)} before it",
            )
    if not paydays:
        return RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason=f"No payroll falls within {days} days")
    named = " and ".join(say_day(payday.on) for payday in paydays)
    return RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason=f"Payroll on {named} stays as covered as it is")
