"""Minimum cash: the lowest cash of the coming weeks, this payment included, stays above the floor.

Where it is below without the payment too, another decision must mend it: the payment is told the gap and not held up.
"""

from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.line import Low
from runway_core.calculators.policy.wording import say_day, say_money
from runway_core.domain.decisions import RuleResult
from runway_core.domain.money import ZERO
from runway_core.domain.policy import Role, RuleName, Ruling

_RULE = RuleName.MINIMUM_CASH


class _Short(NamedTuple):
    """Cash below the floor, or below nil, on a day of the window from the payment on."""

    low: Low
    without: Low  # the same days without the payment
    limit: Decimal  # what it is below

    @property
    def is_there_anyway(self) -> bool:
        return self.without.amount < self.limit


def keeps_minimum_cash(case: PaymentCase) -> bool:
    """Whether the low from the payment on stays at the floor with it, or is below without it too."""
    short = _find_short(case)
    return short is None or short.is_there_anyway


def judge_minimum_cash(case: PaymentCase) -> RuleResult:
    """Block below nil, approval below the floor; a warning where the low is there without the payment too."""
    floor, home = case.ground.floor, case.ground.books.home
    short = _find_short(case)
    if short is None:
        return _say_overall(case)
    low, without, limit = short
    gap = say_money(limit - low.amount, home)
    named = "nil" if limit == ZERO else f"the minimum of {say_money(floor, home)}"
    reason = f"Lowest cash falls to {say_money(low.amount, home)} on {say_day(low.on)}, {gap} below {named}"
    if short.is_there_anyway:
        reason += f"; it is {say_money(without.amount, home)} without this payment"
        return RuleResult.told(_RULE, Ruling.WARN, reason=reason, remedy=f"Bring in {gap} by {say_day(low.on)}")
    remedy = f"Pay after {say_day(low.on)}, pay {gap} less, or bring in as much before"
    if low.amount < 0:
        return RuleResult.told(_RULE, Ruling.BLOCK, reason=reason, remedy=remedy)
    return RuleResult.told(
        _RULE,
        Ruling.NEED_APPROVAL,
        reason=reason,
        remedy=f"The owner approves it. Or: {remedy[0].lower()}{remedy[1:]}",
        roles=(Role.OWNER,),
    )


def _find_short(case: PaymentCase) -> _Short | None:
    window, floor = case.ground.policy.minimum_cash_window_days, case.ground.floor
    low, without = case.line.lowest(case.on, window), case.line_without.lowest(case.on, window)
    if low is None or without is None or low.amount >= max(floor, ZERO):
        return None
    return _Short(low, without, ZERO if low.amount < 0 else floor)


def _say_overall(case: PaymentCase) -> RuleResult:
    """The low of the whole window, which may lie before the payment."""
    window, floor, home = case.ground.policy.minimum_cash_window_days, case.ground.floor, case.ground.books.home
    overall = case.line.lowest(case.line.as_of, window)
    assert overall is not None, "a window holds a day at least"
    if overall.amount < floor:
        gap = say_money(floor - overall.amount, home)
        reason = f"Cash is {gap} short of the minimum on {say_day(overall.on)}, before this payment leaves"
        return RuleResult.told(_RULE, Ruling.WARN, reason=reason, remedy="Bring that much in before the day")
    reason = f"Lowest cash of {window} days is {say_money(overall.amount, home)} on {say_day(overall.on)}"
    return RuleResult.told(_RULE, Ruling.ALLOW, reason=reason)
