"""Earmark: money set aside for a named bill is gone for all others."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.EARMARK
_NONE_KEPT = RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason="No money is set aside for another bill")


def keeps_earmark(case: PaymentCase) -> bool:
    """Whether what is kept for other bills stays, after taxes."""
    set_aside = case.ground.set_aside
    kept, low = set_aside.earmarked_on(case.on, except_bill_id=case.bill_id), case.line.low_on(case.on)
    return not kept or low is None or low - set_aside.tax_on(case.on) >= kept


def judge_earmark(case: PaymentCase) -> RuleResult:
    """Block what would be paid out of money that is kept for another bill; taxes come off first."""
    home, set_aside = case.ground.books.home, case.ground.set_aside
    kept = set_aside.earmarked_on(case.on, except_bill_id=case.bill_id)
    low = case.line.low_on(case.on)
    if not kept or low is None:
        return _NONE_KEPT
    spendable = low - set_aside.tax_on(case.on)
    if spendable >= kept:
        reason = f"{say_money(kept, home)} set aside for other bills stays untouched"
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=reason)
    gap = say_money(kept - spendable, home)
    return RuleResult.told(
        _RULE,
        Ruling.BLOCK,
        reason=f"{say_money(kept, home)} is set aside for other bills, cash lacks {gap} of it on {say_day(case.on)}",
        remedy=f"Pay on a day with {gap} more cash, or close the earmark",
    )
