"""Payment days: payments are released on fixed days of the week."""

from runway_core.calculators.calendar import add_business_days
from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.payment_calendar import (
    find_payment_day,
    find_payment_day_before,
    is_payment_day,
)
from runway_core.calculators.policy.wording import say_day
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import RuleName, Ruling

_RULE = RuleName.PAYMENT_DAYS


def judge_payment_day(case: PaymentCase) -> RuleResult:
    """Move a payment to the payment day before, or to the next where none is left; `moves_to` is when it arrives."""
    policy, as_of, release_on = case.ground.policy, case.ground.books.as_of, case.release_on
    if release_on >= as_of and is_payment_day(policy, release_on):
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=f"{say_day(release_on)} is a payment day")
    better = find_payment_day_before(policy, release_on, not_before=as_of)
    if better is None:
        better = find_payment_day(policy, max(release_on, as_of))
    if release_on < as_of:
        reason = f"To arrive on {say_day(case.on)} it had to be released on {say_day(release_on)}"
    else:
        reason = f"{say_day(release_on)}, when it would be released, is no payment day"
    arrives = add_business_days(better, case.rail_days)
    return RuleResult.told(
        _RULE,
        Ruling.WARN,
        reason=reason,
        remedy=f"Release it on {say_day(better)}, to arrive on {say_day(arrives)}",
        moves_to=arrives,
    )
