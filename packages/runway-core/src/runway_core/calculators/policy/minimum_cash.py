"""Minimum cash: the lowest cash of the coming weeks, this payment included, stays above the floor.

Where it is below without the payment too, another decision must mend it: the payment is told the gap and not held up.
"""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.money import ZERO
from runway_core.domain.policy import Role, RuleName, Ruling

_RULE = RuleName.MINIMUM_CASH


def judge_minimum_cash(case: PaymentCase) -> RuleResult:
    """Block below nil, approval below the floor; a warning where the low is there without the payment too."""
    window, floor, home = case.ground.policy.minimum_cash_window_days, case.ground.floor, case.ground.books.home
    low = case.line.lowest(case.on, window)
    overall = case.line.lowest(case.line.as_of, window)
    without = case.line_without.lowest(case.on, window)
    assert overall is not None, "a window holds a day at least"
    if low is None or without is None or low.amount >= max(floor, ZERO):
        if overall.amount < floor:
            gap = say_money(floor - overall.amount, home)
            reason = f"Cash is {gap} short of the minimum on {say_day(overall.on)}, before this payment leaves"
            return RuleResult(rule=_RULE, ruling=Ruling.WARN, reason=reason, remedy="Bring that much in before the day")
        reason = f"Lowest cash of {window} days is {say_money(overall.amount, home)} on {say_day(overall.on)}"
        return RuleResult(rule=_RULE, ruling=Ruling.ALLOW, reason=reason)
    limit = ZERO if low.amount < 0 else floor
    gap = say_money(limit - low.amount, home)
    named = "nil" if limit == ZERO else f"the minimum of {say_money(floor, home)}"
    reason = f"Lowest cash falls to {say_money(low.amount, home)} on {say_day(low.on)}, {gap} below {named}"
    if without.amount < limit:
        reason += f"; it is {say_money(without.amount, home)} without this payment"
        return RuleResult(rule=_RULE, ruling=Ruling.WARN, reason=reason, remedy=f"Bring in {gap} by {say_day(low.on)}")
    remedy = f"Pay after {say_day(low.on)}, pay {gap} less, or bring in as much before"
    if low.amount < 0:
        return RuleResult(rule=_RULE, ruling=Ruling.BLOCK, reason=reason, remedy=remedy)
    return RuleResult(
        rule=_RULE,
        ruling=Ruling.NEED_APPROVAL,
        reason=reason,
        remedy=f"The owner approves it. Or: {remedy[0].lower()}{remedy[1:]}",
        roles=(Role.OWNER,),
    )
