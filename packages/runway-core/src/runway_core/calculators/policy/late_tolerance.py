"""Late tolerance: how late a payment may arrive, by the vendor's tier."""

from runway_core.calculators.policy.case import PaymentCase
from runway_core.calculators.policy.wording import say_day, say_days
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import Policy, Role, RuleName, Ruling, VendorTier

_RULE = RuleName.LATE_TOLERANCE


def find_tolerance_days(policy: Policy, tier: VendorTier) -> int:
    """Calendar days that a vendor of a tier waits; money held for others never does."""
    if tier is VendorTier.HELD_FOR_OTHERS or _RULE not in policy.rules:
        return 0
    return policy.late_tolerance_days.get(tier, 0)


def judge_late_tolerance(case: PaymentCase) -> RuleResult:
    """Allow what is in time or within tolerance; beyond it a controller approves, and never for tier 0.

    A bill that is overdue already counts from the first day on which it can still arrive.
    """
    tier, late = case.tier, case.days_late
    if late == 0:
        is_overdue = case.on > case.due_on
        reason = (
            f"Due {say_day(case.payable.due)}: as soon as it can be paid"
            if is_overdue
            else (f"It arrives in time, due {say_day(case.payable.due)}")
        )
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=reason)
    tolerance = find_tolerance_days(case.ground.policy, tier)
    named = f"It arrives {say_days(late)} late; a vendor of tier {tier.value} waits {say_days(tolerance)}"
    if late <= tolerance:
        return RuleResult.told(_RULE, Ruling.ALLOW, reason=named)
    remedy = f"Let it arrive by {say_day(max(case.due_on, case.earliest_on))}"
    if tier is VendorTier.HELD_FOR_OTHERS:
        reason = f"It is money held for others and would arrive {say_days(late)} late"
        return RuleResult.told(_RULE, Ruling.BLOCK, reason=reason, remedy=remedy)
    return RuleResult.told(
        _RULE,
        Ruling.NEED_APPROVAL,
        reason=named,
        remedy=f"A controller approves the delay. Or: {remedy[0].lower()}{remedy[1:]}",
        roles=(Role.CONTROLLER,),
    )
