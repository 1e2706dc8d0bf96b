"""Tax reserve: payroll and sales tax that was collected is not spendable; it is set aside until it is paid."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling, VendorTier

_RULE = RuleName.TAX_RESERVE


def keeps_tax_reserve(case: PaymentCase) -> bool:
    """Whether the payment leaves the money that is kept for taxes alone, or is one of those taxes."""
    if case.tier is VendorTier.HELD_FOR_OTHERS:
        return True
    kept, low = case.ground.set_aside.tax_on(case.on), case.line.low_on(case.on)
    return not kept or low is None or low >= kept


def judge_tax_reserve(case: PaymentCase) -> RuleResult:
    """Block what would be paid out of money that is kept for taxes. Paying those taxes is what it is kept for."""
    home = case.ground.books.home
    kept = case.ground.set_aside.tax_on(case.on)
    low = case.line.low_on(case.on)
    if case.tier is VendorTier.HELD_FOR_OTHERS:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason="It pays money that is held for others")
    if not kept or low is None:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"No tax money is set aside on {say_day(case.on)}")
    if low >= kept:
        reason = f"{say_money(kept, home)} of taxes stays untouched: cash is {say_money(low, home)} that day"
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=reason)
    gap = say_money(kept - low, home)
    return RuleResult.told(
        _RULE,
        Ruling.BLOCK,
        reason=f"It would be paid out of taxes: cash is {say_money(low, home)} on {say_day(case.on)}, "
        f"{say_money(kept, home)} of it is held for others",
        remedy=f"Pay on a day with {gap} more cash, or once the taxes are paid",
    )
